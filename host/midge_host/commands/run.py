"""`midge run`: a model over the readings in a file, or over pictures, on any backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console

import midge

from .. import backends
from ..device.model_file import ModelFile, read
from ..errors import MidgeError, printable
from ..files import load_arrays, pictures, refuse_overwriting, save_arrays
from . import COMMANDS, MODEL, PATH, RESET

SHOWN = 3  # of the classes of a picture


def _list_backends(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        for name, (_, text) in backends.BACKENDS.items():
            why = backends.problem(name)
            click.echo(f"{name:22}{text}{f' - not here: {why}' if why else ''}")
        context.exit()


@click.command("run", help=COMMANDS["run"])
@MODEL
@click.argument("photos", type=PATH, nargs=-1, metavar="[PICTURE]...")
@click.option("--inputs", type=PATH, help=".npz: `inputs` (N, *shape), further inputs `inputs_1`...")
@click.option("--outputs", type=PATH, help=".npz to write: `outputs`, further outputs `outputs_1`...")
@click.option(
    "--crop",
    type=click.Choice(["centre", "fit"]),
    default="centre",
    show_default=True,
    help="Of pictures: the middle, or all with black bars.",
)
@click.option(
    "--backend",
    default=backends.quickest,
    show_default="cpython, or numpy without its core",
    help="Where to run: see --list-backends.",
)
@click.option("--weights", default="auto", show_default=True, help="auto, ram, map or stream.")
@RESET
@click.option(
    "--list-backends", is_flag=True, callback=_list_backends, expose_value=False, is_eager=True, help="Show backends."
)
def command(
    model: Path,
    photos: tuple[Path, ...],
    inputs: Path | None,
    outputs: Path | None,
    crop: str,
    backend: str,
    weights: str,
    reset: str,
) -> None:
    if photos and inputs is not None:
        raise click.UsageError("Give pictures or --inputs, not both", click.get_current_context())
    if inputs is None and not photos:
        raise click.UsageError("Give pictures, or --inputs and --outputs", click.get_current_context())
    if outputs is None and not photos:
        raise click.UsageError("Missing option '--outputs'", click.get_current_context())
    if outputs is not None:
        refuse_overwriting(outputs, model, inputs, *photos)
    description = read(model)
    if description.detection and photos and outputs is None:
        _find(model, description, photos, crop)
        return
    values = load_arrays(inputs, "inputs") if inputs is not None else of_pictures(description, photos, crop)
    with Console(stderr=True).status(f"running on {backend}"):
        result = backends.run(backend, model, values, weights, reset == "each")
    for path, row in zip(photos, result.outputs[0], strict=False):
        click.echo(f"{path}: {_scores(description, row)}")
    if outputs is not None:
        save_arrays(outputs, "outputs", result.outputs)
        time = f", {result.microseconds / 1000:.3f} ms each" if result.microseconds else ""
        click.echo(f"{outputs}: {len(values[0])} predictions on {backend}{time}")


def _find(path: Path, model: ModelFile, photos: Sequence[Path], crop: str) -> None:
    """Prints what a model finds in pictures, in their own pixels."""
    found = midge.load(str(path))
    for photo in photos:
        things = found.detect(pictures.image(photo, model.inputs[0], crop))
        lines = [f"{label} {score:.3g} at {x},{y}, {w} x {h}" for label, score, x, y, w, h in things]
        click.echo(printable(f"{photo}: {'; '.join(lines) or 'nothing'}"))


def of_pictures(model: ModelFile, photos: Sequence[Path], crop: str) -> list[np.ndarray]:
    """The readings of a model with one input, as midge.Image makes them."""
    if len(model.inputs) != 1:
        raise MidgeError(f"{photos[0]}: a picture, but the model has {len(model.inputs)} inputs; give them in an .npz")
    return [np.concatenate([pictures.reading(path, model.inputs[0], crop) for path in photos])]


def _scores(model: ModelFile, row: np.ndarray) -> str:
    """The largest values of the first output, as a script gets them."""
    values = model.outputs[0].real(row.reshape(-1)).astype(np.float32)
    names = model.classes
    return ", ".join(f"{names[i]} {values[i]:.3g}" for i in np.argsort(-values, kind="stable")[:SHOWN])
