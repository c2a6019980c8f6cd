"""`midge deploy`: a model, the library and its native modules onto a board."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from ..deploy import deploy
from . import COMMANDS, MODEL


@click.command("deploy", help=COMMANDS["deploy"])
@MODEL
@click.option("--port", required=True, help="The board's serial port, /dev/ttyACM0 or COM3.")
@click.option("--with", "tool", default="mpremote", show_default=True, help="mpremote or ampy.")
@click.option("--library/--no-library", default=True, help="Copy the library and native module too.  [default: yes]")
def command(model: Path, port: str, tool: str, library: bool) -> None:
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(f"copying to {port}", total=None)
        report = deploy(model, port, tool, library, lambda done: bar.update(task, completed=done))
    board = report.board
    click.echo(f"board     {board.machine}, {board.implementation}, {board.architecture or 'no native modules'}")
    click.echo(f"copied    {', '.join(report.copied) or 'nothing'}; {len(report.skipped)} files were there already")
    if library and report.native_module is None:
        click.echo("native    no module for this board: the portable kernels run, slowly")
    click.echo(
        f"self-test passed: {report.backend} kernels, weights: {report.weights_mode}, "
        f"arena {report.arena_bytes:,} bytes, heap {report.heap_bytes:,} used, {report.free_bytes:,} free"
    )
