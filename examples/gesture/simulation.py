"""Simulated gestures of a hand that holds an accelerometer: what train.py trains on, in place of recordings.

No such signal was ever measured. A gesture is a few sines with a tempo and a size of their own, a sensor that is held
any way, gravity, and noise; real hands do more.
"""

from __future__ import annotations

import numpy as np

RATE = 100  # samples a second
GESTURES = ("circle", "rest", "shake", "tilt")
Range = tuple[float, float]


def gesture(name: str, samples: int, rng: np.random.Generator, far: bool = False) -> np.ndarray:
    """Acceleration (samples, 3) float32 in g of one recording of a gesture, one of GESTURES.

    far: faster, slower, larger and smaller than any without; for a test set apart.
    """
    seconds = np.arange(samples) / RATE
    tempo = _draw(rng, far, (0.85, 0.95), (0.95, 1.15), (1.15, 1.3))
    size = _draw(rng, far, (0.7, 0.8), (0.8, 1.25), (1.25, 1.4))
    phase = rng.uniform(0, 2 * np.pi)

    def wave(hertz: float, shift: float = 0.0) -> np.ndarray:
        # A hand speeds up and slows down a little.
        sway = 0.3 * np.sin(2 * np.pi * rng.uniform(0.2, 0.5) * seconds + rng.uniform(0, 2 * np.pi))
        return size * np.sin(2 * np.pi * hertz * tempo * seconds + phase + shift + sway)

    turned = _turned(rng)
    move = np.zeros((samples, 3))
    gravity = np.tile([0.0, 0.0, 1.0], (samples, 1))
    if name == "circle":  # in one plane, two directions a quarter of a turn apart
        move[:, 0], move[:, 1] = 0.45 * wave(1.4), 0.45 * wave(1.4, np.pi / 2)
    elif name == "shake":  # to and fro along one direction, with an overtone
        move[:, 0] = 1.1 * wave(4.5) + 0.25 * wave(9.0)
    elif name == "tilt":  # slowly from one side to the other: gravity moves from axis to axis
        angle = 0.9 * wave(0.5)
        gravity = np.stack([np.sin(angle), np.zeros(samples), np.cos(angle)], axis=1)
    elif name != "rest":
        raise ValueError(f"no gesture {name!r}; there are {', '.join(GESTURES)}")
    noise = rng.normal(scale=_draw(rng, far, (0.005, 0.01), (0.01, 0.025), (0.025, 0.035)), size=(samples, 3))
    tremor = rng.normal(scale=0.01, size=(samples, 3)).cumsum(axis=0) * 0.1
    return np.clip((move + gravity) @ turned.T + noise + tremor, -4, 4).astype(np.float32)


def recordings(count: int, seconds: float, seed: int, far: bool = False) -> list[tuple[str, np.ndarray]]:
    """(gesture, samples) of `count` recordings of each gesture."""
    rng = np.random.default_rng(seed)
    return [(name, gesture(name, round(seconds * RATE), rng, far)) for name in GESTURES for _ in range(count)]


def _draw(rng: np.random.Generator, far: bool, low: Range, middle: Range, high: Range) -> float:
    """A number of the middle range, or of the outer two."""
    return rng.uniform(*((low, high)[rng.integers(2)] if far else middle))


def _turned(rng: np.random.Generator) -> np.ndarray:
    """A rotation (3, 3): the sensor turned by any angle about the vertical, and leaning by up to 30 degrees."""
    spin, lean = rng.uniform(0, 2 * np.pi), rng.uniform(-np.pi / 6, np.pi / 6)
    c, s = np.cos(spin), np.sin(spin)
    about_z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    c, s = np.cos(lean), np.sin(lean)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ about_z
