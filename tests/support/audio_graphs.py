"""Front ends as graphs: small ones for crafted records, and signals to hear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from midge_host.conversion import convert
from midge_host.frontends import audio, logmel, mfcc
from midge_host.ir.graph import Graph
from tflite_models import ModelBuilder

TO_INT8 = (256, 333, 666, -128)
SMALL = audio.MicroFrontend(window=136, channels=6, lower=300.0)  # an FFT of 128 complex points: a step of two
SMALL_MFCC = mfcc.Mfcc(window=50, bands=8, coefficients=3)
SMALL_LOGMEL = logmel.LogMelFrontend(n_fft=64, n_mels=7)
STEP = 160
FEATURES = (26 / 255, -128)  # scale and zero point of features, as TFLM's examples have them


def window(rows: int, quant: tuple[float, int] = FEATURES, values: int = 40) -> bytes:
    """A .tflite of a dense layer upon the last `rows` frames of so many features."""
    rng = np.random.default_rng(rows)
    m = ModelBuilder()
    x = m.tensor((1, rows, values), quant=quant, name="features")
    weights = rng.integers(-127, 128, (3, rows * values)).astype(np.int8)
    flat, bias = m.reshape(x, (1, rows * values)), np.zeros(3, np.int32)
    return m.build([x], [m.softmax(m.fully_connected(flat, weights, bias, weight_scales=0.0002, quant=(0.1, 3)))])


def stream() -> bytes:
    """A .tflite that takes three frames at a time, and remembers two of them."""
    rng = np.random.default_rng(7)
    m = ModelBuilder()
    x = m.tensor((1, 3, 40), quant=FEATURES, name="features")
    kept = m.variable(np.full((1, 2, 40), -128, np.int8), FEATURES)
    rows = m.concatenation(m.read_variable(kept, (1, 2, 40), FEATURES), x, axis=1)
    m.assign_variable(kept, m.strided_slice(rows, [0, 3, 0], [1, 5, 40], [1, 1, 1]))
    weights = rng.integers(-127, 128, (1, 200)).astype(np.int8)
    flat, bias = m.reshape(rows, (1, 200)), np.zeros(1, np.int32)
    sums = m.fully_connected(flat, weights, bias, weight_scales=0.0002, quant=(0.1, 3))
    return m.build([x], [m.logistic(sums)])


def hearing(folder: Path, data: bytes, **options: Any) -> Path:
    """The .midge file of a .tflite that takes features, which hears."""
    source, output = folder / "hearing.tflite", folder / "hearing.midge"
    source.write_bytes(data)
    convert(source, output, **{"audio": "micro:10ms", **options})
    return output


def graphs() -> dict[str, Graph]:
    """Of every operator of the banks audio and mel."""
    return {
        "features": audio.graph(front=SMALL),
        "features_int8": audio.graph(TO_INT8, SMALL),
        "mfcc": mfcc.graph(0.5, 20, SMALL_MFCC),
        "mfcc_int16": mfcc.graph(0.01, -300, SMALL_MFCC, "int16"),
        "logmel": logmel.graph(0.5, 80, SMALL_LOGMEL),
        "logmel_int16": logmel.graph(0.01, -300, SMALL_LOGMEL, "int16"),
    }


def frames(samples: np.ndarray, step: int = STEP, size: int = 480) -> np.ndarray:
    """The windows that are whole."""
    return np.stack([samples[at : at + size] for at in range(0, len(samples) - size + 1, step)])


def signals() -> dict[str, np.ndarray]:
    """Sounds of half a second or a second that find the ends of the arithmetic."""
    rng = np.random.default_rng(3)
    time = np.arange(16_000) / 16_000
    steps = 10.0 ** rng.uniform(0, 4.6, 32)
    made = {
        "silence": np.zeros(4000),
        "noise": rng.integers(-32768, 32768, 8000),
        "faint": rng.integers(-1, 2, 4000),
        "levels": rng.normal(size=16_000) * np.repeat(steps, 500),
        "square": np.where(np.arange(8000) // 20 % 2, 32767, -32768),
        "lowest": np.full(3000, -32768),
        "highest": np.full(3000, 32767),
        "one": np.arange(3000) == 1000,
        "impulse": -32768 * (np.arange(3000) % 701 == 700),
        "centre": -32768 * (np.arange(4800) % 320 == 240),  # where the window is 1 in a frame
        "lows": np.where(rng.random(4800) < 0.5, -32768, rng.integers(-3000, 3000, 4800)),
        "sweep": 30_000 * np.sin(2 * np.pi * (100 + 3900 * time) * time),
        "tones": _tones(rng),
        "speech": _speech(rng, time),
    }
    return {name: np.clip(values, -32768, 32767).astype(np.int16) for name, values in made.items()}


def _tones(rng: np.random.Generator) -> np.ndarray:
    """One in each bin of an FFT of 512, three times: what a feature owes to a single weight."""
    hertz = np.tile(np.arange(4, 241) * 31.25, 3)
    levels = 10 ** rng.uniform(2, 4.5, len(hertz))
    return np.repeat(levels, 240) * np.sin(2 * np.pi * np.cumsum(np.repeat(hertz, 240)) / 16_000)


def _speech(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Syllables: harmonics of a voice that glides, under formants that change, and breath."""
    pitch = 2 * np.pi * np.cumsum(120 + 40 * np.sin(2 * np.pi * 1.3 * time)) / 16_000
    formants = 500 + 250 * np.sin(2 * np.pi * 2.1 * time), 1500 + 600 * np.cos(2 * np.pi * 1.7 * time)
    voice = np.zeros(len(time))
    for k in range(1, 30):
        hertz = k * (120 + 40 * np.sin(2 * np.pi * 1.3 * time))
        voice += sum(np.exp(-(((hertz - f) / 150) ** 2)) for f in formants) * np.sin(k * pitch)
    syllables = np.maximum(0, np.sin(2 * np.pi * 4 * time)) ** 2
    return 6000 * syllables * voice + 20 * rng.normal(size=len(time))
