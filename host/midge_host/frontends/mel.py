"""Bands of a spectrum that are equally wide to the ear: the mel scales, and triangles between their edges."""

from __future__ import annotations

import numpy as np

SLANEY_HERTZ = 200 / 3  # of a mel, up to SLANEY_KNEE
SLANEY_KNEE = 1000.0  # Hz; above it the scale is logarithmic
SLANEY_STEP = np.log(6.4) / 27


def hann(size: int) -> np.ndarray:
    """A Hann window that begins anew at its end: tf.signal.hann_window, and librosa's."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)


def htk(hertz: np.ndarray | float) -> np.ndarray:
    """HTK's scale, as tf.signal.linear_to_mel_weight_matrix has it, and librosa with htk=True."""
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


def htk_hertz(mel: np.ndarray) -> np.ndarray:
    return 700.0 * np.expm1(mel / 1127.0)


def slaney(hertz: np.ndarray | float) -> np.ndarray:
    """That of Slaney's Auditory Toolbox, which is librosa's: linear up to 1000 Hz."""
    hertz = np.asarray(hertz, np.float64)
    knee = SLANEY_KNEE / SLANEY_HERTZ
    above = knee + np.log(np.maximum(hertz, SLANEY_KNEE) / SLANEY_KNEE) / SLANEY_STEP
    return np.where(hertz < SLANEY_KNEE, hertz / SLANEY_HERTZ, above)


def slaney_hertz(mel: np.ndarray) -> np.ndarray:
    knee = SLANEY_KNEE / SLANEY_HERTZ
    return np.where(mel < knee, mel * SLANEY_HERTZ, SLANEY_KNEE * np.exp(SLANEY_STEP * (np.maximum(mel, knee) - knee)))


def triangles(bins: np.ndarray, edges: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    """The first bin, how many bins lie below each centre (bands + 1,), and how far up to it each one lies.

    bins: where the bins of a spectrum are, rising; edges (bands + 2,): where a band begins, those before and after it
    have their centres. Bands overlap by a half.
    """
    inside = (bins > edges[0]) & (bins < edges[-1])
    below = np.searchsorted(edges, bins[inside], side="right") - 1
    weights = (bins[inside] - edges[below]) / (edges[below + 1] - edges[below])
    return int(np.argmax(inside)), np.bincount(below, minlength=len(edges) - 1), weights
