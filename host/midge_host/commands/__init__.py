"""The commands of `midge`, one file each, which holds the click command `command` and what it shows."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

NAMES = ("convert", "info", "run", "deploy", "bench", "demo")

PATH = click.Path(path_type=Path)
MODEL = click.argument("model", type=PATH, metavar="MODEL.midge")


def load(name: str) -> click.Command:
    return import_module(f".{name}", __name__).command


class Commands(click.Group):
    """A group that imports a command only when it is called, or shown in the list of all."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(NAMES)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return load(name) if name in NAMES else None
