"""The commands of `midge`, one file each, which holds the click command `command` and what it shows."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from ..errors import MidgeError

COMMANDS = {
    "new": "Make a project that works at once: gesture, keyword, camera or sensor.",
    "convert": "Convert a trained model into a .midge file, and see whether it still works.",
    "info": "Show layers, shapes, MACs, bytes, working memory, and which boards a model fits.",
    "run": "Run a model on pictures, or on the inputs in a file.",
    "show": "Show what every layer makes of a reading, as pictures; trace how one value comes about.",
    "test": "Test a model on readings with labels: accuracy, what is taken for what.",
    "features": "Compute the features of sound that a board computes, to train a model with.",
    "listen": "Run a model that hears over a recording: scores over time, and events.",
    "learn": "Teach a model new classes by examples; a board loads what it learnt.",
    "compare": "Compare a model with the float model it was made from, or a board with this PC, layer by layer.",
    "report": "Write a page that shows a model: graph, memory, layers, values, errors, boards.",
    "boards": "List the boards that are plugged in: ports, drives, and what they are.",
    "deploy": "Copy a model, the library and the right native module onto a board, verify, run the self-test there.",
    "record": "Record readings of a board's sensor into labelled files.",
    "monitor": "Show what the program on a board prints: scores, a plot, events, here or in the browser.",
    "verify": "Run the self-tests of all operators on the board that is plugged in, and report.",
    "profile": "Measure what each layer takes on the board that is plugged in.",
    "bench": "Count what each layer takes, and the heap, on an emulated board.",
    "web": "Write a page that runs a model in the browser; without a model, the examples.",
    "demo": "Run an example on MicroPython, on this PC: the digit classifier, if no other is named.",
}

PATH = click.Path(path_type=Path)
MODEL = click.argument("model", type=PATH, metavar="MODEL.midge")
PIXELS = click.option(
    "--pixels",
    default="0..1",
    show_default=True,
    metavar="LOW..HIGH",
    help="What pixels 0 and 255 were in training: 0..1, -1..1, 0..255.",
)
RESET = click.option(
    "--reset",
    type=click.Choice(["each", "never"]),
    default="never",
    show_default=True,
    help="When a model that remembers forgets: before each reading, or never.",
)


def range_of_pixels(text: str) -> tuple[float, float]:
    """The two numbers of --pixels."""
    low, dots, high = text.partition("..")
    try:
        pair = (float(low), float(high))
    except ValueError:
        pair = (0.0, 0.0)
    if not dots or not -1e6 < pair[0] < pair[1] < 1e6:
        raise MidgeError(f"--pixels {text}: give what pixels 0 and 255 were in training, such as 0..1 or -1..1")
    return pair


def load(name: str) -> click.Command:
    return import_module(f".{name}", __name__).command


class Commands(click.Group):
    """A group that imports a command only when it is called."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return load(name) if name in COMMANDS else None

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
