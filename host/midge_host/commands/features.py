"""`midge features`: what a board makes of recordings, for training."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from rich.console import Console

from ..errors import MidgeError, printable
from ..files import refuse_overwriting
from ..files.features import write_features
from ..files.outputs import beside
from ..frontends.sound import parse
from . import COMMANDS, PATH


@click.command("features", help=COMMANDS["features"])
@click.argument("source", type=PATH, metavar="WAV|FOLDER")
@click.option(
    "-o",
    "--output",
    type=PATH,
    help=".npz to write; beside the source, if not given.",
)
@click.option(
    "--audio", required=True, metavar="FRONT:STEP", help="The front end: micro:10ms, micro:20ms, mfcc or logmel."
)
@click.option("--frames", type=int, help="How many from the middle of each recording; all, if not given.")
def command(source: Path, output: Path | None, audio: str, frames: int | None) -> None:
    from ..frontends.features import read_features

    how = parse(audio)
    if frames is not None and frames < 1:
        raise MidgeError(f"--frames {frames}: give a number above 0")
    if not source.exists():
        raise MidgeError(f"{source}: no such file or folder; give a .wav file, or a folder with one for each class")
    output = output or beside(source, ".npz")
    refuse_overwriting(output, source)
    with Console(stderr=True).status(f"listening to {source.name}"):
        readings = read_features(source, how, frames)
    write_features(output, readings, str(how))
    for note in readings.notes:
        click.echo(printable(note))
    counts = [f"{name} {np.count_nonzero(readings.labels == i)}" for i, name in enumerate(readings.classes)]
    shape = " x ".join(map(str, readings.inputs[0].shape))
    click.echo(printable(f"{output}: {shape} real values{''.join(f', {count}' for count in counts)}"))
