# Model.detect(): what a model's heads say, as boxes in a frame's own pixels. Imported on first use.

from array import array

from . import _borrow
from . import _text as text
from ._model import _late, _refuse

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: detect (host/midge_host/device/spec.py, `make generate`)
_DETECT_BYTES = const(20)
_MOST_IN = const(3)
_KEYPOINTS_IN = const(4)
# generated: end
_FOUND = const(6)  # of a candidate before its keypoints: score, class, left, top, width, height
_ONE = const(32768)  # a score of 1
_UNIT = const(16)  # places of candidates in a pixel of the input

_str = str


class _Heads:
    # What a model's file says of its heads, and memory for candidates.

    def __init__(self, model):
        self.section = raw = _borrow("_loader", "section", model._path, model._crcs[0], b"DETE")
        if not raw:
            raise ValueError(text("no detection", model._path))
        if len(raw) < _DETECT_BYTES:
            raise ValueError(text("impossible detection", model._path, len(raw)))
        facts = array("H", bytes(raw[:_DETECT_BYTES]))
        self.size = _FOUND + 2 * facts[_KEYPOINTS_IN]
        self.found = array("h", bytes(2 * self.size * min(facts[_MOST_IN], 255)))
        self.order = bytearray(1 + min(facts[_MOST_IN], 255))
        native = model.backend == "native" and _borrow("_loader", "module", "midge_detect", "auto")
        if native:
            self.find = native.find
        else:
            from ._portable_detect import find

            self.find = find


def detect(model, frame, keypoints):
    """The things in a frame: a list of (label, score, x, y, width, height[, keypoints])."""
    heads = getattr(model, "_heads", None)
    if heads is None:
        heads = model._heads = _Heads(model)
    if not model._acquire(0):
        raise RuntimeError(text("busy"))
    try:
        _run(model, frame)
        status = heads.find(heads.section, model._arena, heads.found, heads.order)
    finally:
        model._release()
    if status:
        raise ValueError(text("impossible detection", model._path, status))
    to_frame = _to_frame(model.inputs[0].shape, frame)
    return [_thing(model, heads, number, to_frame, keypoints) for number in heads.order[1 : 1 + heads.order[0]]]


def _run(model, frame):
    # A prediction whose outputs stay in the arena.
    if hasattr(model, "_run_region"):
        model._run_region(frame, None)
    elif frame.__class__ is _str or model._encode(model._input, frame, model._arena):
        _late("_convert", "load", model, frame)
    if model._steps is not None:
        model._stream(model._steps)
        return
    status = model._run(model._program, model._first, model._last, model._arena, model._weights)
    if status:
        _refuse(model, status)


def _thing(model, heads, number, to_frame, keypoints):
    at = number * heads.size
    score, c, x, y, width, height = heads.found[at : at + _FOUND]
    left, top = to_frame(x, y)
    right, bottom = to_frame(x + width, y + height)
    thing = (
        model.labels[c] if c < len(model.labels) else c,
        score / _ONE,
        min(left, right),
        min(top, bottom),
        abs(right - left),
        abs(bottom - top),
    )
    if not keypoints:
        return thing
    points = [to_frame(*heads.found[i : i + 2]) for i in range(at + _FOUND, at + heads.size, 2)]
    return thing + (points,)


def _to_frame(shape, frame):
    # A function that turns a place in the input, in 1/16 pixels, into one in the frame, in pixels.
    if not hasattr(frame, "view"):
        return lambda x, y: (_rounded(x, _UNIT), _rounded(y, _UNIT))
    _, first, right, down, width, height, left, top, columns, rows, _ = frame.view(shape)
    # The picture's first pixel; where an axis runs backwards, its far edge.
    first_y, first_x = divmod(first, frame.width)
    first_x += -1 in (right, down)
    first_y += -frame.width in (right, down)

    def place(x, y):
        x = _rounded((x - _UNIT * left) * width, _UNIT * columns)
        y = _rounded((y - _UNIT * top) * height, _UNIT * rows)
        if right in (1, -1):
            return first_x + x * right, first_y + (y if down > 0 else -y)
        return first_x + y * down, first_y + (x if right > 0 else -x)

    return place


def _rounded(value, unit):
    return (2 * value + unit) // (2 * unit)
