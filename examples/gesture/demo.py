"""The board's main.py in MicroPython on this PC, with a stand-in sensor that plays simulated gestures:
pip install "midge[micropython]"; python examples/gesture/demo.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from midge_host.backends import micropython
from midge_host.errors import MidgeError
from midge_host.gesture import simulation

HERE = Path(__file__).resolve().parent
STEP = 1 / 8192  # g, as in sensor.py
MPU6050, LSM6DS = 0x68, 0x6A


def play(
    samples: np.ndarray,
    script: Path = HERE / "main.py",
    address: int = MPU6050,
    model: Path = HERE / "gesture.midge",
    presses: Iterable[tuple[float, float]] = (),
) -> str:
    """What a program for the board prints while its sensor gives `samples`, (samples, 3) in g. presses: when a button
    goes down and up, in seconds."""
    with tempfile.TemporaryDirectory(prefix="midge-gesture-") as temporary:
        folder = Path(temporary)
        micropython.lay_out(folder, native=True)
        for path in (script, HERE / "sensor.py", model, *(HERE / "standin").glob("*.py")):
            shutil.copy(path, folder)
        (folder / "samples.bin").write_bytes(np.round(samples / STEP).astype("<i2").tobytes())
        (folder / "address.txt").write_text(str(address))
        times = "".join(f"{1000 * down:.0f} {1000 * up:.0f}\n" for down, up in presses)
        (folder / "presses.txt").write_text(times)
        command = [micropython.executable(), script.name]
        done = subprocess.run(command, cwd=folder, env={"MICROPYPATH": "."}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout


def run(given: tuple[Path, ...] = ()) -> None:
    """MidgeError where something is missing."""
    if given:
        raise MidgeError("midge demo gesture takes no files")
    if why := micropython.problem("micropython"):
        raise MidgeError(why)
    order = ("rest", "circle", "rest", "shake", "tilt", "shake", "circle")
    rng = np.random.default_rng(1)
    print("played:", ", ".join(order), "(simulated, 4 s each)")
    print(play(np.concatenate([simulation.gesture(name, 4 * simulation.RATE, rng) for name in order])), end="")


if __name__ == "__main__":
    try:
        run()
    except MidgeError as error:
        sys.exit(str(error))
