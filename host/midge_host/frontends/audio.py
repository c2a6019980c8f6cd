"""The micro front end: features of sound as TensorFlow Lite Micro's examples and microWakeWord's models expect them.

Tables are computed in float32 throughout, as pymicro-features does: their last bits depend on it. (Where the C library
rounds log1pf, as glibc does from 2.41 on, two weights of pymicro-features are a unit smaller. midge's stay.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..device.ops.filter_bank import SNR_BITS
from ..ir.graph import Edge, Graph, Node, Quantization, Tensor
from ..ir.operators import FilterBank, Spectrum
from .log1p import log1p

RATE = 16_000
WINDOW_BITS, WEIGHT_BITS, ESTIMATE_BITS = 12, 12, 14
LOG_BITS = 6
F = np.float32


@dataclass(frozen=True)
class MicroFrontend:
    """Its parameters, as the microfrontend names them. Only these values are in use."""

    window: int = 480  # samples: 30 ms
    channels: int = 40
    lower: float = 125.0
    upper: float = 7500.0
    even_smoothing: float = 0.025
    odd_smoothing: float = 0.06
    remaining: float = 0.05
    smoothing_bits: int = 10
    strength: float = 0.95
    offset: float = 80.0
    gain_bits: int = 21

    @property
    def fft_length(self) -> int:
        return 1 << (self.window - 1).bit_length()

    @property
    def correction_bits(self) -> int:
        return self.fft_length.bit_length() - 1 - WEIGHT_BITS // 2


def window_table(size: int) -> np.ndarray:
    """A Hann window between the samples."""
    turn = F(math.pi) * F(2) / F(size)
    values = [F(0.5) - F(0.5) * F(math.cos(turn * F(i + 0.5))) for i in range(size)]
    return np.array([_fixed(v, WINDOW_BITS) for v in values], np.int16)


def _fixed(value: np.float32, bits: int) -> int:
    return math.floor(value * F(1 << bits) + F(0.5))


def _mel(frequency: np.float32) -> np.float32:
    return F(1127) * log1p(frequency / F(700))


def filter_rows(front: MicroFrontend) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """First bins, weights and unweights of triangles that are equally wide in mel, and overlap by a half."""
    count, bins = front.channels + 1, front.fft_length // 2 + 1
    low, high = _mel(F(front.lower)), _mel(F(front.upper))
    step = (high - low) / F(count)
    centres = [low, *(low + step * F(i + 1) for i in range(count))]
    hertz = F(0.5 * RATE / (bins - 1))
    at = int(1.5 + front.lower / hertz)
    starts, weights, unweights = [], [], []
    for below, centre in pairwise(centres):
        starts.append(at)
        row = []
        while _mel(F(at) * hertz) <= centre:
            row.append((centre - _mel(F(at) * hertz)) / (centre - below))
            at += 1
        weights.append(np.array([_fixed(w, WEIGHT_BITS) for w in row], np.int16))
        unweights.append(np.array([_fixed(F(1) - w, WEIGHT_BITS) for w in row], np.int16))
    return np.array(starts), weights, unweights


def gain_table(front: MicroFrontend) -> np.ndarray:
    """Parabolas through (estimate + offset)^-strength at each power of two, the middle and the next one."""
    fraction = F(1 << front.smoothing_bits - front.correction_bits)

    def value(x: int) -> int:
        power = F(math.pow(F(x) / fraction + F(front.offset), F(-front.strength)))
        gain = F(1 << front.gain_bits) * power
        return min(int(gain + F(0.5)), 0x7FFF)

    table = [value(0), value(1)]
    for k in range(2, 33):
        first, last = 1 << k - 1, min(1 << k, (1 << 32) - 1)
        y = value(first)
        middle, end = value(first + first // 2) - y, value(last) - y
        table += [y, 4 * middle - end, 2 * end - 4 * middle, 0]
    return np.array(table[:-1]).astype(np.int16)


def nodes(
    front: MicroFrontend, samples: Tensor, features: Tensor, to_int8: tuple[int, int, int, int] | None
) -> list[Node]:
    """The layers that make features, int8 or int16, of a window of samples."""
    spectrum = Tensor("spectrum", (front.fft_length // 2 + 2,), "uint32")
    state = Tensor("noise", (front.channels,), "uint32", is_variable=True)
    starts, weights, unweights = filter_rows(front)
    one = F(1 << ESTIMATE_BITS)
    smoothing = (int(F(front.even_smoothing) * one), int(F(front.odd_smoothing) * one))
    return [
        Spectrum(
            name="spectrum",
            source=samples,
            output=spectrum,
            window=window_table(front.window),
            window_shift=WINDOW_BITS,
            fft_length=front.fft_length,
        ),
        FilterBank(
            name="features",
            source=spectrum,
            state=state,
            output=features,
            starts=starts,
            weights=weights,
            unweights=unweights,
            smoothing=smoothing,
            one_minus=((1 << ESTIMATE_BITS) - smoothing[0], (1 << ESTIMATE_BITS) - smoothing[1]),
            remaining=int(F(front.remaining) * one),
            estimate_bits=ESTIMATE_BITS,
            smoothing_bits=front.smoothing_bits,
            gains=gain_table(front),
            snr_shift=front.gain_bits - front.correction_bits - SNR_BITS,
            correction_bits=front.correction_bits,
            log_scale=1 << LOG_BITS,
            to_int8=to_int8,
        ),
    ]


def graph(to_int8: tuple[int, int, int, int] | None = None, front: MicroFrontend | None = None) -> Graph:
    """The front end alone: a window of samples in, features out."""
    front = front or MicroFrontend()
    unit = Quantization(np.ones(1, F), np.zeros(1, np.int64))
    samples = Tensor("samples", (front.window,), "int16", quantization=unit)
    features = Tensor("features", (front.channels,), "int8" if to_int8 else "int16", quantization=unit)
    return Graph("audio", nodes(front, samples, features, to_int8), [Edge.of(samples)], [Edge.of(features)])
