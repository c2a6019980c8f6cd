"""`midge new`: a project that works at once."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from ..errors import MidgeError, printable
from . import COMMANDS, projects


@click.command("new", help=COMMANDS["new"])
@click.argument("kind", required=False)
@click.argument("name", required=False)
@click.option("--list", "show_list", is_flag=True, help="List the kinds.")
def command(kind: str | None, name: str | None, show_list: bool) -> None:
    if show_list:
        widest = max(map(len, projects.KINDS))
        for known, found in projects.KINDS.items():
            click.echo(f"{known:{widest}}  {found.text}")
        return
    if not kind or not name:
        raise MidgeError(f"midge new KIND NAME: kinds are {', '.join(projects.KINDS)}")
    folder = Path(name)
    projects.write(kind, folder)
    click.echo(printable(f"{folder}: {projects.KINDS[kind].text}; {folder / 'README.md'} says what is next"))
    if lacking := projects.missing(kind):
        click.echo(f"first, for training and tests: pip install {' '.join(lacking)}")
    if not _on_path():
        click.echo(f"first, so that `python` and `midge` are found: activate {sys.prefix}")
    click.echo(printable(f"cd {folder} && make" if shutil.which("make") else f"cd {folder}, and the README's commands"))


def _on_path() -> bool:
    """Whether `python` on the PATH is the one that has midge."""
    found = shutil.which("python")
    return found is not None and Path(found).parent == Path(sys.executable).parent
