# What Image.sanity() says of a frame. In memory only while it is needed (_borrow in __init__.py).

from ._portable_image import as_bytes, colour, grey

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: frames (host/midge_host/device/spec.py, `make generate`)
_RGB565 = const(0)
_RGB565BE = const(1)
_BGR565 = const(2)
_YUV422 = const(3)
_GREY = const(4)
# generated: end
_ROWS = const(24)  # that are looked at
_PAIRS = const(24)  # of neighbours in a row
_DARK = const(16)  # of 255
_FLAT = const(8)
_TINT = const(32)  # between red and blue


def examine(frame, width, height, kind):
    """What looks wrong, or None: see Image.sanity()."""
    frame = as_bytes(frame)
    low = 255
    high = warm = cold = count = 0
    rough = [0, 0]  # differences of neighbours, as they are and with bytes in the other order
    spread = [255, 0, 255, 0]  # lowest and highest brightness, lowest and highest colour of yuv422
    for j in range(min(_ROWS, height)):
        y = j * height // min(_ROWS, height)
        for i in range(min(_PAIRS, width // 2)):
            at = y * width + i * (width // 2) // min(_PAIRS, width // 2) * 2
            value = grey(frame, kind, at)[0]
            low = min(low, value)
            high = max(high, value)
            count += 1
            if kind <= _BGR565:
                rough[0] += abs(value - grey(frame, kind, at + 1)[0])
                other = _RGB565 if kind == _RGB565BE else _RGB565BE
                rough[1] += abs(grey(frame, other, at)[0] - grey(frame, other, at + 1)[0])
            elif kind == _YUV422:
                for k in (0, 1):
                    part = frame[2 * at + k]
                    spread[2 * k] = min(spread[2 * k], part)
                    spread[2 * k + 1] = max(spread[2 * k + 1], part)
            # The lower half only: skies are blue.
            if kind != _GREY and 2 * y >= height:
                r, g, b = colour(frame, kind, at)
                warm += r >= g >= b and r - b > _TINT
                cold += b >= g >= r and b - r > _TINT
    if high < _DARK:
        return "the frame is black: is the lens covered, the exposure too short, or no frame there yet?"
    if 2 * rough[0] > 3 * rough[1]:
        return "the two bytes of a pixel look swapped: try format %s" % ("rgb565" if kind == _RGB565BE else "rgb565be")
    if kind == _YUV422 and spread[3] - spread[2] > 2 * (spread[1] - spread[0]):
        return "brightness and colour look swapped: the camera seems to send U Y V Y, yuv422 is Y U Y V"
    if high - low < _FLAT:
        return "the frame has no contrast: all of it is about %d of 255" % high
    if cold > 4 * warm and 100 * cold > count:
        return "red and blue look swapped, unless there is much blue in the picture%s" % (
            {_RGB565: ": try format bgr565", _BGR565: ": try format rgb565"}.get(kind, "")
        )
    return None
