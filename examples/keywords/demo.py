"""`midge demo keywords`: the board's main.py hears words in MicroPython on this PC."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from midge_host.commands.demos.microphone import hear
from midge_host.conversion import convert
from midge_host.files.wav import read_wav_of
from midge_host.keywords.clips import RATE, read_clips

HERE = Path(__file__).resolve().parent
EVERY = 6  # frames from one prediction to the next: 0.12 s

converted = partial(
    convert, HERE / "keywords.tflite", labels=HERE / "keywords.txt", audio="mfcc", every=EVERY, name="keywords"
)


def spoken() -> tuple[list[str], np.ndarray]:
    """The words of clips.npz, and int16 samples of them, one a second or so."""
    clips = read_clips(HERE / "clips.npz")
    return [word for word, _, _ in clips], np.concatenate([np.pad(samples, (0, RATE)) for *_, samples in clips])


def run(given: tuple[Path, ...] = ()) -> None:
    """On recordings, or on what clips.npz has. MidgeError when MicroPython is not installed, or one cannot be read."""
    recordings = {str(path): read_wav_of(path, RATE) for path in given}
    if not recordings:
        words, samples = spoken()
        recordings = {" - ".join(words): samples}
    hear("midge_host.keywords", "keywords.midge", converted, recordings)
