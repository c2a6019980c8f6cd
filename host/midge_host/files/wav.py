"""Sounds in .wav files."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from ..errors import MidgeError


def read_wav(file: Path) -> tuple[np.ndarray, int]:
    """The samples, int16, and how many are a second's. MidgeError for what is no PCM of 16 bits with one channel."""
    try:
        with wave.open(str(file)) as sound:
            channels, width, rate, count = sound.getparams()[:4]
            data = sound.readframes(count)
    except (wave.Error, EOFError, OSError) as error:
        reason = str(error) or "it ends too soon"
        raise MidgeError(f"{file}: cannot be read as WAV ({reason}); save it as 16-bit PCM") from None
    if channels != 1 or width != 2:
        raise MidgeError(f"{file}: {channels} channels of {8 * width} bits; save it as mono with 16 bits")
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16), rate


def read_wav_of(file: Path, rate: int) -> np.ndarray:
    """The same, of so many samples a second only."""
    samples, found = read_wav(file)
    if found != rate:
        raise MidgeError(f"{file}: {found:,} samples a second, {rate:,} are needed; convert it, or record it so")
    return samples
