"""The micro front end as graphs: small ones for crafted records, and signals to hear."""

from __future__ import annotations

import numpy as np

from midge_host.frontends import audio
from midge_host.ir.graph import Graph

TO_INT8 = (256, 333, 666, -128)
SMALL = audio.MicroFrontend(window=56, channels=6, lower=300.0)  # an FFT of 32 complex points: a step of two
STEP = 160


def graphs() -> dict[str, Graph]:
    """Of every operator of the bank."""
    return {"features": audio.graph(front=SMALL), "features_int8": audio.graph(TO_INT8, SMALL)}


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
        "speech": _speech(rng, time),
    }
    return {name: np.clip(values, -32768, 32767).astype(np.int16) for name, values in made.items()}


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
