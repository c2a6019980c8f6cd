# Image: a camera's frame as a reading. Imported on first use (__getattr__ in __init__.py).

import sys
from array import array

from . import _borrow
from . import _text as text

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: frames (host/midge_host/device/spec.py, `make generate`)
_FORMATS = const(("rgb565", "rgb565be", "bgr565", "yuv422", "grey", "rgb888"))
_BYTES = const(b"\x02\x02\x02\x02\x01\x03")
_YUV422 = const(3)
_SIDE = const(16384)
# generated: end
_LEVELS = const(256)  # of a pixel
_BEGIN = const(10)  # of a view: the first row of a strip


class Image:
    """A camera's frame, to be given to a model as a reading. What the model needs of it is cropped, turned, scaled and
    converted while it is read, without a copy of the frame: docs/NUMERICS.md, "Pictures".

    buffer: bytes, bytearray, memoryview or array with width * height pixels, row by row. It is not copied: the same Image
    serves for one frame after the other that the camera writes there, and `image.buffer = other` for others of its size.
    format: "rgb565", "bgr565" (uint16, the lower byte first), "rgb565be" (the upper byte first, as most cameras send
    it), "yuv422" (Y U Y V), "grey" or "rgb888". On the PC a NumPy array of uint8 (height, width[, 3]) or a picture of
    Pillow comes without these three.
    crop: "centre", the largest part in the middle with the proportions of the model's input; "fit", all of it with black
    bars where the proportions differ; (x, y, width, height) in pixels of the frame, which is stretched to the input.
    rotate: degrees clockwise, 0, 90, 180 or 270, after the crop. flip: left and right change places, at last.

    Raises ValueError (what, and what is possible) for anything else, and for a buffer that is too short. A prediction
    raises TypeError when the model's input is no picture, (1, height, width, 1 or 3) of int8.
    """

    def __init__(self, buffer, width=None, height=None, format=None, crop="centre", rotate=0, flip=False):
        if width is None:
            buffer, width, height, format = _borrow("_pictures", "describe", buffer)
        if format not in _FORMATS:
            raise ValueError(text("frame format", ", ".join(_FORMATS), format))
        self._number = _FORMATS.index(format)
        if not (0 < width <= _SIDE and 0 < height <= _SIDE) or (width & 1 and self._number == _YUV422):
            raise ValueError(text("frame size", _SIDE, width, height))
        if rotate not in (0, 90, 180, 270):
            raise ValueError(text("rotate", rotate))
        if crop not in ("centre", "fit"):
            try:
                x, y, w, h = crop
                if x < 0 or y < 0 or w < 1 or h < 1 or x + w > width or y + h > height:
                    raise ValueError
            except (TypeError, ValueError):
                raise ValueError(text("crop", width, height, crop))
        self.buffer = buffer
        self.width = width
        self.height = height
        self.format = format
        self._crop = crop
        self._rotate = rotate
        self._flip = flip
        self._tensor = None  # for which the rest is prepared
        self._check_length()

    def sanity(self):
        """Looks at the frame; returns None, or a str that says what looks wrong: black, without any contrast, with bytes
        or red and blue in the wrong order. A guess by what photographs are like."""
        return _borrow("_sanity", "examine", self.buffer, self.width, self.height, self._number)

    def _check_length(self):
        view = memoryview(self.buffer)
        size = len(view) * len(bytes(view[:1]))
        if hasattr(view, "nbytes"):  # views of the PC may have several dimensions
            size = view.nbytes
        need = self.width * self.height * _BYTES[self._number]
        if size < need:
            raise ValueError(text("frame length", self.width, self.height, self.format, need, size))
        self._checked = self.buffer

    def _load(self, tensor, arena, first=0):
        # Writes what the model needs of the frame into its input; into a strip of it from row `first` on.
        if self._tensor is not tensor:
            self._prepare(tensor)
        if self._checked is not self.buffer:
            self._check_length()
        self._view[_BEGIN] = first
        if self._take(self._view, self.buffer, tensor.raw, self._tables, self._scratch, arena):
            self._check_length()
            raise ValueError(text("frame refused", tensor.name))

    def _prepare(self, tensor):
        # What is the same for every frame.
        shape = tensor.shape
        if tensor.element != "int8" or len(shape) != 4 or shape[0] != 1 or shape[3] not in (1, 3):
            raise TypeError(text("no picture", tensor.name, shape, tensor.element))
        self._tensor = None
        self._view = array("i", self.view(shape))
        w, h, _, _, columns, rows = self._view[4:_BEGIN]
        self._tables = _tables(tensor) if tensor.channels else b""
        # picture.c says what for.
        self._scratch = bytearray(4 * w * shape[3] + 2 * (w + 6 * columns + h // rows + 4) + _LEVELS)
        native = tensor.module is sys.modules.get("midge_core") and _borrow("_loader", "module", "midge_image", "auto")
        if native:
            self._take = native.load
        else:
            from ._portable_image import load

            self._take = load
        self._tensor = tensor

    def view(self, shape):
        """For the library: the numbers of a `view` (host/midge_host/device/spec.py), for an input of this shape."""
        rows, columns = shape[1:3]
        left = top = x = y = 0
        across, w, h = self.width, self.width, self.height
        is_turned = self._rotate in (90, 270)
        if self._crop == "centre":
            a, b = (rows, columns) if is_turned else (columns, rows)
            if w * b > h * a:
                x, w = _middle(w, h * a, b)
            else:
                y, h = _middle(h, w * b, a)
        elif self._crop == "fit":
            a, b = (h, w) if is_turned else (w, h)
            if a * rows > b * columns:
                top, rows = _middle(rows, b * columns, a)
            else:
                left, columns = _middle(columns, a * rows, b)
        else:
            x, y, w, h = self._crop
        # The frame's pixel that comes first, and the ways to the next one and to the next row.
        first = y * across + x
        if self._rotate in (90, 180):
            first += (h - 1) * across
        if self._rotate in (180, 270):
            first += w - 1
        right, down = {0: (1, across), 90: (-across, 1), 180: (-1, -across), 270: (across, -1)}[self._rotate]
        if is_turned:
            w, h = h, w
        if self._flip:
            first += (w - 1) * right
            right = -right
        return self._number, first, right, down, w, h, left, top, columns, rows, 0


def _middle(size, product, divisor):
    # What lies in the middle of a line of this size: where it begins, and its size, product / divisor.
    part = max(1, (product + divisor // 2) // divisor)
    return (size - part) // 2, part


def _tables(tensor):
    # The input's values for pixels of 0..255 where its channels have scales: those of real values of pixel / 255, or of
    # the pixel as it is where a channel goes up to 2 or above.
    from ._convert import quantized

    count = len(tensor.channels)
    unit = 1 if max(scale * (127 - zero_point) for scale, zero_point in tensor.channels) >= 2 else 255
    tables = bytearray(_LEVELS * count)
    for i in range(_LEVELS * count):
        tables[i] = quantized(tensor, i % _LEVELS / unit, i // _LEVELS) & 255
    return tables
