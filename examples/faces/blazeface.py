"""MediaPipe's BlazeFace for larger boards, and what it finds on a photograph.

    pip install "midge[keras]" scikit-image
    pip install --no-deps --target mediapipe "mediapipe==0.10.21"
    python examples/faces/blazeface.py mediapipe PHOTO.jpg

Takes the model, of floats, out of the package, quantises it with pictures with faces of pictures.py, and writes
blazeface.midge into the current folder; one that is there already is taken as it is. Without a photograph it looks at
one of scikit-image's, an astronaut.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import midge
import midge_host
from midge_host.errors import MidgeError
from midge_host.faces import pictures

OUTPUT = Path("blazeface.midge")
MODEL = "face_detection_short_range.tflite"
SIDE = 128  # of its input
CALIBRATION, SEED = 16, 3
POINTS = ("right eye", "left eye", "nose", "mouth", "right ear", "left ear")  # as the person has them


def model(folder: Path) -> Path:
    """The model's file in an unpacked package, or the file itself. MidgeError where there is none."""
    found = [folder] if folder.suffix == ".tflite" else sorted(folder.rglob(MODEL))
    if not found:
        raise MidgeError(f"{folder} has no {MODEL}: mediapipe has it up to 0.10.21")
    return found[0]


def calibration(side: int) -> np.ndarray:
    """Pictures with faces, float32 (N, side, side, 3) in -1..1: half are grey, the others cut out of the astronaut."""
    from PIL import Image
    from skimage import data

    draw = np.random.default_rng(SEED)
    photograph = data.astronaut()
    greys, _ = pictures.pictures(CALIBRATION // 2, SEED)
    cut = [np.repeat(grey[..., None], 3, 2) for grey in greys]
    for _ in range(CALIBRATION // 2):
        size = int(draw.integers(240, 512))
        y, x = int(draw.integers(0, min(513 - size, 40))), int(draw.integers(0, min(513 - size, 120)))
        cut.append(photograph[y : y + size, x : x + size])
    small = [np.asarray(Image.fromarray(picture).resize((side, side))) for picture in cut]
    return np.stack(small).astype(np.float32) / 127.5 - 1


def photo(path: Path | None) -> np.ndarray:
    """uint8 (height, width, 3)."""
    from PIL import Image
    from skimage import data

    return np.asarray(Image.open(path).convert("RGB")) if path else data.astronaut()


def main(folder: Path, path: Path | None = None) -> None:
    if not OUTPUT.exists():
        midge_host.convert(
            model(folder),
            OUTPUT,
            calibration=calibration(SIDE),
            pixels=(-1, 1),
            detect="blazeface",
            allow_loss=True,  # its signal to noise says little: boxes are what counts
            tell=print,
        )
    faces = midge.load(str(OUTPUT)).detect(midge.Image(photo(path)), keypoints=True)
    for label, score, x, y, width, height, points in faces:
        named = ", ".join(f"{name} {x}, {y}" for name, (x, y) in zip(POINTS, points, strict=True))
        print(f"{label} (score {score:.2f}) at {x}, {y}, {width} x {height}: {named}")
    if not faces:
        print("no face")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        main(*map(Path, sys.argv[1:]))
    except MidgeError as error:
        sys.exit(str(error))
