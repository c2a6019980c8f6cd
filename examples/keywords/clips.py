"""Clips of words in an .npz: voices.py writes it, train.py and the demo read it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

RATE = 16_000  # samples a second
FULL = 32_767  # the loudest


def write_clips(path: Path, clips: list[tuple[str, str, np.ndarray]]) -> None:
    """clips: (word, engine that spoke it, int16 samples)."""
    words, engines, samples = zip(*clips, strict=True)
    ends = np.cumsum([len(clip) for clip in samples])
    np.savez_compressed(
        path, words=np.array(words), engines=np.array(engines), ends=ends, samples=np.concatenate(samples)
    )


def read_clips(path: Path) -> list[tuple[str, str, np.ndarray]]:
    """(word, engine, int16 samples) of each clip."""
    with np.load(path) as file:
        words, engines, ends, samples = (file[key] for key in ("words", "engines", "ends", "samples"))
    return list(zip(words.tolist(), engines.tolist(), np.split(samples, ends[:-1]), strict=True))
