"""A program for a board with a microphone, in MicroPython on this PC: it hears recordings."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
from rich.console import Console

from ... import backends
from ...backends import micropython
from ...device.model_file import ModelFile
from ...errors import MidgeError, printable
from . import memory, summary

RATE = 16_000


def hear(example: str, model: str, converted: Callable[[Path], ModelFile], recordings: dict[str, np.ndarray]) -> None:
    """Runs main.py of the package `example` on recordings, int16 by what they are called, with a second of silence
    around each, and prints what it prints, then what the model takes.

    model: its file, as main.py calls it; converted: writes it. Raises MidgeError when MicroPython is not installed.
    """
    if why := backends.problem("micropython"):
        raise MidgeError(why)
    with TemporaryDirectory(prefix="midge-demo-") as temporary:
        folder = Path(temporary)
        description = converted(folder / model)
        micropython.lay_out(folder, native=True)
        (folder / "main.py").write_bytes((files(example) / "main.py").read_bytes())
        (folder / "machine.py").write_bytes((files(__package__) / "recorded_microphone.py").read_bytes())
        heard = [np.pad(samples, RATE) for samples in recordings.values()]
        for name, samples in zip(recordings, heard, strict=True):
            (folder / "sound.raw").write_bytes(samples.astype("<i2").tobytes())
            click.echo(printable(f"{name}, {len(samples) / RATE - 2:.1f} s:"))
            click.echo(micropython.script(folder, "main.py"))
        assert description.sound
        due = description.sound.hop * description.sound.every  # samples from one prediction to the next
        sound = np.concatenate(heard)
        result = backends.run("micropython", folder / model, [sound[: len(sound) // due * due].reshape(-1, due)])
        taken = memory(folder / model, description, result)
    assert result.microseconds is not None  # MicroPython measures it
    rows = [
        (f"time for {1000 * due // RATE} ms of sound", f"{result.microseconds / 1000:.2f} ms (MicroPython on this PC)"),
        *taken,
    ]
    Console().print(summary(rows), highlight=False)
