"""`midge compare`: a model beside what it was made from, or a board beside this PC, layer by layer."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console

from .. import backends, frontends
from ..deploy.live import compare as live
from ..device.model_file import ModelFile, read
from ..errors import CheckFailed, MidgeError, printable
from ..files.readings import read_readings
from ..quantize import is_float, simplified
from ..quantize.layers import remembered
from ..quantize.proof import LEAST_DECIBELS, LayerProof, Proof, Source, percent, prove
from . import COMMANDS, PATH, PIXELS, range_of_pixels
from .ports import PORT, found_port
from .tables import print_lines, print_table

NO_LAYERS = "it was made by --small, or quantised elsewhere"
FELL = 10.0  # decibels that a layer loses of what the layer before had: there it goes wrong


def compare(
    source: Path, path: Path, data: Path, pixels: str, signature: str | None, trust: bool
) -> tuple[ModelFile, Proof]:
    """Runs both over the readings. Raises MidgeError where they are not two forms of one model."""
    model = read(path).whole
    model.refuse_sound("midge compare")
    loaded = frontends.load(source, frontends.Request(signature=signature, trust=trust))
    graph = loaded.graph
    if not is_float(graph):
        raise MidgeError(f"{source}: is quantised itself; compare with the model of floats that it was made from")
    ours, theirs = [t.shape for t in model.inputs], [e.tensor.shape for e in graph.inputs]
    outputs = [t.size for t in model.outputs], [e.tensor.size for e in graph.outputs]
    if ours != theirs or outputs[0] != outputs[1]:
        raise MidgeError(f"{path}: takes {_shapes(ours)}, {source} {_shapes(theirs)}: not two forms of one model")
    readings = read_readings(data, ours).as_real(range_of_pixels(pixels))
    reference = simplified(graph)
    return model, prove(Source(graph, reference), model, remembered(model), test=readings)


def _shapes(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in shapes)


def first_wrong(layers: list[LayerProof]) -> LayerProof | None:
    """The first layer whose signal is drowned in noise, or that has far more noise than those before it."""
    least = float("inf")
    for layer in layers:
        fell = isfinite(least) and layer.decibels < min(least - FELL, 2 * LEAST_DECIBELS)
        if fell or layer.decibels < LEAST_DECIBELS:
            return layer
        least = min(least, layer.decibels)
    return None


def show(model: ModelFile, proof: Proof) -> None:
    """Prints a line a layer."""
    if proof.layers:
        rows = [
            (
                layer.name,
                layer.operator,
                f"{layer.error:.3g}",
                f"{layer.largest:.3g}",
                f"{layer.decibels:.1f} dB" if isfinite(layer.decibels) else "exact",
                percent(layer.saturated) if layer.saturated else "",
            )
            for layer in proof.layers
        ]
        header = ("layer", "operator", "error", "largest", "signal to noise", "saturated")
        print_table(header, rows, words=("layer", "operator"))
    else:
        click.echo(f"the file tells nothing of its layers: {NO_LAYERS}; only outputs are compared")
    print_lines([*proof.lines(), *(f"warning: {w}" for w in proof.warnings)])
    wrong = first_wrong(proof.layers)
    if wrong:
        click.echo(printable(f"the first layer that goes wrong: {wrong.name} ({wrong.operator})"))
    elif proof.layers:
        click.echo("no layer goes wrong")


def facts(proof: Proof) -> dict[str, Any]:
    """What `show` prints, as plain data; null stands for no noise at all."""
    found = asdict(proof)
    found["decibels"] = [d if isfinite(d) else None for d in proof.decibels]
    for layer in found["layers"]:
        layer["decibels"] = layer["decibels"] if isfinite(layer["decibels"]) else None
    wrong = first_wrong(proof.layers)
    return found | {"first_wrong": wrong.name if wrong else None}


def reading_of(model: ModelFile, data: Path | None, number: int) -> list[np.ndarray]:
    """Reading `number` of the data, an array (1, *shape) for each input; random ones without data."""
    if data is None:
        return backends.random_readings(model)
    readings = read_readings(data, [t.shape for t in model.inputs])
    if not 0 <= number < len(readings):
        raise MidgeError(f"--reading {number}: {data} has {len(readings)}, from 0 on")
    return backends.checked(model, [x[number : number + 1] for x in readings.inputs])


def show_board(found: live.Comparison) -> None:
    """Prints a line a layer, and the first that differs."""
    board = found.board
    click.echo(f"board     {printable(board.machine)}, {found.backend} kernels, weights: {found.weights_mode}")
    rows = [
        (
            "" if layer.index is None else str(layer.index),
            printable(layer.name),
            layer.operator,
            f"{layer.bytes:,}",
            "equal" if layer.is_equal else "differs",
        )
        for layer in found.layers
    ]
    print_table(("#", "layer", "operator", "bytes", ""), rows, words=("layer",), left=("operator", ""))


def verdict(found: live.Comparison) -> str:
    """What came of a comparison with a board, in words."""
    wrong = next((layer for layer in found.layers if not layer.is_equal), None)
    if wrong is None:
        return "board and PC give the same bytes in every layer"
    if wrong.index is None:
        return (
            "every layer is equal, but not the result: the board's modules for reading and writing values are damaged"
        )
    text = f"the first layer that differs: {wrong.index}, {wrong.name} ({wrong.operator})"
    d = found.difference
    if d is None:
        return f"{text}; in a second run it was equal: the board's memory or power is not sound"
    here = f"{d.count:,} of {wrong.bytes:,} bytes, first byte {d.first:,}: {d.on_board} on the board, {d.here} here"
    return f"{text}, {here}"


def board_facts(found: live.Comparison) -> dict[str, Any]:
    """What `show_board` prints, as plain data."""
    return {
        "machine": found.board.machine,
        "backend": found.backend,
        "weights": found.weights_mode,
        "is_equal": found.is_equal,
        "layers": [asdict(layer) for layer in found.layers],
        "difference": asdict(found.difference) if found.difference else None,
    }


@click.command("compare", help=COMMANDS["compare"])
@click.argument("files", type=PATH, nargs=-1, required=True, metavar="[SRC] MODEL.midge")
@PORT
@click.option("--test", "data", type=PATH, help="Readings: .npz, .npy, .csv or a folder.")
@click.option("--reading", default=0, show_default=True, help="Which one of them, for a board.")
@PIXELS
@click.option("--signature", help="Which one of a .tflite with several.")
@click.option("--trust", is_flag=True, help="Open files that can run code (pickles).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    files: tuple[Path, ...],
    port: str | None,
    data: Path | None,
    reading: int,
    pixels: str,
    signature: str | None,
    trust: bool,
    as_json: bool,
) -> None:
    if port is not None:
        if len(files) != 1:
            raise click.UsageError("With --port give one file, MODEL.midge", click.get_current_context())
        model = read(files[0])
        with Console(stderr=True).status("running on the board"):
            found = live.compare(files[0], found_port(port), reading_of(model, data, reading))
        if as_json:
            click.echo(json.dumps(board_facts(found), indent=2))
        else:
            show_board(found)
        if not found.is_equal:
            raise CheckFailed(verdict(found))
        if not as_json:
            click.echo(verdict(found))
        return
    if len(files) != 2:
        raise click.UsageError("Give SRC and MODEL.midge, or MODEL.midge and --port", click.get_current_context())
    if data is None:
        raise click.UsageError("Missing option '--test'", click.get_current_context())
    with Console(stderr=True).status("running both"):
        loaded, proof = compare(*files, data, pixels, signature, trust)
    if as_json:
        click.echo(json.dumps(facts(proof), indent=2))
    else:
        show(loaded, proof)
