"""`midge deploy`: a model, the library and its native modules onto a board."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from ..deploy import SelfTest, deploy
from ..deploy.drive import Report, deploy_to_drive
from ..deploy.flash import deploy_to_flash
from ..deploy.links import Progress as Callback
from ..deploy.web import deploy_to_web
from ..errors import MidgeError
from ..files import refuse_overwriting
from . import COMMANDS, MODEL, PATH
from .ports import PORT, found_port


@click.command("deploy", help=COMMANDS["deploy"])
@MODEL
@PORT
@click.option("--with", "tool", help="mpremote, ampy, drive or web.  [default: mpremote, or what the options are for]")
@click.option("--drive", type=PATH, help="Where the CIRCUITPY drive is mounted, for --with drive.  [default: found]")
@click.option("--host", help="The board's name or address in the network, for --with web.")
@click.option("--password", envvar="CIRCUITPY_WEB_API_PASSWORD", help="Its web workflow's password, for --with web.")
@click.option("--flash", is_flag=True, help="Between a Pico's firmware and file system, to be mapped (experimental).")
@click.option("--uf2", type=PATH, help="With --flash: write the model to this file, for the boot drive.")
@click.option("--library/--no-library", default=True, help="Copy the library and native module too.  [default: yes]")
def command(
    model: Path,
    port: str | None,
    tool: str | None,
    drive: Path | None,
    host: str | None,
    password: str | None,
    flash: bool,
    uf2: Path | None,
    library: bool,
) -> None:
    if uf2 and not flash:
        raise MidgeError("--uf2 is for --flash")
    tool = tool or ("web" if host else "drive" if drive else "mpremote")
    for option, value, tools in (
        ("--port", port, ("mpremote", "ampy", "drive")),
        ("--drive", drive, ("drive",)),
        ("--host", host, ("web",)),
    ):
        if value and tool not in tools:
            raise MidgeError(f"{option} is not for --with {tool}, but for {' and '.join(tools)}")
    if flash and tool != "mpremote":
        raise MidgeError(f"--flash is not for --with {tool}, but for mpremote")
    if uf2:
        refuse_overwriting(uf2, model)
    if tool == "web":
        if not host or password is None:
            raise MidgeError("--with web: give the board's --host and the --password of its settings.toml")
        with _shown(host) as progress:
            copied = deploy_to_web(model, host, password, library, progress)
        _show_copied(copied)
    elif tool == "drive":
        _onto_drive(model, drive, library, found_port(port) if port else None)
    elif flash:
        _into_flash(model, found_port(port), library, uf2)
    else:
        _over_port(model, found_port(port), tool, library)


@contextmanager
def _shown(target: object) -> Iterator[Callback]:
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(f"copying to {target}", total=None)
        yield lambda done: bar.update(task, completed=done)


def _into_flash(model: Path, port: str, library: bool, uf2: Path | None) -> None:
    with _shown(port) as progress:
        report = deploy_to_flash(model, port, library, uf2, progress)
    place, gap = report.pointer, report.gap
    click.echo(f"board     {report.board.machine}, {report.board.implementation}")
    click.echo(
        f"flash     {place.size:,} bytes at 0x{place.address:08x}; "
        f"the firmware leaves 0x{gap.start:08x} to 0x{gap.end:08x} free"
    )
    if report.uf2:
        click.echo(f"wrote     {report.uf2}; nothing on the board was changed")
        click.echo(
            "next      hold BOOTSEL while you plug the board in, copy this file to the drive that appears, and run the "
            "same command again"
        )
        return
    how = f"{report.sectors} sectors by the firmware's driver" if report.sectors else "nothing: the model is there"
    click.echo(f"written   {how}")
    click.echo(f"copied    {', '.join(report.copied) or 'nothing'}; {report.skipped} files were there already")
    if report.selftest:
        _show(report.selftest)


def _over_port(model: Path, port: str, tool: str, library: bool) -> None:
    with _shown(port) as progress:
        report = deploy(model, port, tool, library, progress)
    board = report.board
    click.echo(f"board     {board.machine}, {board.implementation}, {board.architecture or 'no native modules'}")
    click.echo(f"copied    {', '.join(report.copied) or 'nothing'}; {len(report.skipped)} files were there already")
    if library and report.native_module is None:
        click.echo("native    no module for this board: the portable kernels run, slowly")
    _show(report.selftest)


def _show(passed: SelfTest) -> None:
    what = "passed" if passed.has_run else "none in the file, which is bare, but it loads"
    click.echo(
        f"self-test {what}: {passed.backend} kernels, weights: {passed.weights_mode}, "
        f"arena {passed.arena_bytes:,} bytes, heap {passed.heap_bytes:,} used, {passed.free_bytes:,} free"
    )


def _onto_drive(model: Path, folder: Path | None, library: bool, port: str | None) -> None:
    with _shown(folder or "the CIRCUITPY drive") as progress:
        report = deploy_to_drive(model, folder, library, progress, port)
    _show_copied(report)


def _show_copied(report: Report) -> None:
    drive = report.drive
    click.echo(f"board     {drive.board}, CircuitPython {drive.version[0]}.{drive.version[1]}")
    click.echo(f"copied    {', '.join(report.copied) or 'nothing'}; {report.skipped} files were there already")
    if report.selftest:
        _show(report.selftest)
    else:
        click.echo("self-test left to the board: call model.selftest() there once (eject a drive before)")
