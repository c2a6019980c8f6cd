"""The board's main.py in MicroPython on this PC, with simulated gestures and a stand-in for the button:
pip install "midge[micropython]"; python examples/teach/demo.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from midge_host.backends import micropython
from midge_host.errors import MidgeError
from midge_host.gesture import demo, simulation

HERE = Path(__file__).resolve().parent
HELD, SHORT, UP = 4.0, 0.2, 2.0  # seconds
TAUGHT, SHOWN = ("circle", "shake", "tilt"), ("shake", "circle", "tilt", "circle", "shake")


def lesson() -> tuple[np.ndarray, list[tuple[float, float]]]:
    """What the sensor feels, (samples, 3) in g: each gesture taught, then some shown; and when the button goes down and
    up, in seconds."""
    rng = np.random.default_rng(3)
    parts, presses, now = [], [], 0.0
    for number, name in enumerate(TAUGHT):
        if number:
            presses.append((now, now + SHORT))
            parts.append(simulation.gesture("rest", round(UP * simulation.RATE), rng))
            now += UP
        presses.append((now, now + HELD))
        parts.append(simulation.gesture(name, round((HELD + UP) * simulation.RATE), rng))
        now += HELD + UP
    parts += [simulation.gesture(name, round(HELD * simulation.RATE), rng) for name in SHOWN]
    return np.concatenate(parts), presses


def run(given: tuple[Path, ...] = ()) -> None:
    """MidgeError where something is missing."""
    if given:
        raise MidgeError("midge demo teach takes no files")
    if why := micropython.problem("micropython"):
        raise MidgeError(why)
    samples, presses = lesson()
    print(f"taught: {', '.join(TAUGHT)} ({HELD:.0f} s each, simulated); then shown: {', '.join(SHOWN)}")
    print(demo.play(samples, HERE / "main.py", model=HERE / "motion.midge", presses=presses), end="")


if __name__ == "__main__":
    try:
        run()
    except MidgeError as error:
        sys.exit(str(error))
