"""Pictures from files, as Pillow reads them, and as a board takes them from a camera."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import midge

from ..device import picture, spec
from ..device.model_file import TensorInfo
from ..errors import MidgeError, install

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm")
UNIT = 2.0  # a channel with a scale of its own that reaches it takes pixels as 0..255, else as 0..1


def read(path: Path, mode: str) -> Any:
    """A picture of Pillow in this mode, upright. Raises MidgeError where it cannot be read, or Pillow is not here."""
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise MidgeError(f"{path}: pictures need Pillow; {install('pictures')}") from None
    try:
        with Image.open(path) as opened:
            return ImageOps.exif_transpose(opened).convert(mode)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise MidgeError(f"{path}: cannot be read as a picture ({error}); delete it or save it again") from None


def fit(picture: Any, width: int, height: int) -> Any:
    """A picture cut around the middle to these proportions, and resized."""
    from PIL import Image, ImageOps

    return ImageOps.fit(picture, (width, height), Image.Resampling.BILINEAR)


def image(path: Path, tensor: TensorInfo, crop: str) -> midge.Image:
    """A picture for an input. Raises MidgeError where the input takes none. crop: as midge.Image has it."""
    shape = tensor.shape
    if tensor.element != "int8" or len(shape) != 4 or shape[0] != 1 or shape[3] not in (1, 3):
        what = "x".join(map(str, shape))
        raise MidgeError(
            f"{path}: a picture, but the model takes {what} values of {tensor.element}; give these in an .npz"
        )
    try:
        return midge.Image(read(path, "L" if shape[3] == 1 else "RGB"), crop=crop)
    except ValueError as error:
        raise MidgeError(f"{path}: {error}") from None


def reading(path: Path, tensor: TensorInfo, crop: str) -> np.ndarray:
    """(1, *shape), what midge.Image makes of a picture: uint8 pixels; float32 real values for an input whose channels
    have scales of their own. crop: as midge.Image has it."""
    frame, shape = image(path, tensor, crop), tensor.shape
    view = dict(zip([field.name for field in spec.VIEW.fields], frame.view(shape), strict=True))
    made = picture.pixels(view, np.frombuffer(frame.buffer, np.uint8), (shape[1], shape[2], shape[3]))[None]
    if not tensor.channel_scales:
        return made
    highest = (np.array(tensor.channel_scales) * (127 - np.array(tensor.channel_zero_points))).max()
    return made.astype(np.float32) if highest >= UNIT else made.astype(np.float32) / np.float32(255)
