"""Log-mel spectra as librosa has them: `power_to_db(melspectrogram(...), top_db=None)` of frames that are whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..ir.graph import Edge, Graph, Node, Quantization, Tensor
from ..ir.operators import LogMel, Magnitudes
from . import mel
from .audio import RATE

AMIN = 1e-10  # the least power: librosa's
HIGHEST = RATE / 2  # Hz


@dataclass(frozen=True)
class LogMelFrontend:
    """Its parameters, by librosa's names; the defaults are librosa's but for the size of the FFT and the bands."""

    n_fft: int = 512  # samples of a window
    n_mels: int = 40
    fmin: float = 0.0  # Hz
    fmax: float = HIGHEST
    htk: bool = False  # HTK's scale in the place of Slaney's
    norm: bool = True  # bands have the area 2 (norm="slaney"); else their peak is 1 (norm=None)
    ref: float = 1.0  # the power that is 0 dB

    @property
    def least(self) -> float:
        """dB"""
        return 10 * float(np.log10(AMIN / max(AMIN, self.ref)))


def edges(front: LogMelFrontend) -> np.ndarray:
    """(n_mels + 2,) Hz: equally wide in mel."""
    to, back = (mel.htk, mel.htk_hertz) if front.htk else (mel.slaney, mel.slaney_hertz)
    return back(np.linspace(to(front.fmin), to(front.fmax), front.n_mels + 2))


def nodes(front: LogMelFrontend, samples: Tensor, features: Tensor) -> list[Node]:
    """The layers that make features, int8 or int16 with a scale, of a window of samples."""
    assert features.quantization is not None
    hertz = edges(front)
    first, widths, weights = mel.triangles(np.arange(front.n_fft // 2 + 1) * RATE / front.n_fft, hertz)
    gains = 2 / (hertz[2:] - hertz[:-2]) if front.norm else np.ones(front.n_mels)
    bins = first + len(weights)
    powers = Tensor("powers", (3 * front.n_fft // 2,), "uint32")
    return [
        Magnitudes(
            name="powers",
            source=samples,
            output=powers,
            window=mel.hann(front.n_fft),
            fft_length=front.n_fft,
            bins=bins,
            is_power=True,
        ),
        LogMel(
            name="log-mel",
            source=powers,
            output=features,
            bins=bins,
            fft_length=front.n_fft,
            first=first,
            widths=widths,
            weights=weights,
            gains=gains / max(AMIN, front.ref),
            least=front.least,
            scale=float(features.quantization.scale[0]),
            zero_point=int(features.quantization.zero_point[0]),
        ),
    ]


def graph(scale: float, zero_point: int, front: LogMelFrontend | None = None, dtype: str = "int8") -> Graph:
    """The front end alone: a window of int16 samples in, features in dB of `scale` and `zero_point` out."""
    front = front or LogMelFrontend()
    one = Quantization(np.array([1], np.float32), np.array([0]))
    samples = Tensor("samples", (front.n_fft,), "int16", quantization=one)
    unit = Quantization(np.array([scale], np.float32), np.array([zero_point]))
    features = Tensor("features", (front.n_mels,), dtype, quantization=unit)
    return Graph("logmel", nodes(front, samples, features), [Edge.of(samples)], [Edge.of(features)])
