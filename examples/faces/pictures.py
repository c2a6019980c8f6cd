"""Pictures with faces, and where these are: faces of scikit-image, pasted over its photographs and textures.

Needs scikit-image, whose `lfw_subset` holds 100 faces of Labeled Faces in the Wild, 25 x 25 pixels of grey, and 100
cuttings that are none.
"""

from __future__ import annotations

import numpy as np

SIDE = 96
LARGEST, SMALLEST = 44, 18  # pixels of a face
TEST = 20  # faces that the network is never trained with; the last ones
GROUNDS = ("brick", "camera", "cat", "coffee", "coins", "grass", "gravel", "moon", "page", "rocket", "text")
TEST_GROUNDS = ("clock", "stereo_motorcycle")
HAS_FACES = {"camera": (slice(None, None), slice(260, None))}  # what is taken of a picture with a face on it

Places = list[tuple[int, int, int]]  # x, y and size of each face


def grounds(names: tuple[str, ...]) -> list[np.ndarray]:
    """Photographs, uint8 (height, width)."""
    from skimage import color, data

    found = []
    for name in names:
        picture = getattr(data, name)()
        picture = picture[0] if isinstance(picture, tuple) else picture
        grey = 255 * color.rgb2gray(picture) if picture.ndim == 3 else picture
        found.append(grey[HAS_FACES.get(name, (slice(None), slice(None)))].astype(np.uint8))
    return found


def faces(is_test: bool) -> tuple[np.ndarray, np.ndarray]:
    """Faces, and cuttings that are none, uint8 (N, 25, 25) each."""
    from skimage import data

    both = (255 * data.lfw_subset()).astype(np.uint8).reshape(2, -1, 25, 25)
    return (both[0, -TEST:], both[1, -TEST:]) if is_test else (both[0, :-TEST], both[1, :-TEST])


def pictures(count: int, seed: int, is_test: bool = False) -> tuple[np.ndarray, list[Places]]:
    """uint8 (count, 96, 96), and the faces of each, none to two."""
    from PIL import Image

    draw = np.random.default_rng(seed)
    photographs = grounds(TEST_GROUNDS if is_test else GROUNDS)
    people, others = faces(is_test)
    made, places = np.empty((count, SIDE, SIDE), np.uint8), []
    for picture in made:
        ground = photographs[draw.integers(len(photographs))]
        size = int(draw.integers(SIDE, min(ground.shape) + 1))
        y, x = (int(draw.integers(0, n - size + 1)) for n in ground.shape)
        cut = Image.fromarray(ground[y : y + size, x : x + size]).resize((SIDE, SIDE))
        canvas = np.asarray(cut).astype(float)
        found: Places = []
        taken: Places = []
        for is_face in [True] * int(draw.integers(0, 3)) + [False] * int(draw.integers(0, 3)):
            size = int(draw.integers(SMALLEST, LARGEST + 1))
            x, y = (int(draw.integers(0, SIDE - size + 1)) for _ in range(2))
            if any(abs(x - a) < max(size, c) and abs(y - b) < max(size, c) for a, b, c in taken):
                continue
            source = people if is_face else others
            patch = Image.fromarray(source[draw.integers(len(source))]).rotate(
                float(draw.uniform(-15, 15)), fillcolor=90
            )
            if draw.random() < 0.5:
                patch = patch.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            pasted = np.asarray(patch.resize((size, size), Image.Resampling.BICUBIC)).astype(float)
            pasted = (pasted - pasted.mean()) * draw.uniform(0.7, 1.3) + pasted.mean() + draw.uniform(-30, 30)
            canvas[y : y + size, x : x + size] += oval(size) * (pasted - canvas[y : y + size, x : x + size])
            taken.append((x, y, size))
            found += [(x, y, size)] * is_face
        canvas = (canvas - 128) * draw.uniform(0.7, 1.2) + 128 + draw.normal(0, 4, canvas.shape)
        picture[:] = np.clip(canvas, 0, 255)
        places.append(found)
    return made, places


def oval(size: int) -> np.ndarray:
    """How much of each pixel of a face shows: its corners do not."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size * 2 - 1
    return np.asarray(np.clip(4 * (1.15 - np.hypot(x, 0.85 * y)), 0, 1))
