"""The board's main.py in MicroPython on this PC, with a stand-in sensor that plays simulated vibration:
pip install "midge[micropython]"; python examples/machine/demo.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from midge_host.backends import micropython
from midge_host.errors import MidgeError
from midge_host.machine import simulation
from midge_host.machine.simulation import Damage

HERE = Path(__file__).resolve().parent
ADXL345 = 0xE5
WINDOW, WINDOWS = 512, 24  # samples of a window; windows of each state
STATES = (None, Damage("outer", 0.1), Damage("outer", 0.2), Damage("inner", 0.2), Damage("inner", 0.4), None)


def vibration(windows: int = WINDOWS, seed: int = 1) -> np.ndarray:
    """(samples,) float32 in g: so many windows of each of STATES."""
    rng = np.random.default_rng(seed)
    return np.concatenate([simulation.machine(windows, WINDOW, rng, damage).reshape(-1) for damage in STATES])


def play(
    samples: np.ndarray,
    identity: int = ADXL345,
    script: Path = HERE / "main.py",
    model: Path = HERE / "machine.midge",
) -> list[str]:
    """The lines that a program for the board prints while its sensor gives `samples`, in g."""
    with tempfile.TemporaryDirectory(prefix="midge-machine-") as temporary:
        folder = Path(temporary)
        micropython.lay_out(folder, native=True)
        for path in (script, HERE / "sensor.py", model, HERE / "standin" / "machine.py"):
            shutil.copy(path, folder)
        (folder / "samples.bin").write_bytes(np.round(samples / simulation.STEP).astype("<i2").tobytes())
        (folder / "id.txt").write_text(str(identity))
        command = [micropython.executable(), "main.py"]
        done = subprocess.run(command, cwd=folder, env={"MICROPYPATH": "."}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout.splitlines()


def run(given: tuple[Path, ...] = ()) -> None:
    """MidgeError where something is missing."""
    if given:
        raise MidgeError("midge demo machine takes no files")
    if why := micropython.problem("micropython"):
        raise MidgeError(why)
    lines = play(vibration())
    each = len(lines) // len(STATES)
    for i, damage in enumerate(STATES):
        print(f"{damage.race} race damaged, {damage.size} g:" if damage else "sound:", "(simulated)")
        for line in lines[each * i : each * (i + 1)]:
            print(f"  {line}")


if __name__ == "__main__":
    try:
        run()
    except MidgeError as error:
        sys.exit(str(error))
