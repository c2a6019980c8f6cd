"""Features of recordings, as a board computes them: what a model of sound is trained and calibrated with."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..backends.machine import Machine
from ..conversion import build
from ..errors import MidgeError
from ..files.readings import Readings
from ..files.readings.folders import SOUNDS, listed
from ..files.wav import read_wav_of
from . import audio
from .sound import Audio


class Frames:
    """Makes frames of features of recordings."""

    def __init__(self, how: Audio) -> None:
        self._how = how
        self._machine = Machine(build(how.front.graph()))

    def of(self, samples: np.ndarray) -> np.ndarray:
        """(frames, values of one) float32, of int16 samples: what the front end gives times its unit, nothing having
        been heard before."""
        self._machine.reset()
        window = self._how.front.window
        starts = range(0, len(samples) - window + 1, self._how.hop)
        rows = [self._machine.predict([samples[at : at + window]])[0] for at in starts]
        return np.array(rows, np.float32).reshape(len(rows), self._how.front.values) * np.float32(self._how.front.unit)


def read_features(path: Path, how: Audio, count: int | None, for_model: bool = False) -> Readings:
    """Of a .wav file, or of all in a folder or in its folders, one for each class: (N, count, values of a frame),
    `count` frames from the middle of each; all that there are, if None. MidgeError where there are too few, or other
    numbers of them. for_model: a model takes `count` frames; MidgeError, too, where the recordings tell that it was
    trained with another step.
    """
    files, labels, classes = listed_sounds(path)
    maker, window = Frames(how), how.front.window
    recordings = [read_wav_of(file, audio.RATE) for file in files]
    lengths = [max(0, 1 + (len(samples) - window) // how.hop) for samples in recordings]
    if count is None:
        count = lengths[0]
        for file, length in zip(files, lengths, strict=True):
            if length != count:
                raise MidgeError(
                    f"{file}: {length} frames, but {files[0].name} {count}; --frames says how many to take"
                )
    if for_model:
        _check_step(path, how, count, Counter(len(samples) for samples in recordings))
    for file, length in zip(files, lengths, strict=True):
        if length < max(count, 1):
            raise MidgeError(f"{file}: {length} frames of features, {max(count, 1)} are needed; record more of it")
    made = []
    for samples in recordings:
        frames = maker.of(samples)
        first = (len(frames) - count) // 2
        made.append(frames[first : first + count])
    note = f"{path}: {len(files)} WAVs, {count} frames of features from the middle of each, as {how}"
    return Readings([np.stack(made)], labels, classes, str(path), [note])


def listed_sounds(path: Path) -> tuple[list[Path], np.ndarray | None, list[str]]:
    """The .wav files of a folder, the number of each one's class if it has folders for classes, and their names."""
    if not path.is_dir():
        return [path], None, []
    files, labels, classes = listed(path)
    others = [file for file in files if file.suffix.lower() not in SOUNDS]
    if others:
        raise MidgeError(f"{others[0]}: no sound; give a folder of .wav files")
    return files, labels, classes


def _check_step(path: Path, how: Audio, count: int, lengths: Counter[int]) -> None:
    """Recordings that are as long as the model's window at another step tell which one it was trained with."""
    length, often = lengths.most_common(1)[0]
    others = [replace(how, step=step) for step in how.front.steps]
    fits = [other for other in others if 1 + (length - how.front.window) // other.hop == count]
    if fits and how not in fits and 2 * often > lengths.total():
        raise MidgeError(
            f"{path}: recordings of {length:,} samples are {count} frames, as the model takes, with --audio "
            f"{fits[0]}, not with {how}"
        )
