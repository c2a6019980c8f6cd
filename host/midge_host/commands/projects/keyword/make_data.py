"""Stand-in data: whistles in data/WORD/*.wav, a second each, as `midge record` writes them. `nothing` is noise and
silence; keep such a class with your own words."""

import wave
from pathlib import Path

import numpy as np

RATE = 16_000  # samples a second
SWEEPS = {"up": (600, 1800), "down": (1800, 600), "nothing": None}  # Hz, from and to
rng = np.random.default_rng(1)


def sound(sweep):
    """A second, int16: noise, and a whistle somewhere in it."""
    samples = rng.normal(size=RATE) * 10 ** rng.uniform(0, 2.2)
    if sweep:
        length = int(RATE * rng.uniform(0.4, 0.6))
        hertz = np.linspace(*sweep, length) * rng.uniform(0.9, 1.1)
        whistle = np.sin(2 * np.pi * np.cumsum(hertz) / RATE) * np.hanning(length)
        first = rng.integers(RATE - length)
        samples[first : first + length] += whistle * 10 ** rng.uniform(3.2, 4.2)
    return samples.clip(-32768, 32767).astype("<i2")


for word, sweep in SWEEPS.items():
    folder = Path("data", word)
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(60):
        with wave.open(str(folder / f"made-{i:02}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(sound(sweep).tobytes())
