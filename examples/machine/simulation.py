"""A simulated machine on a rolling bearing: what train.py trains on, in place of recordings.

No such signal was ever measured. A shaft turns, a little out of balance and out of line; there is mains hum and noise;
load and speed wander. A damaged race adds an impulse for each ball that rolls over the damage, which makes the housing
ring.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RATE = 3200  # samples a second
TURNS = 25.0  # of the shaft in a second
BALLS, BALL, PITCH = 9, 7.94, 39.04  # of a 6205 bearing: balls, their diameter and that of their circle in mm
RING, DAMPING = 1150.0, 0.04  # how the housing rings, in Hz, and the damping ratio
SLIP = 0.01  # of the time from one ball to the next, at random
STEP = 1 / 8192  # g of an int16 step; the sensor's range is 4 g
RESOLUTION = 1 / 128  # g: what the sensor's own steps are at this rate
NOISE = 0.03  # g, of machine and sensor

# Balls that pass a point of a race in a turn of the shaft (BPFO and BPFI over the shaft's frequency), contact angle 0:
# R. B. Randall and J. Antoni, "Rolling element bearing diagnostics: a tutorial", Mechanical Systems and Signal
# Processing 25 (2011) 485-520.
PASSES = {"outer": BALLS / 2 * (1 - BALL / PITCH), "inner": BALLS / 2 * (1 + BALL / PITCH)}


@dataclass(frozen=True)
class Damage:
    """race: of PASSES. size: g, the height of what an impulse makes ring."""

    race: str
    size: float


def machine(windows: int, samples: int, rng: np.random.Generator, damage: Damage | None = None) -> np.ndarray:
    """Acceleration (windows, samples) float32 in g, in each window with another load, speed and moment."""
    return np.stack([_window(samples, rng, damage) for _ in range(windows)]).astype(np.float32)


def _window(samples: int, rng: np.random.Generator, damage: Damage | None) -> np.ndarray:
    seconds = np.arange(samples) / RATE
    turns = TURNS * rng.uniform(0.97, 1.03)
    load = rng.uniform(0.7, 1.4)
    signal = np.full(samples, rng.uniform(-0.05, 0.05))  # how the sensor leans
    for harmonic, size in ((1, 0.08), (2, 0.05), (3, 0.02), (4, 0.01), (BALLS * 0.4, 0.008)):
        signal += load * size * rng.uniform(0.7, 1.3) * _wave(harmonic * turns, seconds, rng)
    signal += 0.02 * _wave(100.0, seconds, rng)  # mains
    signal += NOISE * load**0.5 * rng.uniform(0.85, 1.2) * rng.normal(size=samples)
    signal += 0.5 * NOISE * load * _ringing(rng.normal(size=samples))  # flow and friction make the housing ring too
    if damage:
        signal += load * damage.size * _impulses(damage.race, turns, samples, rng)
    return np.clip(np.round(signal / RESOLUTION) * RESOLUTION, -4, 4 - RESOLUTION)


def _wave(hertz: float, seconds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * seconds + rng.uniform(0, 2 * np.pi))


def _impulses(race: str, turns: float, samples: int, rng: np.random.Generator) -> np.ndarray:
    """The ringing of the housing; damage of the inner race turns with the shaft through the zone of the load."""
    every = RATE / (PASSES[race] * turns)
    at = rng.uniform(0, every) + np.cumsum(every * (1 + SLIP * rng.normal(size=int(samples / every) + 2)))
    at = at[at < samples - 1]
    heights = rng.uniform(0.8, 1.2, len(at))
    if race == "inner":
        heights *= 0.5 + 0.5 * np.cos(2 * np.pi * turns * at / RATE + rng.uniform(0, 2 * np.pi))
    kicks = np.zeros(samples)
    whole = at.astype(int)
    np.add.at(kicks, whole, heights * (whole + 1 - at))  # shared by the two nearest samples
    np.add.at(kicks, whole + 1, heights * (at - whole))
    return _ringing(kicks)


def _ringing(kicks: np.ndarray) -> np.ndarray:
    """The answer of a damped resonance of height 1 to each kick."""
    time = np.arange(RATE // 20) / RATE
    answer = np.exp(-DAMPING * 2 * np.pi * RING * time) * np.sin(2 * np.pi * RING * time)
    return np.convolve(kicks, answer / np.abs(answer).max())[: len(kicks)]
