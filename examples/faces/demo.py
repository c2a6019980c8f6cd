"""The board's main.py in MicroPython on this PC, with a stand-in camera that shows pictures with faces:
pip install "midge[micropython]" scikit-image; python examples/faces/demo.py

The faces are those that train.py keeps apart, pasted over photographs that it keeps apart.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from midge_host.backends import micropython
from midge_host.errors import MidgeError
from midge_host.faces import pictures
from midge_host.person import demo

HERE = Path(__file__).resolve().parent
MODEL = HERE / "faces.midge"
SHOWN = 8
SEED = 11
SCALE = demo.HEIGHT / pictures.SIDE
MARGIN = round(demo.WIDTH / SCALE - pictures.SIDE) // 2  # left and right of a square picture, in its pixels
END = "-"  # what the program prints after each frame


def frame(picture: np.ndarray) -> bytes:
    """A camera's frame with all of a picture (96, 96) in its middle."""
    return demo.frame(np.pad(picture, ((0, 0), (MARGIN, MARGIN)), "edge"))


def play(frames: list[bytes]) -> list[list[str]]:
    """What the board's program prints: its first look, then what it says of each frame after the first."""
    first, *lines = demo.play(frames, MODEL, HERE / "main.py", MODEL.name)
    said: list[list[str]] = [[first], []]
    for line in lines:
        if line == END:
            said.append([])
        else:
            said[-1].append(line)
    return said[:-1]


def run(given: tuple[Path, ...] = ()) -> None:
    """MidgeError where something is missing."""
    if given:
        raise MidgeError("midge demo faces takes no files")
    if why := micropython.problem("micropython"):
        raise MidgeError(why)
    try:
        made, places = pictures.pictures(SHOWN, SEED, is_test=True)
    except ImportError as error:
        raise MidgeError(f"the demo needs photographs ({error}); run: pip install scikit-image") from None
    frames = [frame(picture) for picture in made]
    (first,), *said = play([frames[0], *frames])
    print(first)
    for faces, lines in zip(places, said, strict=True):
        print(f"{in_frame(faces):30s}{'; '.join(lines)}")


def in_frame(faces: pictures.Places) -> str:
    """Where the middles of pasted faces are in a frame."""
    middles = ((SCALE * (x + size / 2 + MARGIN), SCALE * (y + size / 2)) for x, y, size in faces)
    return "face at " + " and ".join(f"{x:.0f}, {y:.0f}" for x, y in middles) if faces else "no face"


if __name__ == "__main__":
    try:
        run()
    except MidgeError as error:
        sys.exit(str(error))
