"""Filters and features of windows of samples: how they are named, and what they are, exactly (docs/NUMERICS.md)."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from ..errors import MidgeError

# Features of a channel; then parts of its spectrum, which are numbered in the order in which they stand in a list.
KINDS = ("mean", "std", "min", "max", "range", "rms", "diff", "crossings", "median")
BAND = len(KINDS)
UNIT = 256  # features are multiples of 1 / UNIT
ONE = 1 << 14  # of the cosine table
FRACTION = 4  # bits of a bin's parts
MAX_ROWS = 4096

FILTERS = ("lowpass", "highpass")
LOWEST, HIGHEST = 0.001, 0.49  # cutoff of a filter, in rates of samples
COEFFICIENT_BITS = 30  # fraction of a filter's coefficients
OUTPUT_BITS = 13  # fraction of the samples that it keeps
OUTPUT_LIMIT = 1 << 30  # of what it gave, with that fraction


def section(kind: str, cutoff: float) -> np.ndarray:
    """(6,) int32: b0, b1, b2, -a1, -a2 and the gain at frequency 0 of a Butterworth filter of second order.

    kind: of FILTERS. cutoff: where it lets half of the power pass, in rates of samples, LOWEST to HIGHEST.
    Source: Robert Bristow-Johnson, "Audio EQ Cookbook" (W3C Note, 2021), LPF and HPF with Q = 1 / sqrt(2)."""
    turn = 2 * math.pi * cutoff
    alpha = math.sin(turn) / math.sqrt(2)
    unit = (1 << COEFFICIENT_BITS) / (1 + alpha)
    a1, a2 = round(-2 * math.cos(turn) * unit), round((1 - alpha) * unit)
    if kind == "highpass":
        b0 = round((1 + math.cos(turn)) / 2 * unit)
        return np.array([b0, -2 * b0, b0, -a1, -a2, 0], np.int32)
    whole = (1 << COEFFICIENT_BITS) + a1 + a2  # what b0 + b1 + b2 is where nothing is lost at frequency 0
    b0 = round((1 - math.cos(turn)) / 2 * unit)
    return np.array([b0, whole - 2 * b0, b0, -a1, -a2, 1 << OUTPUT_BITS], np.int32)


def filtered(samples: np.ndarray, sections: np.ndarray) -> np.ndarray:
    """int16 of samples (windows, rows, channels) of int16, through `sections` (n, 6) one after the other."""
    x = np.asarray(samples, np.int64)
    half = 1 << OUTPUT_BITS - 1
    for *factors, gain in np.asarray(sections, np.int64):
        x1 = x2 = x[:, 0] << OUTPUT_BITS
        y1 = y2 = np.clip(gain * x[:, 0], -OUTPUT_LIMIT, OUTPUT_LIMIT)
        rest = np.full_like(x1, 1 << COEFFICIENT_BITS - 1)
        made = np.empty_like(x)
        for i in range(x.shape[1]):
            now = x[:, i] << OUTPUT_BITS
            total = rest + sum(f * v for f, v in zip(factors, (now, x1, x2, y1, y2), strict=True))
            rest = total & (1 << COEFFICIENT_BITS) - 1
            x1, x2 = now, x1
            y1, y2 = np.clip(total >> COEFFICIENT_BITS, -OUTPUT_LIMIT, OUTPUT_LIMIT), y1
            made[:, i] = np.clip(y1 + half >> OUTPUT_BITS, -32768, 32767)
        x = made
    return x.astype(np.int16)


def turns(rows: int) -> np.ndarray:
    """(rows, 2): cosine and sine of each `rows`th part of a turn."""
    angles = 2 * np.pi * np.arange(rows) / rows
    return np.floor(np.stack([np.cos(angles), np.sin(angles)], 1) * ONE + 0.5).astype(np.int16)


def edges(rows: int, bands: int) -> list[int]:
    """The first bin of each band, and the one behind the last."""
    return [1 + i * (rows // 2) // bands for i in range(bands + 1)]


def steps(samples: np.ndarray, unit: float) -> np.ndarray:
    """int16, as a board makes it of real values: halves away from zero. MidgeError for a NaN."""
    if samples.dtype == np.int16 and unit == 1.0:
        return samples
    if np.isnan(samples).any():
        raise MidgeError("a sample is NaN; leave such windows out")
    with np.errstate(over="ignore"):
        quotient = (samples.astype(np.float32) / np.float32(unit)).astype(np.float64)
    return np.clip(np.trunc(quotient + np.copysign(0.5, quotient)), -32768, 32767).astype(np.int16)


def features(samples: np.ndarray, kinds: bytes, table: np.ndarray | None = None) -> np.ndarray:
    """(windows, channels * len(kinds)) whole numbers, in 1 / UNIT, of samples (windows, rows, channels) of int16.

    kinds: indices of KINDS; from BAND on one for each band. table: cosines and sines; those of `turns` by default.
    """
    x = np.asarray(samples, np.int64)
    rows = x.shape[1]
    sums, squares = x.sum(1), (x * x).sum(1)
    made = {
        "mean": lambda: sums * UNIT // rows,
        "std": lambda: _root_of_ratio(rows * squares - sums * sums, rows * rows),
        "min": lambda: x.min(1) * UNIT,
        "max": lambda: x.max(1) * UNIT,
        "range": lambda: (x.max(1) - x.min(1)) * UNIT,
        "rms": lambda: _root_of_ratio(squares, rows),
        "diff": lambda: np.abs(np.diff(x, axis=1)).sum(1) * UNIT // (rows - 1),
        "crossings": lambda: (np.diff((rows * x >= sums[:, None]).astype(np.int64), axis=1) != 0).sum(1) * UNIT,
        "median": lambda: np.sort(x, axis=1)[:, (rows - 1) // 2] * UNIT,
    }
    bands = sum(kind >= BAND for kind in kinds)
    spectrum = _bands(x, bands, turns(rows) if table is None else table) if bands else []
    columns, band = [], 0
    for kind in kinds:
        if kind < BAND:
            columns.append(made[KINDS[kind]]())
        else:
            columns.append(spectrum[band])
            band += 1
    return np.stack(columns, 2).reshape(len(x), -1)


def requantised(values: np.ndarray, rescales: np.ndarray, dtype: str) -> np.ndarray:
    """Whole numbers `values` (windows, features) as int8 or int16. rescales: (features, 3), a multiplier, how far to
    the right its product is shifted, and a zero point."""
    multiplier, shift, zero_point = np.asarray(rescales, np.int64).T
    shift = shift & 63
    limits = np.iinfo(dtype)
    half = np.left_shift(np.int64(1), np.maximum(shift - 1, 0)) * (shift > 0)
    return np.clip((values * multiplier + half >> shift) + zero_point, limits.min, limits.max).astype(dtype)


def _bands(x: np.ndarray, bands: int, table: np.ndarray) -> list[np.ndarray]:
    rows = x.shape[1]
    bins = np.arange(1, rows // 2 + 1)
    factors = table[np.arange(rows)[:, None] * bins % rows].astype(np.float64)  # float64 has the sums exactly
    values = x.swapaxes(1, 2).astype(np.float64)
    part = ONE >> FRACTION
    re, im = (((values @ factors[..., i]).astype(np.int64) + part // 2) // part for i in (0, 1))
    energies = (re * re + im * im) * np.where(2 * bins == rows, 1, 2)
    at = edges(rows, bands)
    parts = [energies[..., first - 1 : last - 1].sum(-1) for first, last in pairwise(at)]
    return [_root_of_ratio(part, rows * rows, 2 * FRACTION) for part in parts]


def _root_of_ratio(value: np.ndarray, divisor: int, fraction: int = 0) -> np.ndarray:
    """UNIT times the root of value / 2^fraction / divisor, rounded down."""
    bits = 16 - fraction
    scaled = (value // divisor << bits) + (value % divisor << bits) // divisor
    root = np.floor(np.sqrt(scaled.astype(np.float64))).astype(np.int64)
    root -= root * root > scaled
    return root + ((root + 1) * (root + 1) <= scaled)
