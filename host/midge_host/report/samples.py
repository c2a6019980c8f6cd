"""Readings as pictures, for those that a model takes for something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..quantize import scores
from .pixels import pillow, uri_of

SHOWN = 12
LEAST_SIDE = 6  # of a picture; smaller ones are drawn as lines
LARGEST_SIDE = 128  # larger ones are made smaller
WIDTH, HEIGHT = 128.0, 96.0  # of a drawing of lines
POINTS = 256  # of a line at most


@dataclass(frozen=True)
class Sample:
    """number: of the reading. picture: a data URI, or "" where `lines` are drawn, a path for each channel. score: of
    the class that it was taken for, None of a model that gives numbers of classes."""

    number: int
    label: str
    taken: str
    score: float | None
    picture: str
    width: int
    height: int
    lines: list[str]


def misread(readings: np.ndarray, outputs: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> list[Sample]:
    """Those with the greatest scores for the wrong class first, SHOWN at most. readings: (N, *shape); outputs:
    (N, size); labels: (N,) numbers of the classes, which are called `names`."""
    chosen = scores.choices(outputs)
    wrong = np.flatnonzero(chosen != labels)
    many = outputs.shape[1] > 1
    if many:
        wrong = wrong[np.argsort(-outputs[wrong, chosen[wrong]], kind="stable")]
    low, high = (0.0, 255.0) if readings.dtype == np.uint8 else (float(readings.min()), float(readings.max()))
    found = []
    for i in wrong[:SHOWN].tolist():
        values = (readings[i].astype(np.float64) - low) / max(high - low, 1e-30)
        score = float(outputs[i, chosen[i]]) if many else None
        found.append(Sample(i, names[labels[i]], names[chosen[i]], score, *_drawn(values)))
    return found


def _drawn(values: np.ndarray) -> tuple[str, int, int, list[str]]:
    """Of values from 0 to 1: a picture with its width and height, or lines."""
    dims = [n for n in values.shape if n != 1]
    if len(dims) == 3 and dims[2] == 3 and min(dims[:2]) >= LEAST_SIDE:
        return _picture(values.reshape(dims))
    if len(dims) == 2 and min(dims) >= LEAST_SIDE:
        return _picture(values.reshape(dims))
    channels = dims[1] if len(dims) == 2 and dims[1] < LEAST_SIDE else 1
    return "", int(WIDTH), int(HEIGHT), [_line(row) for row in values.reshape(-1, channels).T]


def _picture(values: np.ndarray) -> tuple[str, int, int, list[str]]:
    picture = pillow().fromarray(np.round(values * 255).astype(np.uint8))
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    return uri_of(picture), *picture.size, []


def _line(values: np.ndarray) -> str:
    picked = values[np.linspace(0, len(values) - 1, min(len(values), POINTS)).astype(int)]
    step = WIDTH / max(len(picked) - 1, 1)
    return "M" + " ".join(f"{i * step:.1f},{HEIGHT * (1 - v):.1f}" for i, v in enumerate(picked))
