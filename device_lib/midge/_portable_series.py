# Like _portable.py, the series bank: filters and features of motion and other series.

import struct

from ._portable import _values, bank
from ._portable_features import root

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: records (host/midge_host/device/ops, `make generate`)
_BAD_TENSOR = const(2)
_BAD_WEIGHTS = const(3)
_BAD_PARAMETER = const(4)
_HAS_BANDS = const(1)
_SERIES_INT8 = const(2)
_SERIES_INT16 = const(4)
_RESCALE_BYTES = const(12)
_SERIES_MEAN = const(0)
_SERIES_STD = const(1)
_SERIES_MIN = const(2)
_SERIES_MAX = const(3)
_SERIES_RANGE = const(4)
_SERIES_RMS = const(5)
_SERIES_DIFF = const(6)
_SERIES_CROSSINGS = const(7)
_SERIES_MEDIAN = const(8)
_SERIES_BAND = const(9)
_SECTION_BYTES = const(24)
_COEFFICIENT_BITS = const(30)
_FILTERED_BITS = const(13)
_FILTERED_LIMIT = const(1073741824)
_FLAGS = const(3)
_BLOCKS = const(4)
_INPUT = const(-7)
_OUTPUT = const(-6)
_BLOCK_BYTES = const(-3)
_SERIES_FEATURES_ROWS = const(5)
_SERIES_FEATURES_CHANNELS = const(6)
_SERIES_FEATURES_FEATURES = const(7)
_SERIES_FEATURES_BANDS = const(8)
_SERIES_FILTER_ROWS = const(5)
_SERIES_FILTER_CHANNELS = const(6)
_SERIES_FILTER_SECTIONS = const(7)
_SERIES_FEATURES_LAYOUT = "<BBBBHHHHH30xIIIIIII"
_SERIES_FILTER_LAYOUT = "<BBBBHHHH32xIIIIIII"
# generated: end

_OK = const(0)


