"""A board at work: its layers beside the PC's, its time, its self-tests, its sensor's readings, what it prints.

Programs for the board are the files board_*.py here. They go over its REPL, which stops what runs there, and leave
nothing behind.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ...errors import MidgeError
from .. import Board, connection, describe, differing
from ..board_side import script
from ..flash import points_to
from ..links import BoardError, Mpremote, open_mpremote

SECONDS = 600  # for what a board computes between two lines


@contextmanager
def board_on(port: str) -> Iterator[tuple[Mpremote, Board]]:
    """The board on a serial port. What it raises becomes MidgeError, as a lost connection does."""
    link = open_mpremote(port)
    with connection(link, port, "nothing on the board was changed", "nothing on it was changed"):
        yield link, describe(link)


@contextmanager
def board_with(model: Path, port: str) -> Iterator[tuple[Mpremote, Board]]:
    """The board on a serial port, with this model on it: MidgeError where `midge deploy` has to be run first."""
    with board_on(port) as (link, board):
        data = model.read_bytes()
        if differing(link, {model.name: data}) and not points_to(link, model.name, data):
            raise MidgeError(f"{model.name} is not on the board as it is here; run: midge deploy {model}")
        try:
            link.run("import midge")
        except BoardError as error:
            raise MidgeError(f"midge does not load on the board ({error}); run: midge deploy {model}") from None
        yield link, board


@dataclass(frozen=True)
class Facts:
    """What a board's firmware says of itself; clock_hz and free_bytes, of the heap: None where it does not."""

    version: str
    build: str
    clock_hz: int | None
    free_bytes: int | None


def facts(link: Mpremote) -> Facts:
    """Asks the board."""
    return Facts(*literal_eval(link.run(program("facts"))))


def program(name: str, **values: Any) -> str:
    """One of the programs for the board, with the names in it set first."""
    return script((files(__package__) / f"board_{name}.py").read_text(encoding="utf-8"), **values)
