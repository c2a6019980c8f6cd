# Kernels of int16 activations in plain Python, of _portable_extra.py.

import struct
from array import array

from ._portable import _clamp, _dot, _rescale, _signed, _taps, _wrap
from ._portable_extra import _rescale_wide, _values

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: wide operators (host/midge_host/device/spec.py, `make generate`)
_CONV_2D_16 = const(35)
_DEPTHWISE_CONV_2D_16 = const(36)
_FULLY_CONNECTED_16 = const(37)
_SOFTMAX_16 = const(47)
_AVERAGE_POOL_2D_16 = const(48)
_MAX_POOL_2D_16 = const(49)
_MEAN_16 = const(50)
_SOFTMAX_FROM_16 = const(51)
_LOGISTIC_16 = const(52)
_TANH_16 = const(53)
_CHANNEL16_BYTES = const(12)
_EXP_TABLE_BYTES = const(1026)
_SIGMOID_BYTES = const(512)
_GATES_BYTES = const(32)
# generated: end

_CHANNEL = "<IhhI"  # of a channel in a block: its bias in two parts, its shift and multiplier


def conv16(op, arena, weights, block, begin, end):
    stride_h, stride_w, dilation_h, dilation_w, low, high = op[3:9]
    in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w, pad_top, pad_left, block_channels = op[9:20]
    depthwise = op[0] == _DEPTHWISE_CONV_2D_16
    depth = 1 if depthwise else in_c
    row = kernel_h * kernel_w * depth
    step = dilation_w * in_c
    x = _values("h", arena, op[-7], 2 * in_h * in_w * in_c)
    out = memoryview(arena)[op[-6] : op[-6] + 2 * out_h * out_w * out_c]
    for c in range(begin * block_channels, end * block_channels):
        start = block + (c // block_channels) * op[-3]
        i = c % block_channels
        bias, upper, shift, multiplier = struct.unpack_from(_CHANNEL, weights, start + i * _CHANNEL16_BYTES)
        bias += upper << 32
        multiplier &= 0x7FFFFFFF
        shift = _clamp(shift, -31, 30 if op[1] else 7)
        w = _signed(weights, start + block_channels * _CHANNEL16_BYTES + i * row, row)
        channel = c * in_c // out_c if depthwise else 0
        to = 2 * c
        for oy in range(out_h):
            y = oy * stride_h - pad_top
            top, bottom = _taps(y, in_h, kernel_h, dilation_h)
            for ox in range(out_w):
                at = ox * stride_w - pad_left
                left, right = _taps(at, in_w, kernel_w, dilation_w)
                acc = bias
                for ky in range(top, bottom if left < right else top):
                    i = ((y + ky * dilation_h) * in_w + at + left * dilation_w) * in_c + channel
                    j = (ky * kernel_w + left) * depth
                    if step == depth:  # taps without gaps
                        acc += _dot(x, i, w, j, (right - left) * depth)
                        continue
                    for _ in range(right - left):
                        acc += _dot(x, i, w, j, depth)
                        i += step
                        j += depth
                q = _rescale(_wrap(acc), multiplier, shift) if op[1] else _rescale_wide(acc, multiplier, shift)
                q = _clamp(q, low, high)
                out[to] = q & 255
                out[to + 1] = q >> 8 & 255
                to += 2 * out_c


def pool16(op, arena, weights, block, begin, end):
    stride_h, stride_w, _, _, low, high = op[3:9]
    in_h, in_w, in_c, out_h, out_w, _, kernel_h, kernel_w, pad_top, pad_left = op[9:19]
    x = _values("h", arena, op[-7], 2 * in_h * in_w * in_c)
    out = array("h", [])
    for oy in range(out_h):
        y = oy * stride_h - pad_top
        top, bottom = _taps(y, in_h, kernel_h, 1)
        for ox in range(out_w):
            at = ox * stride_w - pad_left
            left, right = _taps(at, in_w, kernel_w, 1)
            count = max(0, bottom - top) * max(0, right - left)
            for c in range(in_c):
                total = 0
                best = -32768
                for ky in range(top, bottom):
                    for kx in range(left, right):
                        v = x[((y + ky) * in_w + at + kx) * in_c + c]
                        total += v
                        best = max(best, v)
                if not count:
                    best = 0
                elif op[0] == _AVERAGE_POOL_2D_16:  # halves away from zero
                    best = (abs(total) + count // 2) // count
                    if total < 0:
                        best = -best
                out.append(_clamp(best, low, high))
    _store(arena, op[-6], out)


def mean16(op, arena, weights, block, begin, end):
    outer, count, inner, multiplier, shift = op[3:8]
    x = _values("h", arena, op[-7], 2 * outer * count * inner)
    out = array("h", [])
    for o in range(outer):
        for i in range(o * count * inner, o * count * inner + inner):
            total = 0
            for r in range(count):
                total += x[i + r * inner]
            out.append(_clamp(_rescale(total, multiplier, shift), -32768, 32767))
    _store(arena, op[-6], out)


def requantize(op, arena, weights, block, begin, end):
    count, multiplier, negative, low, high, shift, negative_shift, in_zero, out_zero = op[3:12]
    x = _values("h", arena, op[-7], 2 * count) if op[1] & 1 else _signed(arena, op[-7], count)
    out = array("h" if op[1] & 2 else "b", [])
    for v in x:
        v -= in_zero
        q = _rescale(v, negative, negative_shift) if v < 0 else _rescale(v, multiplier, shift)
        out.append(_clamp(_wrap(q + out_zero), low, high))
    _store(arena, op[-6], out)


def softmax_from16(op, arena, weights, block, begin, end):
    rows, depth, multiplier, shift = op[3:7]
    exp = _values("h", weights, block, _EXP_TABLE_BYTES)
    inverse = _values("h", weights, block + _EXP_TABLE_BYTES, _EXP_TABLE_BYTES)
    for row in range(rows):
        x = _values("h", arena, op[-7] + 2 * row * depth, 2 * depth)
        top = max(x)
        for i in range(depth):
            x[i] = _look_up(exp, _wrap(_rescale(x[i] - top, multiplier, shift) + 32767))
        total = max(sum(x), 1 << 14)  # the tables of a sound file give more
        right = 30
        while not total >> 30:
            total <<= 1
            right -= 1
        factor = _look_up(inverse, ((total + (1 << 13)) >> 14) - (1 << 15) - (1 << 16))
        for i in range(depth):
            x[i] = _clamp((x[i] * factor + (1 << (right - 1))) >> right, 0, 32767)
        _store(arena, op[-6] + 2 * row * depth, x)


def _look_up(table, x):
    # On a straight line between two entries.
    x = _clamp(x, -32768, 32767)
    at = (x >> 7) + 256
    slope = ((table[at + 1] - table[at] + 0x8000) & 0xFFFF) - 0x8000
    return ((table[at] + ((slope * (x & 127) + 64) >> 7) + 0x8000) & 0xFFFF) - 0x8000


def _store(arena, at, values):
    data = bytes(values)
    memoryview(arena)[at : at + len(data)] = data
