"""What `midge demo` can show: an example of examples/ each, on MicroPython, on this PC.

A demo's module has `run(given)`, which prints what it shows; `given` are the files that the user named, mostly none. It
raises MidgeError when what it needs is not installed or not named.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from rich.table import Table

from ...backends import RunResult
from ...device.model_file import ModelFile
from ...errors import MidgeError

# Name of a demo: its module, here or beside the example, and what it shows.
DEMOS = {
    "digits": (".digits", "handwritten digits: 1000 pictures, next to the float model; the one if none is named"),
    "doorbell": (
        "midge_host.doorbell.demo",
        "a ring or a knock, simulated ones, and then: who is there? person.midge as for `person`",
    ),
    "faces": (
        "midge_host.faces.demo",
        "where are faces on pictures? a small network for a Pico, and a stand-in camera",
    ),
    "gesture": ("midge_host.gesture.demo", "gestures of an accelerometer, simulated ones"),
    "keywords": (
        "midge_host.keywords.demo",
        "yes, no, stop: spoken by a machine, or in recordings that you name, FILE.wav",
    ),
    "machine": ("midge_host.machine.demo", "a machine's bearing wears out: anomalies of its vibration, simulated ones"),
    "normal": ("midge_host.normal.demo", "a board learns a machine's hum, and tells when it changes; a simulated one"),
    "person": ("midge_host.person.demo", "is a person on photographs? person.midge comes by examples/person/fetch.py"),
    "teach": ("midge_host.teach.demo", "a board learns gestures: hold the button and move; simulated ones"),
    "teach-words": ("midge_host.teach.words_demo", "a board learns words: hold the button and speak; a machine's"),
    "wake-word": (".wake_word", "a wake word in recordings that you name, FILE.wav"),
}


def run(name: str, given: tuple[Path, ...] = ()) -> None:
    if name not in DEMOS:
        raise MidgeError(f"no demo {name!r}; there are {', '.join(DEMOS)}")
    import_module(DEMOS[name][0], __name__).run(given)


def memory(path: Path, model: ModelFile, result: RunResult) -> list[tuple[str, str]]:
    """Rows of a summary: what a model takes of a board; its heap where the result is of the backend micropython."""
    heap = result.heap_bytes
    return [
        ("model file", f"{path.stat().st_size:,} bytes"),
        ("arena (working memory)", f"{model.arena_bytes:,} bytes"),
        *([("MicroPython heap, library included", f"{heap:,} bytes")] if heap is not None else []),
    ]


def summary(rows: list[tuple[str, str]]) -> Table:
    """Names and figures in two columns."""
    table = Table.grid(padding=(0, 3, 0, 0))
    for row in rows:
        table.add_row(*row)
    return table
