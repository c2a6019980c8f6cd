"""`midge test`: how right a model is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .. import backends
from ..device.model_file import ModelFile, read
from ..errors import MidgeError, printable
from ..files.readings import Readings, read_readings
from ..quantize import inputs, scores
from ..quantize.proof import percent, real_output
from . import COMMANDS, MODEL, PATH, RESET, range_of_pixels

WIDEST = 20  # classes of which a table is shown


def examine(path: Path, data: Path, backend: str, pixels: str | None, reset: str) -> dict[str, Any]:
    """Everything `midge test` shows, as plain data for --json."""
    model = read(path)
    readings = read_readings(data, [t.shape for t in model.inputs])
    if pixels is not None:
        readings = readings.as_real(range_of_pixels(pixels))
    result = backends.run(backend, path, readings.inputs, reset=reset == "each")
    outputs = real_output(model.outputs[0], result.outputs[0].reshape(len(readings), -1))
    found = {
        "file": str(path),
        "data": str(data),
        "readings": len(readings),
        "backend": backend,
        "notes": readings.notes,
        "saturated": inputs.saturated(model.inputs, readings.inputs),
        "warnings": inputs.warnings(model.inputs, None, readings),
    }
    return found | _judged(model, readings, outputs)


def _judged(model: ModelFile, readings: Readings, outputs: np.ndarray) -> dict[str, Any]:
    count = scores.class_count(outputs, model.labels, readings.labels)
    labels = readings.labels
    if labels is not None and labels.dtype.kind in "iu" and labels.ndim == 1 and _sorts(outputs, labels):
        numbers = readings.numbered(model.labels, count)
        assert numbers is not None
        table = scores.confusion(outputs, numbers, count)
        totals = table.sum(1)
        names = model.labels or (readings.classes if len(readings.classes) == count else [])
        return {
            "accuracy": float(scores.right(outputs, numbers).mean()),
            "classes": list(names) if len(names) == count else [str(i) for i in range(count)],
            "confusion": table.tolist(),
            "recall": [float(table[i, i] / n) if n else None for i, n in enumerate(totals)],
        }
    wanted = labels
    if labels is None and readings.inputs[0][0].size == outputs.shape[1] and readings.inputs[0].dtype == np.float32:
        wanted = readings.inputs[0]
    if wanted is None:
        raise MidgeError(f"{readings.where}: holds no labels to test with; add `labels`, a column, or a folder a class")
    if wanted.size != outputs.size:
        raise MidgeError(
            f"{readings.where}: labels of shape {wanted.shape}, but the model gives {outputs.shape[1]} values a reading"
        )
    return {
        "mean_squared_error": scores.mean_squared_error(outputs, wanted),
        "against": "labels" if labels is not None else "its own inputs",
    }


def _sorts(outputs: np.ndarray, labels: np.ndarray) -> bool:
    """Whether whole numbers as labels are classes: of a single real output only 0 and 1 are."""
    return outputs.shape[1] > 1 or outputs.dtype.kind == "i" or set(np.unique(labels)) <= {0, 1}


def show(found: dict[str, Any]) -> None:
    """Prints what `examine` found."""
    out = Console(width=None if Console().is_terminal else 110)
    for note in found["notes"]:
        click.echo(printable(note))
    if "mean_squared_error" in found:
        error, against = found["mean_squared_error"], found["against"]
        click.echo(f"mean squared error {error:.6g} against {against}, {found['readings']:,} readings")
    else:
        _show_classes(out, found)
    if found["saturated"]:
        click.echo(f"{percent(found['saturated'])} of the input values lie beyond the input's range")
    for warning in found["warnings"]:
        click.echo(printable(f"warning: {warning}"))


def _show_classes(out: Console, found: dict[str, Any]) -> None:
    table, names = np.array(found["confusion"]), found["classes"]
    hits = int(np.trace(table))
    click.echo(f"{percent(found['accuracy'])} right: {hits:,} of {found['readings']:,} readings")
    whole = len(names) <= WIDEST
    shown = Table(box=None, header_style="bold")
    shown.add_column("class")
    for title in ("readings", "recall", *(names if whole else ("taken for",))):
        shown.add_column(printable(escape(title)), justify="right")
    for i, (name, row, recall) in enumerate(zip(names, table, found["recall"], strict=True)):
        if not row.sum() and not whole:
            continue
        if whole:
            cells = [str(n) if n else "." for n in row]
        else:
            others = sorted(((n, j) for j, n in enumerate(row) if n and j != i), reverse=True)[:3]
            cells = [", ".join(f"{names[j]} {n}" for n, j in others)]
        share = "" if recall is None else percent(recall)
        shown.add_row(printable(escape(name)), f"{row.sum():,}", share, *(printable(escape(c)) for c in cells))
    out.print(shown)
    if whole:
        click.echo("a row for what a reading is, a column for what it was taken for")


@click.command("test", help=COMMANDS["test"])
@MODEL
@click.argument("data", type=PATH, metavar="DATA")
@click.option("--backend", default="cpython", show_default=True, help="Where to run: see midge run --list-backends.")
@click.option(
    "--pixels",
    metavar="LOW..HIGH",
    help="Give uint8 pixels as real values of this range; if not given, as bytes, as a camera does.",
)
@RESET
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(model: Path, data: Path, backend: str, pixels: str | None, reset: str, as_json: bool) -> None:
    with Console(stderr=True).status(f"running on {backend}"):
        found = examine(model, data, backend, pixels, reset)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        show(found)
