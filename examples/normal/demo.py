"""The board's main.py in MicroPython on this PC, with a stand-in sensor that plays simulated vibration:
pip install "midge[micropython]"; python examples/normal/demo.py
"""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import numpy as np

from midge_host.backends import micropython
from midge_host.errors import MidgeError
from midge_host.machine import demo, simulation
from midge_host.machine.simulation import Damage

HERE = Path(__file__).resolve().parent
COUNT, TOGETHER = 60, 8  # of main.py
READINGS = 5  # of each state
STATES = (None, Damage("outer", 0.2), Damage("inner", 0.4), None)
MODEL = HERE / "hum.midge"


def vibration(seed: int = 1) -> np.ndarray:
    """(samples,) float32 in g: what the board learns from, then so many readings of each of STATES."""
    rng = np.random.default_rng(seed)
    parts = [(COUNT, None), *((READINGS, damage) for damage in STATES)]
    return np.concatenate(
        [simulation.machine(TOGETHER * count, demo.WINDOW, rng, damage).reshape(-1) for count, damage in parts]
    )


def play(samples: np.ndarray) -> list[str]:
    """The lines that the program for the board prints while its sensor gives `samples`, in g."""
    return demo.play(samples, script=HERE / "main.py", model=MODEL)


def run(given: tuple[Path, ...] = ()) -> None:
    """MidgeError where something is missing."""
    if given:
        raise MidgeError("midge demo normal takes no files")
    if why := micropython.problem("micropython"):
        raise MidgeError(why)
    lines = iter(play(vibration()))
    print(*islice(lines, 2), sep="\n")
    for damage in STATES:
        print(f"{damage.race} race damaged, {damage.size} g:" if damage else "sound:", "(simulated)")
        for line in islice(lines, READINGS):
            print(f"  {line}")


if __name__ == "__main__":
    try:
        run()
    except MidgeError as error:
        sys.exit(str(error))
