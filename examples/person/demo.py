"""The board's main.py in MicroPython on this PC, with a stand-in camera that shows photographs:
pip install "midge[micropython]" scikit-image; python examples/person/demo.py

Needs person.midge in the folder where it is run; fetch.py makes it.
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

HERE = Path(__file__).resolve().parent
WIDTH, HEIGHT = 160, 120
# Photographs of scikit-image, with what is to be seen on them: the first two have a person, the others have none.
PHOTOGRAPHS = {
    "astronaut": "portrait of an astronaut",
    "camera": "man with a camera on a stand",
    "cat": "a cat's face",
    "coffee": "a cup of coffee",
    "rocket": "a rocket taking off",
    "brick": "a wall",
    "gravel": "gravel",
    "page": "a printed page",
    "stereo_motorcycle": "a motorcycle in a garage",
    "coins": "ancient coins with heads on them",
}


def frame(picture: np.ndarray) -> bytes:
    """A camera's frame, 160 x 120 pixels of 16 bits with the upper byte first, of uint8 (height, width[, 3])."""
    from PIL import Image, ImageOps

    scaled = ImageOps.fit(Image.fromarray(picture).convert("RGB"), (WIDTH, HEIGHT))
    red, green, blue = np.moveaxis(np.asarray(scaled).astype(np.uint16), 2, 0)
    return (red >> 3 << 11 | green >> 2 << 5 | blue >> 3).astype(">u2").tobytes()


def play(frames: list[bytes], model: Path, script: Path = HERE / "main.py", name: str = "person.midge") -> list[str]:
    """The lines that a program for the board prints while its camera gives `frames`: its first look, then one each, or
    what else it prints of a frame. `name` is that of the model on the board."""
    with tempfile.TemporaryDirectory(prefix="midge-camera-") as temporary:
        folder = Path(temporary)
        micropython.lay_out(folder, native=True)
        for path in (script, *(HERE / "standin").glob("*.py")):
            shutil.copy(path, folder)
        shutil.copy(model, folder / name)
        (folder / "frames.bin").write_bytes(b"".join(frames))
        command = [micropython.executable(), script.name]
        done = subprocess.run(command, cwd=folder, env={"MICROPYPATH": "."}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout.splitlines()


def photographs(names: Iterable[str]) -> list[bytes]:
    """Frames of photographs of scikit-image. MidgeError where it is not installed."""
    try:
        from skimage import data
    except ImportError as error:
        raise MidgeError(f"the demo needs photographs ({error}); run: pip install scikit-image") from None
    loaded = [getattr(data, name)() for name in names]
    return [frame(picture[0] if isinstance(picture, tuple) else picture) for picture in loaded]


def fetched() -> Path:
    """The model that fetch.py has put into the folder where the demo is run. MidgeError where there is none."""
    model = Path("person.midge")
    if not model.exists():
        raise MidgeError(f"person.midge is not here; run: python {HERE / 'fetch.py'}")
    return model


def run(given: tuple[Path, ...] = ()) -> None:
    """MidgeError where something is missing."""
    if given:
        raise MidgeError("midge demo person takes no files")
    if why := micropython.problem("micropython"):
        raise MidgeError(why)
    frames = photographs(PHOTOGRAPHS)
    lines = play([frames[0], *frames], fetched())
    print(lines[0])
    for what, line in zip(PHOTOGRAPHS.values(), lines[1:], strict=True):
        print(f"{what:34s}{line}")


if __name__ == "__main__":
    try:
        run()
    except MidgeError as error:
        sys.exit(str(error))
