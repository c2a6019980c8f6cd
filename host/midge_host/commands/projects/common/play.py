"""Run the board's main.py in MicroPython on this PC. standin/ takes the place of what is connected to the board; it
plays what train.py held apart."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from midge_host.backends import micropython

HERE = Path(__file__).resolve().parent
ON_BOARD = ("main.py", "sensor.py", "PROJECT.midge")


def play() -> list[str]:
    """The lines that main.py prints until the stand-in has played everything."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        micropython.lay_out(folder, native=True)
        for path in [*(HERE / name for name in ON_BOARD), *(HERE / "standin").iterdir()]:
            if path.is_file():
                shutil.copy(path, folder)
        return micropython.script(folder, "main.py").splitlines()


if __name__ == "__main__":
    print(micropython.problem("micropython") or "\n".join(play()))
