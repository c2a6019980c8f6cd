"""`midge learn`: teaches a model on the PC what a board can load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

import midge

from ..backends.local import RowBuffers
from ..device.model_file import read
from ..errors import MidgeError, printable
from ..files import refuse_overwriting
from ..files.readings import read_readings
from ..files.wav import read_wav_of
from ..frontends.features import listed_sounds
from . import COMMANDS, MODEL, PATH, range_of_pixels


def teach(
    path: Path, data: Path, output: Path, pixels: str | None, former: Path | None, epochs: int | None
) -> Counter[str]:
    """Adds the readings in `data` to what a model knows, or to what it learnt before, in `former`; trains it, and
    writes `output`. Returns how many examples there were of each class. Raises MidgeError."""
    refuse_overwriting(output, path, data)
    description = read(path)
    taught: Counter[str] = Counter()
    try:
        model = midge.load(str(path))
        learner = model.learner(None if former is None else str(former))
        if description.sound:
            examples = _sounds(data, description.sound.rate)
        else:
            examples = _readings(data, [tensor.shape for tensor in description.inputs], pixels)
        for label, reading in examples:
            if description.sound:
                model.reset()
            if not learner.add(reading, label):
                raise MidgeError(f"{data}: a recording of {label!r} is shorter than what the model hears at a time")
            taught[label] += 1
        learner.train(epochs)
        learner.save(str(output))
    except (ValueError, OSError) as error:
        raise MidgeError(str(error)) from None
    return taught


def _readings(data: Path, shapes: list[tuple[int, ...]], pixels: str | None) -> Iterator[tuple[str, Any]]:
    """A label and a reading, of each."""
    readings = read_readings(data, shapes)
    if pixels is not None:
        readings = readings.as_real(range_of_pixels(pixels))
    rows = [RowBuffers(x) for x in readings.inputs]
    for i, label in enumerate(_labels(data, readings.labels, readings.classes)):
        parts = [row[i] for row in rows]
        yield label, parts if len(parts) > 1 else parts[0]


def _sounds(data: Path, rate: int) -> Iterator[tuple[str, Any]]:
    """The same of a folder of recordings."""
    files, labels, classes = listed_sounds(data)
    for file, label in zip(files, _labels(data, labels, classes), strict=True):
        yield label, read_wav_of(file, rate)


def _labels(data: Path, labels: np.ndarray | None, classes: list[str]) -> list[str]:
    if labels is None or labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise MidgeError(f"{data}: no labels; a model learns from examples of classes, such as a folder for each")
    return [classes[number] if classes else str(number) for number in labels]


@click.command("learn", help=COMMANDS["learn"])
@MODEL
@click.argument("data", type=PATH, metavar="DATA")
@click.option("-o", "--output", type=PATH, required=True, help="The file to write, for model.learner(FILE).")
@click.option("--from", "former", type=PATH, help="What was learnt before, to which this is added.")
@click.option("--epochs", type=click.IntRange(0, 1000), help="How often a head is trained with all examples.")
@click.option("--pixels", metavar="LOW..HIGH", help="What pixels 0 and 255 were in training.")
def command(model: Path, data: Path, output: Path, former: Path | None, epochs: int | None, pixels: str | None) -> None:
    for label, count in teach(model, data, output, pixels, former, epochs).items():
        click.echo(printable(f"{label}: {count} examples"))
    click.echo(f"{output}: {output.stat().st_size:,} bytes; on the board: learner = model.learner({output.name!r})")
