"""Readings that a model is quantised, proven and taught with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..device.model_file import ModelFile
from ..errors import MidgeError
from ..files.features import audio_of
from ..files.readings import Readings, read_readings, shaped
from ..frontends.sound import Audio
from .told import Told

Data = Path | str | np.ndarray | Sequence[np.ndarray] | Readings


def readings(data: Data, shapes: Sequence[tuple[int, ...]], pixels: tuple[float, float] | None, where: str) -> Readings:
    """Readings from a file, or given as arrays. pixels: see `convert`; None leaves them to the model."""
    if isinstance(data, (str, Path)):
        data = read_readings(Path(data), shapes)
    elif not isinstance(data, Readings):
        arrays = [data] if isinstance(data, np.ndarray) else list(data)
        if len(arrays) != len(shapes):
            raise MidgeError(f"{where}: {len(arrays)} arrays, the model has {len(shapes)} inputs; give one for each")
        notes: list[str] = []
        pairs = zip(arrays, shapes, strict=True)
        data = Readings([shaped(where, i, x, s, notes) for i, (x, s) in enumerate(pairs)], where=where, notes=notes)
    return data.as_real(pixels) if pixels is not None else data


def features_of_sound(data: Data | None, audio: Audio, count: int) -> Data | None:
    """Readings for a model that takes features: of a folder of recordings their features. Others are features."""
    if not isinstance(data, (str, Path)):
        return data
    if Path(data).is_dir():
        from ..frontends.features import read_features

        return read_features(Path(data), audio, count, for_model=True)
    made_as = audio_of(Path(data))
    if made_as not in ("", str(audio)):
        raise MidgeError(f"{data}: holds features of {made_as}, but the model is to hear {audio}")
    return data


def readings_for(model: ModelFile, data: Data, pixels: tuple[float, float] | None, where: str, told: Told) -> Readings:
    """Readings for the inputs of `model`, whose notes are told."""
    made = readings(data, [tensor.shape for tensor in model.inputs], pixels, where)
    told.all(made.notes)
    return made
