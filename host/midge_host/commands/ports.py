"""`--port` of the commands that talk to a board."""

from __future__ import annotations

import sys

import click

from ..deploy.ports import only, ports
from ..errors import printable

ONLY = "the one with a board"
PORT = click.option(
    "--port",
    is_flag=False,
    flag_value=ONLY,
    help="The board's serial port, /dev/ttyACM0 or COM3.  [default: the one with a board]",
)


def found_port(port: str | None) -> str:
    """The port that was given, else that of the board that is plugged in. Asks on a terminal if there are several."""
    if port not in (None, ONLY):
        return port
    there = ports()
    if len(there) > 1 and sys.stdin.isatty() and sys.stderr.isatty():
        for number, found in enumerate(there, 1):
            click.echo(f"{number}  {printable(found.title)}", err=True)
        return there[click.prompt("which board", type=click.IntRange(1, len(there)), err=True) - 1].device
    found = only(there)
    click.echo(f"port      {printable(found.title)}", err=True)
    return found.device