# generated: checks (host/midge_host/device/ops, `make generate`)
# fmt: off
def _check_series_features(op, arena_bytes):
    if (
        op[_FLAGS] > 7
        or op[_SERIES_FEATURES_ROWS] < 2
        or op[_SERIES_FEATURES_ROWS] > 4096
        or not op[_SERIES_FEATURES_CHANNELS]
        or not op[_SERIES_FEATURES_FEATURES]
        or op[_INPUT] % 2
        or op[_OUTPUT] % (1 if op[_FLAGS] & 2 else (2 if op[_FLAGS] & 4 else 4))
        or op[_BLOCKS] != 1
    ):
        return _BAD_PARAMETER
    if (
        op[_BLOCK_BYTES] < (4 * ((op[_SERIES_FEATURES_FEATURES] + 3) // 4) + (4 * op[_SERIES_FEATURES_ROWS] if op[_FLAGS] & 1 else 0)) + (op[_SERIES_FEATURES_CHANNELS] * op[_SERIES_FEATURES_FEATURES] * 12 if op[_FLAGS] & 6 else 0)
    ):
        return _BAD_WEIGHTS
    if (
        op[_INPUT] + op[_SERIES_FEATURES_ROWS] * op[_SERIES_FEATURES_CHANNELS] * 2 > arena_bytes
        or op[_OUTPUT] + op[_SERIES_FEATURES_CHANNELS] * op[_SERIES_FEATURES_FEATURES] * (1 if op[_FLAGS] & 2 else (2 if op[_FLAGS] & 4 else 4)) > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_series_filter(op, arena_bytes):
    if (
        not op[_SERIES_FILTER_ROWS]
        or not op[_SERIES_FILTER_CHANNELS]
        or not op[_SERIES_FILTER_SECTIONS]
        or op[_SERIES_FILTER_ROWS] > 4096
        or op[_SERIES_FILTER_SECTIONS] > 8
        or (op[_INPUT] | op[_OUTPUT]) % 2
        or op[_BLOCKS] != 1
    ):
        return _BAD_PARAMETER
    if op[_BLOCK_BYTES] < 24 * op[_SERIES_FILTER_SECTIONS]:
        return _BAD_WEIGHTS
    if (
        op[_INPUT] + op[_SERIES_FILTER_ROWS] * op[_SERIES_FILTER_CHANNELS] * 2 > arena_bytes
        or op[_OUTPUT] + op[_SERIES_FILTER_ROWS] * op[_SERIES_FILTER_CHANNELS] * 2 > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK
# fmt: on
# generated: end


def _series_filter(op, arena, weights, block, begin, end):
    rows, channels, sections = op[_SERIES_FILTER_ROWS], op[_SERIES_FILTER_CHANNELS], op[_SERIES_FILTER_SECTIONS]
    samples = _values("h", arena, op[_INPUT], 2 * rows * channels)
    for channel in range(channels):
        x = [samples[i] for i in range(channel, rows * channels, channels)]
        for section in range(sections):
            _filter(x, *struct.unpack_from("<6i", weights, block + _SECTION_BYTES * section))
        at = op[_OUTPUT] + 2 * channel
        for value in x:
            struct.pack_into("<h", arena, at, value)
            at += 2 * channels


def _filter(x, b0, b1, b2, a1, a2, gain):
    # Changes the samples of a channel. a1, a2: with the sign that they have in a sum.
    x1 = x2 = x[0] << _FILTERED_BITS
    y1 = y2 = _limited(gain * x[0], _FILTERED_LIMIT)
    rest = 1 << _COEFFICIENT_BITS - 1
    for i in range(len(x)):
        now = x[i] << _FILTERED_BITS
        total = b0 * now + b1 * x1 + b2 * x2 + a1 * y1 + a2 * y2 + rest
        x2, x1 = x1, now
        y2, y1 = y1, _limited(total >> _COEFFICIENT_BITS, _FILTERED_LIMIT)
        rest = total & (1 << _COEFFICIENT_BITS) - 1
        x[i] = max(-32768, min(y1 + (1 << _FILTERED_BITS - 1) >> _FILTERED_BITS, 32767))


def _limited(value, limit):
    return max(-limit, min(value, limit))


def _series_features(op, arena, weights, block, begin, end):
    rows, channels, count = op[_SERIES_FEATURES_ROWS], op[_SERIES_FEATURES_CHANNELS], op[_SERIES_FEATURES_FEATURES]
    bands = op[_SERIES_FEATURES_BANDS] if op[_FLAGS] & _HAS_BANDS else 0
    kinds = bytes(memoryview(weights)[block : block + count])
    turns = _values("h", weights, block + (count + 3) // 4 * 4, 4 * rows) if bands else None
    samples = _values("h", arena, op[_INPUT], 2 * rows * channels)
    at = op[_OUTPUT]
    scales = block + (count + 3) // 4 * 4 + (4 * rows if op[_FLAGS] & _HAS_BANDS else 0)
    for channel in range(channels):
        x = [samples[i] for i in range(channel, rows * channels, channels)]
        band = 0
        for kind in kinds:
            value = 0
            if kind != _SERIES_BAND:
                value = _statistic(x, kind)
            elif band < bands:
                bins = rows // 2
                first, last = 1 + band * bins // bands, 1 + (band + 1) * bins // bands
                energy = sum([_energy(x, turns, k) for k in range(first, min(last, bins + 1))])
                value = _root_of_ratio(energy, rows * rows, 8)
                band += 1
            if op[_FLAGS] & (_SERIES_INT8 | _SERIES_INT16):
                value = _requantised(value, *struct.unpack_from("<3i", weights, scales))
                scales += _RESCALE_BYTES
            if op[_FLAGS] & _SERIES_INT8:
                struct.pack_into("<b", arena, at, max(-128, min(value, 127)))
                at += 1
            elif op[_FLAGS] & _SERIES_INT16:
                struct.pack_into("<h", arena, at, max(-32768, min(value, 32767)))
                at += 2
            else:
                struct.pack_into("<I", arena, at, _float_of(value))
                at += 4


def _requantised(value, multiplier, shift, zero_point):
    shift &= 63
    return (value * multiplier + (1 << shift >> 1) >> shift) + zero_point


def _statistic(x, kind):
    # A feature other than bands, in 1 / 256; 0 for one that is unknown.
    rows, total = len(x), sum(x)
    if kind == _SERIES_MEAN:
        return (total << 8) // rows
    if kind == _SERIES_STD:
        return _root_of_ratio(rows * sum([v * v for v in x]) - total * total, rows * rows)
    if kind == _SERIES_RMS:
        return _root_of_ratio(sum([v * v for v in x]), rows)
    if kind == _SERIES_DIFF:
        return (sum([abs(x[i] - x[i - 1]) for i in range(1, rows)]) << 8) // (rows - 1)
    if kind == _SERIES_MIN:
        return min(x) << 8
    if kind == _SERIES_MAX:
        return max(x) << 8
    if kind == _SERIES_RANGE:
        return max(x) - min(x) << 8
    if kind == _SERIES_CROSSINGS:
        return sum([(x[i] * rows >= total) != (x[i - 1] * rows >= total) for i in range(1, rows)]) << 8
    if kind == _SERIES_MEDIAN:
        return sorted(x)[(rows - 1) // 2] << 8
    return 0


def _energy(x, turns, k):
    # Of both bins of that number, as there are two but for the highest one of an even number; in 1 / 256.
    rows = len(x)
    re = im = at = 0
    for value in x:
        re += value * turns[2 * at]
        im += value * turns[2 * at + 1]
        at = (at + k) % rows
    re, im = re + 512 >> 10, im + 512 >> 10
    both = re * re + im * im
    return both if 2 * k == rows else 2 * both


def _root_of_ratio(value, divisor, fraction=0):
    # 256 times the root of value / 2^fraction / divisor.
    return root((value << 16 - fraction) // divisor)


def _float_of(value):
    # The bits of value / 256 as float32.
    if value == 0:
        return 0
    mantissa, exponent = abs(value), 150 - 8
    while mantissa < 0x800000:
        mantissa <<= 1
        exponent -= 1
    while mantissa >= 0x1000000:
        mantissa >>= 1
        exponent += 1
    return (0x80000000 if value < 0 else 0) | exponent << 23 | mantissa & 0x7FFFFF


# generated: kernels (host/midge_host/device/ops, `make generate`)
_KERNELS = {
    0x04084C: (_SERIES_FEATURES_LAYOUT, _check_series_features, _series_features, True, 0),  # SERIES_FEATURES, int16
    0x04084D: (_SERIES_FILTER_LAYOUT, _check_series_filter, _series_filter, True, 0),  # SERIES_FILTER, int16
}
# generated: end

check, run = bank(_KERNELS)
