"""The board's main.py in MicroPython on this PC, with a microphone that plays simulated sounds and a camera that shows
photographs: pip install "midge[micropython]" scikit-image; python examples/doorbell/demo.py

Needs person.midge in the folder where it is run; examples/person/fetch.py makes it.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from midge_host.backends import micropython
from midge_host.doorbell.sounds import RATE, Sounds
from midge_host.errors import MidgeError
from midge_host.person import demo as person

HERE = Path(__file__).resolve().parent


def evening(order: tuple[str, ...], seed: int, pause: float = 2.0) -> np.ndarray:
    """int16 samples: a quiet room, and in it a sound for each name of `order`, names of methods of Sounds; `pause`
    seconds lie before, between and behind them."""
    sounds, quiet = Sounds(np.random.default_rng(seed)), np.zeros(round(pause * RATE))
    made = [np.concatenate([quiet, sounds.heard(getattr(sounds, name))]) for name in order]
    samples = np.concatenate([*made, quiet])
    return np.clip(np.round(samples + 20 * sounds.noise(len(samples), -1)), -32768, 32767).astype(np.int16)


def play(samples: np.ndarray, frames: list[bytes], model: Path) -> list[str]:
    """The lines that main.py prints while its microphone hears `samples` and its camera gives `frames`, as they are
    asked for. model: person.midge."""
    with tempfile.TemporaryDirectory(prefix="midge-doorbell-") as temporary:
        folder = Path(temporary)
        micropython.lay_out(folder, native=True)
        standins = [*(person.HERE / "standin").glob("*.py"), HERE / "standin" / "microphone.py"]
        for path in (HERE / "main.py", HERE / "doorbell.midge", *standins):
            shutil.copy(path, folder)
        shutil.copy(model, folder / "person.midge")
        (folder / "frames.bin").write_bytes(b"".join(frames))
        (folder / "sound.raw").write_bytes(samples.astype("<i2").tobytes())
        return micropython.script(folder, "main.py").splitlines()


def run(given: tuple[Path, ...] = ()) -> None:
    """MidgeError where something is missing."""
    if given:
        raise MidgeError("midge demo doorbell takes no files")
    if why := micropython.problem("micropython"):
        raise MidgeError(why)
    visitors = person.photographs(("astronaut", "coffee", "brick", "gravel", "camera"))
    order = ("wind", "chime", "voice", "knock", "clink", "bell")
    print("heard:", ", ".join(order), "(simulated); in front of the camera: an astronaut, nobody, a photographer")
    print("\n".join(play(evening(order, seed=1), visitors, person.fetched())))


if __name__ == "__main__":
    try:
        run()
    except MidgeError as error:
        sys.exit(str(error))
