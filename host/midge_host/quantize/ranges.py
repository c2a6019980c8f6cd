"""From what a tensor holds to the range that its integers span, and from there to a scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..ir.graph import Quantization
from .calibrate import BINS, Histogram

Range = tuple[float, float]
# How much of a tensor's values lies in the range, by the method's name.
_SHARES = {"percentile 99.99": 0.9999}
METHODS = ("min-max", *_SHARES, "mean-squared error")
# How much wider ranges may be made than the readings ask for: unseen ones go further, where there are few.
ROOMS = (1.1, 1.2, 1.4)
_STEPS = {"int8": 255, "int16": 65535}
_SMALLEST = 1e-8  # of a scale: a clamp at 6 still is a number of 32 bits


@dataclass(frozen=True)
class Method:
    """How a tensor's range is found: by one of METHODS, and made wider by the factor `room`."""

    name: str = METHODS[0]
    room: float = 1.0

    def __str__(self) -> str:
        return self.name if self.room == 1 else f"{self.name}, {self.room:g} times as wide"

    def range(self, histogram: Histogram, dtype: str) -> Range:
        low, high = find_range(histogram, self.name, dtype)
        return low * self.room, high * self.room


def find_range(histogram: Histogram, method: str, dtype: str) -> Range:
    """The range of a tensor by one of METHODS; it includes 0. 16 bits have room for all values."""
    low, high = histogram.low, histogram.high
    if method == "min-max" or dtype == "int16" or high <= low or not histogram.counts.any():
        return low, high
    if method in _SHARES:
        return _percentile(histogram, _SHARES[method])
    return _mean_squared(histogram)


def _edges(histogram: Histogram) -> np.ndarray:
    return histogram.low + np.arange(BINS + 1) * (histogram.high - histogram.low) / BINS


def _percentile(histogram: Histogram, share: float) -> Range:
    """What is left when half of the rest is cut off at either end, but no end that is 0."""
    total = np.concatenate([[0], np.cumsum(histogram.counts)]) / histogram.counts.sum()
    edges, cut = _edges(histogram), (1 - share) / 2
    low = edges[np.searchsorted(total, cut, "right") - 1] if histogram.low < 0 else 0.0
    high = edges[min(int(np.searchsorted(total, 1 - cut)), BINS)] if histogram.high > 0 else 0.0
    return min(0.0, float(low)), max(0.0, float(high))


def _mean_squared(histogram: Histogram) -> Range:
    """The parts of both ends of the range, in steps of 1/20, that cost least: what rounding and clipping add up to."""
    used = histogram.counts > 0
    centres = ((_edges(histogram)[:-1] + _edges(histogram)[1:]) / 2)[used]
    counts = histogram.counts[used]
    shares = np.arange(6, 21) / 20
    best, cheapest = (histogram.low, histogram.high), np.inf
    for low in histogram.low * shares if histogram.low < 0 else [0.0]:
        for high in histogram.high * shares if histogram.high > 0 else [0.0]:
            step = (high - low) / _STEPS["int8"]
            clipped = np.clip(centres, low, high)
            cost = float((counts * ((centres - clipped) ** 2 + np.where(centres == clipped, step**2 / 12, 0))).sum())
            if cost <= cheapest:  # of equals the wider one
                best, cheapest = (float(low), float(high)), cost
    return best


def to_quantization(low: float, high: float, dtype: str) -> Quantization:
    """The scale of an activation that spans low..high: of int16 symmetric, of int8 with a zero point.

    low <= 0 <= high; 0 is one of the values, exactly. A tensor that is always 0 gets a scale that does no harm.
    """
    if low == high:
        high = 1.0
    if dtype == "int16":
        return one_scale(max(-low, high) / 32767, 0)
    scale = np.float32(max((high - low) / 255, _SMALLEST))
    return one_scale(float(scale), int(np.clip(np.rint(-128 - low / float(scale)), -128, 127)))


def one_scale(scale: float, zero_point: int) -> Quantization:
    return Quantization(np.array([max(scale, _SMALLEST)], np.float32), np.array([zero_point], np.int64))


def power_of_two(largest: float) -> Quantization:
    """Of int16 with a scale that is a power of two: an LSTM's cell state."""
    power = int(np.ceil(np.log2(max(largest, 2.0**-12) / 32767)))
    return one_scale(2.0 ** min(power, 0), 0)
