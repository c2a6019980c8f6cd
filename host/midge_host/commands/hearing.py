"""Models that hear, for `midge test` and `midge report --test`: a recording is a reading."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .. import backends
from ..device.model_file import ModelFile
from ..errors import MidgeError
from ..files.readings import Readings
from ..files.readings.folders import SOUNDS, listed
from ..files.wav import read_wav_of

NOTHING = "nothing"  # what a model with a cutoff has heard where no score was above it
SILENCE = 1.0  # seconds before and behind a recording, for a model with a cutoff


def hear(model: ModelFile, path: Path, data: Path, backend: str) -> tuple[Readings, np.ndarray, list[str]]:
    """Runs the model in `path` over a .wav, or over those of a folder with a folder for each class: the recordings
    with silence behind them up to the longest, scores (N, classes), and the classes' names."""
    sound = model.sound
    assert sound
    if not data.is_dir() and data.suffix.lower() not in SOUNDS:
        raise MidgeError(f"{data}: the model hears; give a folder with a folder of WAVs for each class")
    files, numbers, classes = listed(data) if data.is_dir() else ([data], None, [])
    recordings = [read_wav_of(file, sound.rate) for file in files]
    longest = max(map(len, recordings))
    padded = np.stack([np.pad(samples, (0, longest - len(samples))) for samples in recordings])
    notes = [f"{data}: {len(files)} WAVs, each heard from a fresh start"]
    needed = model.inputs[0].size + (sound.first - 1) * sound.hop
    short = sum(len(samples) < needed for samples in recordings)
    if short and not sound.cutoff:
        notes.append(f"{short} of them are shorter than the model's {needed:,} samples: silence is around them")
    readings = Readings([padded], numbers, classes, str(data), notes)
    outputs = np.stack([_heard(model, path, samples, needed, backend) for samples in recordings])
    if not sound.cutoff:
        return readings, outputs, model.labels
    names = [NOTHING, *model.classes]
    if numbers is not None:
        known = [name if name in names else NOTHING for name in classes]
        readings.labels, readings.classes = np.array([names.index(known[i]) for i in numbers]), names
    return readings, outputs, names


def _heard(model: ModelFile, path: Path, samples: np.ndarray, needed: int, backend: str) -> np.ndarray:
    """The scores of a recording: of each class the mean of all predictions. Where the file has a cutoff, the greatest
    mean of a window of predictions, behind the cutoff itself as the score of NOTHING."""
    sound = model.sound
    assert sound
    around = round(SILENCE * sound.rate) if sound.cutoff else max(0, -(-(needed - len(samples)) // 2))
    result = backends.run(backend, path, [np.pad(samples, around)[None]], reset=True)
    rows = model.outputs[0].real(result.outputs[0].reshape(-1, model.outputs[0].size)).astype(np.float64)
    if not sound.cutoff:
        return rows.mean(0)
    window = min(sound.window, len(rows))
    sums = np.cumsum(np.pad(rows, ((1, 0), (0, 0))), 0)
    means = (sums[window:] - sums[:-window]) / window
    return np.array([sound.cutoff, *means.max(0)])
