"""`midge compare`: a model beside what it was made from, layer by layer."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .. import frontends
from ..device.model_file import ModelFile, read
from ..errors import MidgeError, printable
from ..files.readings import read_readings
from ..quantize import is_float, simplified
from ..quantize.layers import remembered
from ..quantize.proof import LEAST_DECIBELS, LayerProof, Proof, Source, percent, prove
from . import COMMANDS, PATH, PIXELS, range_of_pixels

FELL = 10.0  # decibels that a layer loses of what the layer before had: there it goes wrong


def compare(
    source: Path, path: Path, data: Path, pixels: str, signature: str | None, trust: bool
) -> tuple[ModelFile, Proof]:
    """Runs both over the readings. Raises MidgeError where they are not two forms of one model."""
    model = read(path)
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
    out = Console(width=None if Console().is_terminal else 110)
    if proof.layers:
        table = Table(box=None, header_style="bold")
        for column in ("layer", "operator", "error", "largest", "signal to noise", "saturated"):
            table.add_column(column, justify="left" if column in ("layer", "operator") else "right", no_wrap=True)
        for layer in proof.layers:
            table.add_row(
                printable(escape(layer.name)),
                layer.operator,
                f"{layer.error:.3g}",
                f"{layer.largest:.3g}",
                f"{layer.decibels:.1f} dB" if isfinite(layer.decibels) else "exact",
                percent(layer.saturated) if layer.saturated else "",
            )
        out.print(table)
    else:
        click.echo("the file tells nothing of its layers: it was quantised elsewhere; only outputs are compared")
    for line in [*proof.lines(), *(f"warning: {w}" for w in proof.warnings)]:
        click.echo(printable(line))
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


@click.command("compare", help=COMMANDS["compare"])
@click.argument("source", type=PATH, metavar="SRC")
@click.argument("model", type=PATH, metavar="MODEL.midge")
@click.option("--test", "data", type=PATH, required=True, help="Readings: .npz, .npy, .csv or a folder.")
@PIXELS
@click.option("--signature", help="Which one of a .tflite with several.")
@click.option("--trust", is_flag=True, help="Open files that can run code (pickles).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    source: Path, model: Path, data: Path, pixels: str, signature: str | None, trust: bool, as_json: bool
) -> None:
    with Console(stderr=True).status("running both"):
        loaded, proof = compare(source, model, data, pixels, signature, trust)
    if as_json:
        click.echo(json.dumps(facts(proof), indent=2))
    else:
        show(loaded, proof)
