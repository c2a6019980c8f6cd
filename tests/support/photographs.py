"""Photographs of scikit-image, with faces pasted over them, and BlazeFace where a package of MediaPipe is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from midge_host.faces import pictures

SIDE = 128
SMALLEST, LARGEST = 24, 72  # pixels of a face
COLOURED = ("astronaut", "cat", "coffee", "rocket", "stereo_motorcycle")
HEAD = (slice(10, 200), slice(130, 320))  # of the astronaut
BLAZEFACE = Path("modules") / "face_detection" / "face_detection_short_range.tflite"


def blazeface() -> Path | None:
    """The model that MediaPipe's wheels had up to 0.10.21."""
    found = find_spec("mediapipe")
    folders = found.submodule_search_locations if found else None
    path = Path(folders[0]) / BLAZEFACE if folders else None
    return path if path and path.exists() else None


def pasted(count: int, seed: int) -> np.ndarray:
    """uint8 (count, 128, 128, 3): cuttings of photographs, with none to three faces over each."""
    from skimage import data

    draw = np.random.default_rng(seed)
    grounds = []
    for name in COLOURED:
        ground = getattr(data, name)()
        grounds.append(ground[0] if isinstance(ground, tuple) else ground)
    grounds += [np.repeat(grey[..., None], 3, 2) for grey in pictures.grounds(pictures.GROUNDS) if grey.ndim == 2]
    people = [np.repeat(face[..., None], 3, 2) for face in pictures.faces(is_test=False)[0]]
    people += [data.astronaut()[HEAD]] * len(people)  # as often as all others together
    made = np.empty((count, SIDE, SIDE, 3), np.uint8)
    for picture in made:
        ground = grounds[draw.integers(len(grounds))]
        size = int(draw.integers(SIDE, min(ground.shape[:2]) + 1))
        y, x = (int(draw.integers(0, n - size + 1)) for n in ground.shape[:2])
        picture[:] = resized(ground[y : y + size, x : x + size], SIDE)
        for _ in range(int(draw.integers(0, 4))):
            size = int(draw.integers(SMALLEST, LARGEST + 1))
            y, x = (int(draw.integers(0, SIDE - size + 1)) for _ in range(2))
            face, under = resized(people[draw.integers(len(people))], size), picture[y : y + size, x : x + size]
            under += ((face.astype(float) - under) * pictures.oval(size)[..., None]).astype(np.int16).astype(np.uint8)
    return made


def resized(picture: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((side, side)))
