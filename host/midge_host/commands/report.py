"""`midge report`: a model on one page."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from .. import backends
from ..device.model_file import read
from ..files import refuse_overwriting, write_whole
from ..files.outputs import beside
from ..quantize.proof import LAYER_READINGS, pick
from ..report import samples, values
from ..report.page import Table, Tested, page
from ..targets.catalogue.boards import BOARDS
from . import COMMANDS, MODEL, PATH, compare
from .info import BOARDS_LEFT, BRIEF, boards_notes, boards_table, facts, tensors_bytes
from .test import Trial, attempt, judge


def report(
    path: Path, source: Path | None, data: Path | None, pixels: str | None, signature: str | None, trust: bool
) -> bytes:
    """The page of a model. source, data: what it was made from, and readings to show it on."""
    model, found = read(path).whole, facts(path)
    tested = _tested(path, source, data, pixels, signature, trust) if data else None
    header, rows = boards_table(found["boards"])
    catalogue = Table(header, rows, BOARDS_LEFT, boards_notes(found["boards"]))
    by_key = {board.key: board for board in BOARDS}
    return page(model, found, tensors_bytes(model), [by_key[key] for key in BRIEF], catalogue, tested)


def _tested(
    path: Path, source: Path | None, data: Path, pixels: str | None, signature: str | None, trust: bool
) -> Tested:
    trial = attempt(path, data, backends.quickest(), pixels, "never")
    compared, wrong, said = None, None, []
    if source:
        _, proof = compare.compare(source, path, data, pixels or "0..1", signature, trust)
        compared, first = proof.layers, compare.first_wrong(proof.layers)
        wrong = next((i for i, layer in enumerate(compared) if layer is first), None)
        said = [*proof.lines(), *(f"warning: {w}" for w in proof.warnings)]
    shown = pick(trial.readings, trial.model, LAYER_READINGS)
    return Tested(
        trial.readings.where,
        len(trial.readings),
        len(shown),
        trial.readings.notes,
        judge(trial) if trial.readings.labels is not None else None,
        _misread(trial),
        *values.activations(trial.model, shown.inputs),
        compared,
        wrong,
        said,
    )


def _misread(trial: Trial) -> list[samples.Sample]:
    classes = trial.classes()
    if classes is None:
        return []
    return samples.misread(trial.readings.inputs[0], trial.outputs, classes, trial.names())


@click.command("report", help=COMMANDS["report"])
@MODEL
@click.option("-o", "--output", type=PATH, help="The page to write, HTML; beside the model, if not given.")
@click.option("--source", type=PATH, help="The model of floats that it was made from: errors, layer by layer.")
@click.option("--test", "data", type=PATH, help="Readings: .npz, .npy, .csv or a folder; with labels, confusions.")
@click.option(
    "--pixels",
    metavar="LOW..HIGH",
    help="Give uint8 pixels as real values of this range; if not given, as bytes, as a camera does, and to the source "
    "as 0..1.",
)
@click.option("--signature", help="Which one of a .tflite with several.")
@click.option("--trust", is_flag=True, help="Open files that can run code (pickles).")
def command(
    model: Path,
    output: Path | None,
    source: Path | None,
    data: Path | None,
    pixels: str | None,
    signature: str | None,
    trust: bool,
) -> None:
    if source and not data:
        raise click.UsageError("--source needs readings to run both on: add --test DATA", click.get_current_context())
    output = output or beside(model, ".html")
    refuse_overwriting(output, model, source, data)
    with Console(stderr=True).status("running the model" if data else "drawing"):
        made = report(model, source, data, pixels, signature, trust)
    write_whole(output, made)
    click.echo(f"{output}: {len(made):,} bytes; open it in a browser")
