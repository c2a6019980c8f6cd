"""`midge test`: how right a model is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console

from .. import backends
from ..device.model_file import ModelFile, read
from ..errors import MidgeError
from ..files.readings import Readings, read_readings
from ..quantize import inputs, scores
from ..quantize.proof import percent
from . import COMMANDS, MODEL, PATH, RESET, range_of_pixels
from .hearing import hear
from .tables import print_lines, print_table

WIDEST = 20  # classes of which a table is shown


@dataclass(frozen=True)
class Trial:
    """What a model gave for readings. outputs: (N, size) real values, or numbers of classes. labels: names of these
    values, where they are known."""

    model: ModelFile
    readings: Readings
    outputs: np.ndarray
    labels: list[str]

    @property
    def count(self) -> int:
        """Into how many classes the model sorts, if it does."""
        return scores.class_count(self.outputs, self.labels, self.readings.labels)

    def classes(self) -> np.ndarray | None:
        """(N,) the class of each reading by its label; None where labels are missing or no classes."""
        labels = self.readings.labels
        if labels is None or labels.dtype.kind not in "iu" or labels.ndim != 1 or not _sorts(self.outputs, labels):
            return None
        return self.readings.numbered(self.labels, self.count)

    def names(self) -> list[str]:
        """Of the classes."""
        names = self.labels or (self.readings.classes if len(self.readings.classes) == self.count else [])
        return list(names) if len(names) == self.count else [str(i) for i in range(self.count)]


def attempt(path: Path, data: Path, backend: str, pixels: str | None, reset: str) -> Trial:
    """Runs the model over the readings; of one that hears over recordings, each from a fresh start."""
    model = read(path)
    if model.sound:
        return Trial(model, *hear(model, path, data, backend))
    readings = read_readings(data, [t.shape for t in model.inputs])
    if pixels is not None:
        readings = readings.as_real(range_of_pixels(pixels))
    result = backends.run(backend, path, readings.inputs, reset=reset == "each")
    outputs = model.outputs[0].real(result.outputs[0].reshape(len(readings), -1))
    return Trial(model, readings, outputs, model.labels)


def examine(path: Path, data: Path, backend: str, pixels: str | None, reset: str) -> dict[str, Any]:
    """Everything `midge test` shows, as plain data for --json."""
    trial = attempt(path, data, backend, pixels, reset)
    tensors, readings = trial.model.inputs, trial.readings
    found = {
        "file": str(path),
        "data": str(data),
        "readings": len(readings),
        "backend": backend,
        "notes": readings.notes,
        "saturated": 0.0 if trial.model.sound else inputs.saturated(tensors, readings.inputs),
        "warnings": [] if trial.model.sound else inputs.warnings(tensors, None, readings),
    }
    return found | judge(trial)


def judge(trial: Trial) -> dict[str, Any]:
    """How right the outputs are. Raises MidgeError where the readings do not tell."""
    readings, outputs, labels = trial.readings, trial.outputs, trial.readings.labels
    numbers = trial.classes()
    if numbers is not None:
        table = scores.confusion(outputs, numbers, trial.count)
        totals = table.sum(1)
        return {
            "accuracy": float(scores.right(outputs, numbers).mean()),
            "classes": trial.names(),
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
    print_lines(found["notes"])
    if "mean_squared_error" in found:
        error, against = found["mean_squared_error"], found["against"]
        print_lines([f"mean squared error {error:.6g} against {against}, {found['readings']:,} readings"])
    else:
        _show_classes(found)
    if found["saturated"]:
        print_lines([f"{percent(found['saturated'])} of the input values lie beyond the input's range"])
    print_lines(f"warning: {warning}" for warning in found["warnings"])


def _show_classes(found: dict[str, Any]) -> None:
    table, names = np.array(found["confusion"]), found["classes"]
    hits = int(np.trace(table))
    print_lines([f"{percent(found['accuracy'])} right: {hits:,} of {found['readings']:,} readings"])
    whole = len(names) <= WIDEST
    rows = []
    for i, (name, row, recall) in enumerate(zip(names, table, found["recall"], strict=True)):
        if not row.sum() and not whole:
            continue
        if whole:
            cells = [str(n) if n else "." for n in row]
        else:
            others = sorted(((n, j) for j, n in enumerate(row) if n and j != i), reverse=True)[:3]
            cells = [", ".join(f"{names[j]} {n}" for n, j in others)]
        rows.append([name, f"{row.sum():,}", "" if recall is None else percent(recall), *cells])
    header = ["class", "readings", "recall", *(names if whole else ["taken for"])]
    print_table(header, rows, words=("class",) if whole else ("class", "taken for"))
    if whole:
        print_lines(["a row for what a reading is, a column for what it was taken for"])


@click.command("test", help=COMMANDS["test"])
@MODEL
@click.argument("data", type=PATH, metavar="DATA")
@click.option(
    "--backend",
    default=backends.quickest,
    show_default="cpython, or numpy without its core",
    help="Where to run: see midge run --list-backends.",
)
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
