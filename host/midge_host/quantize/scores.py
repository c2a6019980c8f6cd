"""How right a model's outputs are, and how near to others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SAME = 1e-12  # a noise below it, beside the signal, is none


def choices(outputs: np.ndarray) -> np.ndarray:
    """(N,) the class that each of (N, count) outputs names: the largest one's, the number itself of a model that gives
    numbers of classes, or 1 where the only one is more likely than not."""
    if outputs.shape[1] > 1:
        return outputs.argmax(1)
    values = outputs[:, 0]
    if values.dtype.kind == "i":
        return values.astype(np.int64)
    is_probability = values.size and values.min() >= 0 and values.max() <= 1
    return (values > (0.5 if is_probability else 0)).astype(np.int64)


def class_count(outputs: np.ndarray, names: Sequence[str], labels: np.ndarray | None) -> int:
    """Into how many classes (N, count) outputs sort, if they do."""
    if outputs.shape[1] > 1:
        return outputs.shape[1]
    if outputs.dtype.kind == "i":
        known = [*outputs[:, 0], *([] if labels is None else labels.reshape(-1))]
        return max(len(names), int(max(known, default=0)) + 1)
    return 2


def right(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(N,) bool."""
    return choices(outputs) == labels


def confusion(outputs: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """(count, count): how often a reading of class [i] was taken for class [j]."""
    table = np.zeros((count, count), np.int64)
    np.add.at(table, (labels, choices(outputs)), 1)
    return table


def mean_squared_error(outputs: np.ndarray, wanted: np.ndarray) -> float:
    difference = outputs.astype(np.float64) - wanted.reshape(outputs.shape)
    return float(np.mean(difference * difference))


class SignalToNoise:
    """The ratio of what varies in a signal to what another one makes wrong of it, over any number of pieces."""

    def __init__(self) -> None:
        self.count = 0
        self.sum = self.squares = self.noise = self.largest = 0.0

    def add(self, signal: np.ndarray, other: np.ndarray) -> None:
        """Both of the same size, real values."""
        values = signal.astype(np.float64).reshape(-1)
        errors = values - other.reshape(-1)
        self.count += values.size
        self.sum += values.sum()
        self.squares += float(values @ values)
        self.noise += float(errors @ errors)
        self.largest = max(self.largest, float(np.abs(errors).max(initial=0)))

    @property
    def error(self) -> float:
        """Root of the mean squared error."""
        return float(np.sqrt(self.noise / max(self.count, 1)))

    @property
    def decibels(self) -> float:
        """10 log10(variance / mean squared error); infinite where both signals are the same."""
        variance = max(self.squares - self.sum * self.sum / max(self.count, 1), 0.0)
        if self.noise <= SAME * max(self.squares, 1e-300):
            return float("inf")
        return float(10 * np.log10(max(variance, 1e-300) / self.noise))
