"""Features of recordings in an .npz: readings as `midge convert` takes them, with the front end that made them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from . import write_arrays
from .readings import Readings

KEY = "audio"  # the array that says how: as --audio


def write_features(path: Path, readings: Readings, audio: str) -> None:
    """`inputs`, and `labels`, names of classes, where there are any."""
    arrays = {"inputs": readings.inputs[0], KEY: np.array(audio)}
    if readings.labels is not None:
        arrays["labels"] = np.array(readings.classes)[readings.labels]
    write_arrays(path, arrays)


def audio_of(path: Path) -> str:
    """The front end that made the features in a file; "" where it does not say."""
    if path.suffix.lower() != ".npz":
        return ""
    try:
        with np.load(path, allow_pickle=False) as file:
            return str(file[KEY]) if KEY in file else ""
    except Exception:  # whoever reads the features says what is wrong
        return ""
