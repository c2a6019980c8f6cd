"""Frames of cameras for midge.Image: cases, and what the NumPy reference makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from midge import _image, _model
from midge_host.device import picture, spec

SIZES = spec.FRAME_FORMATS


@dataclass(frozen=True)
class Case:
    """A frame, how it is taken, and the shape of the input that takes it. seed: of the frame's bytes."""

    format: str
    width: int
    height: int
    shape: tuple[int, int, int]
    crop: Any = "centre"
    rotate: int = 0
    flip: bool = False
    seed: int = 1
    odd: bool = False  # whether the frame begins at an odd address

    def frame(self) -> bytes:
        return np.random.default_rng(self.seed).bytes(self.width * self.height * SIZES[self.format])

    def options(self) -> dict[str, Any]:
        names = ("width", "height", "format", "crop", "rotate", "flip")
        return {name: value for name, value in asdict(self).items() if name in names}


QQVGA = ("rgb565", "rgb565be", "bgr565", "yuv422", "grey", "rgb888")
CASES = [
    *(Case(name, 160, 120, (96, 96, 3)) for name in QQVGA),
    *(Case(name, 40, 30, (24, 24, 1)) for name in QQVGA),
    *(Case("rgb565be", 40, 30, (24, 20, 3), rotate=r, flip=f) for r in (0, 90, 180, 270) for f in (False, True)),
    *(Case("yuv422", 20, 14, (9, 12, 3), "fit", r, r == 90) for r in (0, 90, 180, 270)),
    Case("rgb565", 40, 30, (24, 24, 3), odd=True),
    Case("rgb565", 64, 48, (12, 10, 3)),  # several rows and columns for each
    Case("rgb565", 33, 27, (30, 16, 3), (0, 0, 33, 27)),  # two rows, more columns
    Case("rgb565", 30, 27, (16, 30, 3), (0, 0, 30, 27)),
    Case("rgb565", 9, 7, (20, 31, 3), "fit"),
    Case("bgr565", 1, 1, (5, 4, 3), (0, 0, 1, 1)),
    Case("rgb565", 2, 1, (1, 1, 3)),
    Case("rgb888", 96, 96, (96, 96, 3)),
    Case("rgb888", 21, 13, (8, 8, 3), (3, 2, 11, 7), 270, True),
    Case("grey", 28, 28, (28, 28, 1), (1, 1, 5, 25)),
    Case("grey", 300, 2, (3, 3, 3), "fit"),
]


def random_cases(count: int, seed: int = 0) -> Iterator[Case]:
    rng = np.random.default_rng(seed)

    def side(limit: int) -> int:
        return int(rng.integers(1, limit))

    for i in range(count):
        name = QQVGA[rng.integers(len(QQVGA))]
        width, height = side(40) * (2 if name == "yuv422" else 1), side(40)
        x, y = int(rng.integers(width)), int(rng.integers(height))
        inner = x, y, int(rng.integers(1, width - x + 1)), int(rng.integers(1, height - y + 1))
        crop = ("centre", "fit", inner)[rng.integers(3)]
        shape = side(30), side(30), (1, 3)[rng.integers(2)]
        yield Case(name, width, height, shape, crop, 90 * int(rng.integers(4)), bool(rng.integers(2)), i)


def descriptor(
    shape: tuple[int, int, int], offset: int = 0, multiplier: int = 1 << 16, addend: int = -128 << 16
) -> bytes:
    """Of an input tensor of int8."""
    return spec.TENSOR.pack(
        offset=offset,
        bytes=int(np.prod(shape)),
        scale=1 / 255,
        zero_point=-128,
        pixel_multiplier=multiplier,
        pixel_offset=addend,
        dtype=1,
        rank=4,
        shape=(1, *shape, 0, 0),
        element=1,
    )


def view(case: Case, module: Any) -> dict[str, int]:
    return prepared(case, module)[0]


def prepared(case: Case, module: Any) -> tuple[dict[str, int], int]:
    """What midge.Image makes of a case: the view, and bytes of scratch memory."""
    tensor = _model.Tensor("image", descriptor(case.shape), b"", [module])
    image = _image.Image(case.frame(), **case.options())
    image._prepare(tensor)
    return spec.VIEW.unpack(image._view.tobytes()), len(image._scratch)


def reference(case: Case, module: Any) -> np.ndarray:
    """(height, width, channels) uint8."""
    return picture.pixels(view(case, module), np.frombuffer(case.frame(), np.uint8), case.shape)
