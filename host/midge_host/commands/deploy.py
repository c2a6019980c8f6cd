"""`midge deploy`: a model, the library and its native modules onto a board."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from ..deploy import deploy
from ..deploy.drive import deploy_to_drive
from ..deploy.links import Progress as Callback
from ..errors import MidgeError
from . import COMMANDS, MODEL, PATH


@click.command("deploy", help=COMMANDS["deploy"])
@MODEL
@click.option("--port", help="The board's serial port, /dev/ttyACM0 or COM3.")
@click.option("--with", "tool", default="mpremote", show_default=True, help="mpremote, ampy or drive.")
@click.option("--drive", type=PATH, help="Where the CIRCUITPY drive is mounted, for --with drive.  [default: found]")
@click.option("--library/--no-library", default=True, help="Copy the library and native module too.  [default: yes]")
def command(model: Path, port: str | None, tool: str, drive: Path | None, library: bool) -> None:
    if tool == "drive" or drive:
        _onto_drive(model, drive, library)
    elif port is None:
        raise MidgeError("--port: which serial port? Or, for CircuitPython's drive: --with drive")
    else:
        _over_port(model, port, tool, library)


@contextmanager
def _shown(target: object) -> Iterator[Callback]:
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(f"copying to {target}", total=None)
        yield lambda done: bar.update(task, completed=done)


def _over_port(model: Path, port: str, tool: str, library: bool) -> None:
    with _shown(port) as progress:
        report = deploy(model, port, tool, library, progress)
    board = report.board
    click.echo(f"board     {board.machine}, {board.implementation}, {board.architecture or 'no native modules'}")
    click.echo(f"copied    {', '.join(report.copied) or 'nothing'}; {len(report.skipped)} files were there already")
    if library and report.native_module is None:
        click.echo("native    no module for this board: the portable kernels run, slowly")
    click.echo(
        f"self-test passed: {report.backend} kernels, weights: {report.weights_mode}, "
        f"arena {report.arena_bytes:,} bytes, heap {report.heap_bytes:,} used, {report.free_bytes:,} free"
    )


def _onto_drive(model: Path, folder: Path | None, library: bool) -> None:
    with _shown(folder or "the CIRCUITPY drive") as progress:
        report = deploy_to_drive(model, folder, library, progress)
    drive = report.drive
    click.echo(f"board     {drive.board}, CircuitPython {drive.version[0]}.{drive.version[1]}")
    click.echo(f"copied    {', '.join(report.copied) or 'nothing'}; {report.skipped} files were there already")
    click.echo("self-test left to the board: eject the drive, then call model.selftest() there once")
