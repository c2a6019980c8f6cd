"""MFCC as TensorFlow computes them (tf.signal.mfccs_from_log_mel_spectrograms), for MLPerf Tiny's keyword spotting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..ir.graph import Edge, Graph, Node, Quantization, Tensor
from ..ir.operators import Cepstrum, Magnitudes
from .audio import RATE
from .mel import hann, htk, triangles


@dataclass(frozen=True)
class Mfcc:
    """Its parameters; the defaults are those of MLPerf Tiny's keyword spotting: windows of 30 ms."""

    window: int = 480  # samples
    bands: int = 40
    lower: float = 20.0  # Hz
    upper: float = 4000.0
    coefficients: int = 10
    epsilon: float = 1e-6  # added to a band of samples from -1 to 1, so that its logarithm is a number

    @property
    def fft_length(self) -> int:
        return 1 << (self.window - 1).bit_length()


def bands(front: Mfcc) -> tuple[int, np.ndarray, np.ndarray]:
    """As mel.triangles gives them: with straight sides in mel, those of tf.signal.linear_to_mel_weight_matrix. (The
    constant part of the signal counts nowhere.)"""
    edges = np.linspace(htk(front.lower), htk(front.upper), front.bands + 2)
    return triangles(htk(np.arange(front.fft_length // 2 + 1) * RATE / front.fft_length), edges)


def cosines(front: Mfcc) -> np.ndarray:
    """(coefficients, bands): the transform of logarithms, DCT-II times the root of 2 / bands."""
    turns = np.outer(np.arange(front.coefficients), 2 * np.arange(front.bands) + 1) / (2 * front.bands)
    return np.cos(np.pi * turns) * 2 / np.sqrt(2 * front.bands)


def nodes(front: Mfcc, samples: Tensor, features: Tensor) -> list[Node]:
    """The layers that make features, int8 or int16 with a scale, of a window of samples."""
    assert features.quantization is not None
    first, widths, weights = bands(front)
    bins = first + len(weights)
    magnitudes = Tensor("magnitudes", (front.fft_length,), "uint32")
    scale, zero_point = float(features.quantization.scale[0]), int(features.quantization.zero_point[0])
    return [
        Magnitudes(
            name="magnitudes",
            source=samples,
            output=magnitudes,
            window=hann(front.window),
            fft_length=front.fft_length,
            bins=bins,
        ),
        Cepstrum(
            name="cepstrum",
            source=magnitudes,
            output=features,
            bins=bins,
            fft_length=front.fft_length,
            first=first,
            widths=widths,
            weights=weights,
            matrix=cosines(front) / scale,
            epsilon=front.epsilon,
            zero_point=zero_point,
        ),
    ]


def graph(scale: float, zero_point: int, front: Mfcc | None = None, dtype: str = "int8") -> Graph:
    """The front end alone: a window of int16 samples in, features of `scale` and `zero_point` out."""
    front = front or Mfcc()
    one = Quantization(np.array([1], np.float32), np.array([0]))
    samples = Tensor("samples", (front.window,), "int16", quantization=one)
    unit = Quantization(np.array([scale], np.float32), np.array([zero_point]))
    features = Tensor("features", (front.coefficients,), dtype, quantization=unit)
    return Graph("mfcc", nodes(front, samples, features), [Edge.of(samples)], [Edge.of(features)])
