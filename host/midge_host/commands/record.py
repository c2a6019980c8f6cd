"""`midge record`: readings of a board's sensor into labelled files."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import click
import numpy as np

from ..deploy.live import board_on
from ..deploy.live.record import SENSORS, Take, problem, save, sensor, start, take
from ..errors import CheckFailed, MidgeError, printable
from . import COMMANDS, PATH
from .ports import PORT, found_port

TRIES = 3  # of a recording that is not sound


def _count_down(label: str, number: int, count: int, seconds: int) -> None:
    for left in range(seconds, 0, -1):
        click.echo(f"\r{label} {number} of {count}: {left} ", nl=False, err=True)
        time.sleep(1)
    click.echo(f"\r{label} {number} of {count}: now", err=True)


def _describe(found: Take) -> str:
    low, high, mean = (float(f(found.values)) for f in (np.min, np.max, np.mean))
    channels = 1 if found.values.ndim == 1 else found.values.shape[1]
    shape = f"{len(found.values):,} samples" + (f" of {channels} values" if channels > 1 else "")
    return f"{shape}, {found.seconds:.2f} s, {low:.4g} to {high:.4g}, mean {mean:.4g}"


@click.command("record", help=COMMANDS["record"])
@PORT
@click.option("--label", required=True, help="What is recorded: the name of its class, and of its folder.")
@click.option("-o", "--output", type=PATH, required=True, help="Folder of all classes.")
@click.option("--sensor", "name", required=True, help=f"{', '.join(SENSORS)}, or a .py file with read() and RATE.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A pin or RATE of the sensor's program.")
@click.option("--seconds", type=click.FloatRange(0.01, 600), default=2.0, show_default=True, help="Of a recording.")
@click.option("--count", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many recordings.")
@click.option("--countdown", type=click.IntRange(0, 60), default=3, show_default=True, help="Seconds before each.")
@click.option("--keep", is_flag=True, help="Keep recordings that are clipped, constant or too slow.")
def command(
    port: str | None,
    label: str,
    output: Path,
    name: str,
    settings: tuple[str, ...],
    seconds: float,
    count: int,
    countdown: int,
    keep: bool,
) -> None:
    if not re.fullmatch(r"[\w][\w .-]*", label):
        raise MidgeError(f"--label {printable(label)}: give letters, digits, spaces and - . _ only; it names a folder")
    chosen = sensor(name, settings)
    with board_on(found_port(port)) as (link, board):
        click.echo(f"board     {printable(board.machine)}", err=True)
        start(link, chosen)
        bad = 0
        number = 1
        while number <= count:
            _count_down(label, number, count, countdown if sys.stderr.isatty() else 0)
            found = take(link, chosen, seconds)
            wrong = problem(found, chosen.limits)
            if wrong and not keep:
                bad += 1
                if bad == TRIES:
                    raise CheckFailed(f"{number - 1} of {count} recordings are kept; {wrong}; --keep keeps such")
                click.echo(f"not kept: {wrong}; once more", err=True)
                continue
            path = save(found, output, label)
            click.echo(f"{path}: {_describe(found)}" + (f"; warning: {wrong}" if wrong else ""))
            bad = 0
            number += 1
