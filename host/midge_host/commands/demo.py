"""`midge demo`: an example on MicroPython, on this PC."""

from __future__ import annotations

from pathlib import Path

import click

from . import COMMANDS, PATH, demos


@click.command("demo", help=COMMANDS["demo"])
@click.argument("name", default="digits", metavar="[NAME]")
@click.argument("files", nargs=-1, type=PATH, metavar="[FILE]...")
@click.option("--list", "show_list", is_flag=True, help="List the demos.")
def command(name: str, files: tuple[Path, ...], show_list: bool) -> None:
    if not show_list:
        demos.run(name, files)
        return
    widest = max(map(len, demos.DEMOS))
    for known, (_, text) in demos.DEMOS.items():
        click.echo(f"{known:{widest}}  {text}")
