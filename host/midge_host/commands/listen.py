"""`midge listen`: what a model hears in a recording."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.markup import escape

import midge

from ..device.model_file import read
from ..errors import MidgeError, printable
from ..files.wav import read_wav_of
from . import COMMANDS, PATH

BAR = 40  # characters of a score of 1


def hear(
    path: Path, samples: np.ndarray, cutoff: float | None = None, window: int | None = None, hold: int = 10
) -> Iterator[dict[str, Any]]:
    """Of each prediction its seconds, those up to the last sample it has heard, its scores, and `event`, the label of a
    class that begins, or None. cutoff, window, hold: as midge.Detector takes them."""
    try:
        model: Any = midge.load(str(path))
        if not hasattr(model, "hop"):
            raise MidgeError(f"{path}: takes no sound; convert it with --audio")
        detector = midge.Detector(model, cutoff, window, hold)
    except (ValueError, MemoryError, OSError, ImportError) as error:
        raise MidgeError(str(error)) from None
    outs = [np.empty(t.size, np.float32) for t in model.outputs]
    found: list[dict[str, Any]] = []
    size = model.inputs[0].size

    def each() -> None:
        frames = model.first - 1 + len(found) * model.every
        scores = outs[0].tolist()
        event = detector.update(scores)
        seconds = (size + frames * model.hop) / model.rate
        found.append({"seconds": round(seconds, 3), "scores": scores, "event": event and event[0]})

    model.predict_each(samples.data, [x.data for x in outs] if len(outs) > 1 else outs[0].data, each)
    return iter(found)


@click.command("listen", help=COMMANDS["listen"])
@click.argument("source", type=PATH, metavar="WAV")
@click.argument("model", type=PATH, metavar="MODEL.midge")
@click.option("--cutoff", type=float, help="An event is a mean score above it; what the model says, if not given.")
@click.option(
    "--window", type=click.IntRange(1, 65535), help="Of so many predictions; what the model says, if not given."
)
@click.option(
    "--hold",
    type=click.IntRange(1, 65535),
    default=10,
    show_default=True,
    help="Predictions of quiet before the same event.",
)
@click.option(
    "--silence", type=float, default=1.0, show_default=True, help="Seconds of it that come before and behind."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    source: Path,
    model: Path,
    cutoff: float | None,
    window: int | None,
    hold: int,
    silence: float,
    as_json: bool,
) -> None:
    description = read(model)
    rate = description.sound.rate if description.sound else 16_000
    if not 0 <= silence <= 60:
        raise MidgeError(f"--silence {silence:g}: give seconds from 0 to 60")
    around = np.zeros(round(silence * rate), np.int16)
    samples = np.concatenate([around, read_wav_of(source, rate), around])
    found = [
        {**row, "seconds": round(row["seconds"] - silence, 3)} for row in hear(model, samples, cutoff, window, hold)
    ]
    if as_json:
        click.echo(json.dumps({"labels": description.classes, "predictions": found}))
        return
    _show(found, description.classes)


def _show(found: list[dict[str, Any]], labels: list[str]) -> None:
    """A line for each prediction: its time, the class of the largest score, that score as a bar; events beside it."""
    console = Console()
    widest = max(map(len, labels))
    for row in found:
        best = int(np.argmax(row["scores"]))
        score = row["scores"][best]
        name = printable(labels[best])
        event = f"  event: {printable(str(row['event']))}" if row["event"] is not None else ""
        if console.is_terminal:
            bar = "█" * round(BAR * min(max(score, 0), 1))
            marked = f"[bold green]{escape(event)}[/]" if event else ""
            console.print(
                f"{row['seconds']:8.2f} s  {escape(name):{widest}} {score:5.2f} [cyan]{bar:{BAR}}[/]{marked}",
                highlight=False,
            )
        else:
            click.echo(f"{row['seconds']:8.2f} s  {name:{widest}} {score:5.2f}{event}")
    events = [f"{printable(str(row['event']))} at {row['seconds']:.2f} s" for row in found if row["event"] is not None]
    click.echo(f"{len(found)} predictions; {', '.join(events) if events else 'no event'}")
