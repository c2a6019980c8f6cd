# The portable twin of midge_image: takes frames of cameras into a model's input. docs/NUMERICS.md, "Pictures".

import struct

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: frames (host/midge_host/device/spec.py, `make generate`)
_BYTES = const(b"\x02\x02\x02\x02\x01\x03")
_RGB565BE = const(1)
_BGR565 = const(2)
_YUV422 = const(3)
_GREY = const(4)
_RGB888 = const(5)
_SIDE = const(16384)
_TAP_BITS = const(11)
_INT8 = const(1)
_BAD_TENSOR = const(2)
_BAD_PARAMETER = const(4)
_TENSOR = const("<IIfiiiBB6HBB")
# generated: end
_ONE = const(1 << _TAP_BITS)
_HALF = const(1 << 2 * _TAP_BITS - 1)
_LEVELS = const(256)


def load(view, frame, tensor, tables, scratch, arena):
    """Writes part of a frame into an input tensor; a status as midge_image's: 0, or a refusal."""
    fields = struct.unpack_from(_TENSOR, tensor)
    offset, size, _, _, multiplier, addend, _, rank, one, lines, line, channels, _, _, element, _ = fields
    if (
        element != _INT8
        or rank != 4
        or one != 1
        or channels not in (1, 3)
        or not line
        or size % (line * channels)
        or size > lines * line * channels
        or offset + size > len(arena)
    ):
        return _BAD_TENSOR
    kind, first, across, down, width, height, left, top, columns, rows, start = view
    strip = size // (line * channels)  # rows of the input, from start on
    frame = as_bytes(frame)
    if not 0 <= kind < len(_BYTES):
        return _BAD_PARAMETER
    pixels = len(frame) // _BYTES[kind]
    if kind == _YUV422:
        pixels &= ~1
    if (
        not 0 < width <= _SIDE
        or not 0 < height <= _SIDE
        or min(columns, rows) < 1
        or min(left, top) < 0
        or left + columns > line
        or top + rows > lines
        or strip < 1
        or not 0 <= start <= lines - strip
        or len(tables) not in (0, _LEVELS * channels)
    ):
        return _BAD_PARAMETER
    for corner in (0, (width - 1) * across, (height - 1) * down, (width - 1) * across + (height - 1) * down):
        if not 0 <= first + corner < pixels:
            return _BAD_PARAMETER
    if not tables:
        tables = bytearray(_LEVELS)
        for i in range(_LEVELS):
            tables[i] = max(-128, min(127, i * multiplier + addend + (1 << 15) >> 16)) & 255
    each = _LEVELS if len(tables) > _LEVELS else 0
    top -= start
    made = range(max(0, -top), min(rows, strip - top))  # the picture's rows in this strip
    if columns != line or len(made) != strip:
        for i in range(size):
            arena[offset + i] = tables[i % channels * each]
    pixel = grey if channels == 1 else colour
    horizontal = [_taps(width, columns, x) for x in range(columns)]
    for y in made:
        begin, weights = _taps(height, rows, y)
        # Of each column; less 128, so that sums of sums stay below 2^30.
        sums = [0] * (width * channels)
        index = first + begin * down
        for weight in weights:
            at = index
            i = 0
            for _ in range(width):
                for value in pixel(frame, kind, at):
                    sums[i] += (value - 128) * weight
                    i += 1
                at += across
            index += down
        to = offset + ((top + y) * line + left) * channels
        for begin, weights in horizontal:
            for c in range(channels):
                total = _HALF
                i = begin * channels + c
                for weight in weights:
                    total += sums[i] * weight
                    i += channels
                arena[to] = tables[c * each + 128 + (total >> 2 * _TAP_BITS)]
                to += 1
    return 0


def as_bytes(frame):
    """A frame as bytes. An array of halfwords is copied: MicroPython has no other view of it."""
    if len(bytes(memoryview(frame)[:1])) == 1:
        return frame
    return bytes(frame)


def _taps(n, m, o):
    # Of output pixel `o` of a line of n pixels that becomes one of m: the first one's place, and the weights.
    if n < m:
        at = max(0, (2 * o + 1) * n - m)
        first = at // (2 * m)
        if first + 1 == n:
            return first, [_ONE]
        weight = ((at - first * 2 * m) * _ONE + m) // (2 * m)
        return first, [_ONE - weight, weight]
    begin = o * n
    first = begin // m
    end = first * m - begin
    before = 0
    weights = []
    while before < _ONE:
        end += m
        total = (min(end, n) * _ONE + n // 2) // n
        weights.append(total - before)
        before = total
    return first, weights


def colour(frame, kind, index):
    """A pixel's red, green and blue, 0..255."""
    if kind == _GREY:
        value = frame[index]
        return value, value, value
    if kind == _RGB888:
        index *= 3
        return frame[index], frame[index + 1], frame[index + 2]
    if kind == _YUV422:
        pair = index // 2 * 4
        light = max(0, frame[2 * index] - 16) * 1220542 + (1 << 19)
        u = frame[pair + 1] - 128
        v = frame[pair + 3] - 128
        return (
            _limited(light + 1673527 * v),
            _limited(light - 852492 * v - 409993 * u),
            _limited(light + 2116026 * u),
        )
    index *= 2
    value = frame[index] << 8 | frame[index + 1] if kind == _RGB565BE else frame[index + 1] << 8 | frame[index]
    high, green, low = value >> 11 << 3, (value >> 5 & 63) << 2, (value & 31) << 3
    return (low, green, high) if kind == _BGR565 else (high, green, low)


def _limited(x):
    return max(0, min(255, x >> 20))


def grey(frame, kind, index):
    """A pixel's brightness, 0..255, as a tuple of one."""
    if kind == _GREY:
        return (frame[index],)
    if kind == _YUV422:
        return (frame[2 * index],)
    red, green, blue = colour(frame, kind, index)
    return (red * 9798 + green * 19235 + blue * 3735 + (1 << 14) >> 15,)
