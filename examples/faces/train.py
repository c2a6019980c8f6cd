"""Train the network that finds faces: pip install "midge[keras]" scikit-image; python examples/faces/train.py

Takes minutes. Writes faces.midge beside itself, and says how much it finds in pictures with faces that it has not seen.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import midge
import midge_host
from midge_host.faces import pictures
from midge_host.faces.pictures import SIDE, Places

HERE = Path(__file__).resolve().parent
CELLS = 12  # across and down
CELL = SIDE // CELLS
SEED = 5
PICTURES, TESTED, EPOCHS, BATCH = 4000, 200, 14, 32
FACE_WEIGHT = 5.0  # of a cell with a face: there are few
SCORE = 0.9  # that a face needs
NEAR = 0.5  # a face is found by a box whose centre is so near to its own, in its sizes


def maps(places: list[Places]) -> np.ndarray:
    """(N, 12, 12) int: 1 in the cells around the middle of a face, more of them the larger it is."""
    made = np.zeros((len(places), CELLS, CELLS), np.int32)
    centres = (np.arange(CELLS) + 0.5) * CELL
    for cells, faces in zip(made, places, strict=True):
        for x, y, size in faces:
            middle_x, middle_y = x + size / 2, y + size / 2
            reach = max(CELL / 2, size / 4)
            cells[np.ix_(abs(centres - middle_y) <= reach, abs(centres - middle_x) <= reach)] = 1
    return made


def network():
    """A small MobileNet up to an eighth of the picture, then a decision a cell."""
    from keras import Input, Model, layers

    def block(x, channels: int, stride: int):
        for layer in (
            layers.DepthwiseConv2D(3, stride, "same", use_bias=False),
            layers.Conv2D(channels, 1, use_bias=False),
        ):
            x = layers.ReLU(6.0)(layers.BatchNormalization()(layer(x)))
        return x

    picture = Input((SIDE, SIDE, 1), 1)
    x = layers.Conv2D(8, 3, 2, "same", use_bias=False)(picture)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    for channels, stride in ((16, 2), (24, 1), (32, 2), (48, 1), (48, 1)):
        x = block(x, channels, stride)
    x = layers.Softmax()(layers.Conv2D(2, 1)(x))
    return Model(picture, x)


def train(x: np.ndarray, y: np.ndarray):
    """The trained network, of pictures (N, 96, 96, 1) in 0..1 and what cells hold (N, 12, 12)."""
    import keras

    keras.utils.set_random_seed(SEED)
    model = network()
    rate = keras.optimizers.schedules.CosineDecay(3e-3, EPOCHS * len(x) // BATCH)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.fit(x, y, BATCH, EPOCHS, verbose=2, sample_weight=np.where(y > 0, FACE_WEIGHT, 1.0))
    return model


def score(path: Path, count: int = TESTED) -> tuple[float, float]:
    """Shares in pictures that the network has not seen: of the faces those found, of what is found what is a face."""
    model = midge.load(str(path))
    found = faces = right = boxes = 0
    for picture, places in zip(*pictures.pictures(count, SEED + 1, is_test=True), strict=True):
        things = model.detect(midge.Image(picture))
        centres = [(x + w / 2, y + h / 2) for _, _, x, y, w, h in things]
        near = [
            [max(abs(x - a - size / 2), abs(y - b - size / 2)) < NEAR * size for x, y in centres]
            for a, b, size in places
        ]
        faces, boxes = faces + len(places), boxes + len(things)
        found += sum(map(any, near))
        right += sum(map(any, zip(*near, strict=True))) if near else 0
    return found / faces, right / max(boxes, 1)


def main() -> None:
    x, places = pictures.pictures(PICTURES, SEED)
    model = train(x[..., None].astype(np.float32) / 255, maps(places))
    calibration = x[:100, ..., None].astype(np.float32) / 255
    output = HERE / "faces.midge"
    midge_host.convert(
        model,
        output,
        calibration=calibration,
        detect="fomo",
        score=SCORE,
        name="faces",
        labels=HERE / "faces.txt",
        tell=print,
    )
    found, right = score(output)
    print(f"{output.name}: {output.stat().st_size:,} bytes; finds {found:.0%} of faces, {right:.0%} of boxes are faces")


if __name__ == "__main__":
    main()
