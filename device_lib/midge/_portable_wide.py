# Like _portable.py, the wide bank: int16 activations; inputs and outputs of int16 and int32.

import struct
from array import array

from ._portable import (
    _clamp,
    _elements,
    _exponentials,
    _high_mul,
    _is_rescale,
    _rescale,
    _rounding_shift,
    _signed,
    _store,
    _taps,
    _values,
    _view,
    _wrap,
    bank,
)
from ._portable_int16 import _dot, _logistic, _rescale_wide, _tanh

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: records (host/midge_host/device/ops, `make generate`)
_BAD_TENSOR = const(2)
_BAD_WEIGHTS = const(3)
_BAD_PARAMETER = const(4)
_DEPTHWISE_CONV_2D = const(2)
_AVERAGE_POOL_2D = const(4)
_TANH = const(16)
_NARROW = const(1)
_CHANNEL16_BYTES = const(12)
_INPUT_INT8 = const(1)
_EXP_TABLE_BYTES = const(1026)
_SIGMOID_BYTES = const(512)
_ELEMENT_AT = const(38)
_DTYPE_INT16 = const(4)
_CODE = const(0)
_TYPES = const(2)
_FLAGS = const(3)
_BLOCKS = const(4)
_INPUT = const(-7)
_OUTPUT = const(-6)
_BLOCK_BYTES = const(-3)
_WINDOW16_STRIDE_H = const(5)
_WINDOW16_STRIDE_W = const(6)
_WINDOW16_DILATION_H = const(7)
_WINDOW16_DILATION_W = const(8)
_WINDOW16_CLAMP_MIN = const(9)
_WINDOW16_CLAMP_MAX = const(10)
_WINDOW16_IN_H = const(11)
_WINDOW16_IN_W = const(12)
_WINDOW16_IN_C = const(13)
_WINDOW16_OUT_H = const(14)
_WINDOW16_OUT_W = const(15)
_WINDOW16_OUT_C = const(16)
_WINDOW16_KERNEL_H = const(17)
_WINDOW16_KERNEL_W = const(18)
_WINDOW16_PAD_TOP = const(19)
_WINDOW16_PAD_LEFT = const(20)
_WINDOW16_BLOCK_CHANNELS = const(21)
_REDUCE_OUTER = const(9)
_REDUCE_REDUCE = const(10)
_REDUCE_INNER = const(11)
_REDUCE_MULTIPLIER = const(12)
_REDUCE_SHIFT = const(13)
_SOFTMAX_ROWS = const(5)
_SOFTMAX_DEPTH = const(6)
_SOFTMAX_MULTIPLIER = const(7)
_SOFTMAX_SHIFT = const(8)
_SOFTMAX_DIFF_MIN = const(9)
_ARITHMETIC_SHIFT1 = const(5)
_ARITHMETIC_SHIFT2 = const(6)
_ARITHMETIC_SHIFT = const(7)
_ARITHMETIC_REPEAT1 = const(11)
_ARITHMETIC_REPEAT2 = const(12)
_ARITHMETIC_CLAMP_MIN = const(13)
_ARITHMETIC_CLAMP_MAX = const(14)
_ARITHMETIC_SHAPE = const(15)
_ARITHMETIC_INPUT2 = const(20)
_ARITHMETIC_MULTIPLIER1 = const(21)
_ARITHMETIC_MULTIPLIER2 = const(22)
_ARITHMETIC_MULTIPLIER = const(23)
_FUNCTION16_SHIFT = const(5)
_FUNCTION16_COUNT = const(6)
_FUNCTION16_MULTIPLIER = const(7)
_MATMUL_SHIFT = const(5)
_MATMUL_REPEAT1 = const(9)
_MATMUL_REPEAT2 = const(10)
_MATMUL_BATCH = const(11)
_MATMUL_ROWS = const(14)
_MATMUL_DEPTH = const(15)
_MATMUL_COLUMNS = const(16)
_MATMUL_INPUT2 = const(17)
_MATMUL_MULTIPLIER = const(18)
_WINDOW16_LAYOUT = "<BBBBHBBBBhhHHHHHHHHHHH8xIIIIIII"
_REDUCE_LAYOUT = "<BBBBHbbbb14xIIIiiIIIIIII"
_SOFTMAX_LAYOUT = "<BBBBH18xIIiiiIIIIIII"
_ARITHMETIC_LAYOUT = "<BBBBHbbbbbbBBhh5HIiiiIIIIIII"
_FUNCTION16_LAYOUT = "<BBBBHB29xIiIIIIIII"
_MATMUL_LAYOUT = "<BBBBHbbbbBB3HHHH12xIiIIIIIII"
# generated: end

_OK = const(0)


# generated: checks (host/midge_host/device/ops, `make generate`)
# fmt: off
def _check_window16(op, arena_bytes):
    if (
        not op[_WINDOW16_IN_H]
        or not op[_WINDOW16_IN_W]
        or not op[_WINDOW16_IN_C]
        or not op[_WINDOW16_OUT_H]
        or not op[_WINDOW16_OUT_W]
        or not op[_WINDOW16_OUT_C]
        or not op[_WINDOW16_KERNEL_H]
        or not op[_WINDOW16_KERNEL_W]
        or not op[_WINDOW16_STRIDE_H]
        or not op[_WINDOW16_STRIDE_W]
        or not op[_WINDOW16_DILATION_H]
        or not op[_WINDOW16_DILATION_W]
        or op[_WINDOW16_CLAMP_MIN] > op[_WINDOW16_CLAMP_MAX]
        or (op[_INPUT] | op[_OUTPUT]) % 2
    ):
        return _BAD_PARAMETER
    if (
        op[_INPUT] + op[_WINDOW16_IN_H] * op[_WINDOW16_IN_W] * op[_WINDOW16_IN_C] * 2 > arena_bytes
        or op[_OUTPUT] + op[_WINDOW16_OUT_H] * op[_WINDOW16_OUT_W] * op[_WINDOW16_OUT_C] * 2 > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_conv16(op, arena_bytes):
    reason = _check_window16(op, arena_bytes)
    if reason:
        return reason
    if op[_CODE] == _DEPTHWISE_CONV_2D:
        if op[_WINDOW16_OUT_C] % op[_WINDOW16_IN_C]:
            return _BAD_PARAMETER
    if op[_FLAGS] > 1 or op[_BLOCKS] * op[_WINDOW16_BLOCK_CHANNELS] != op[_WINDOW16_OUT_C]:
        return _BAD_PARAMETER
    if (
        op[_BLOCK_BYTES] < op[_WINDOW16_BLOCK_CHANNELS] * 12 + op[_WINDOW16_BLOCK_CHANNELS] * op[_WINDOW16_KERNEL_H] * op[_WINDOW16_KERNEL_W] * (1 if op[_CODE] == _DEPTHWISE_CONV_2D else op[_WINDOW16_IN_C])
    ):
        return _BAD_WEIGHTS
    return _OK


def _check_pool16(op, arena_bytes):
    reason = _check_window16(op, arena_bytes)
    if reason:
        return reason
    if op[_WINDOW16_IN_C] != op[_WINDOW16_OUT_C] or op[_WINDOW16_KERNEL_H] * op[_WINDOW16_KERNEL_W] > 65536:
        return _BAD_PARAMETER
    return _OK


def _check_mean16(op, arena_bytes):
    if (
        not op[_REDUCE_OUTER]
        or not op[_REDUCE_INNER]
        or not _is_rescale(op[_REDUCE_MULTIPLIER], op[_REDUCE_SHIFT])
        or not 1 <= op[_REDUCE_REDUCE] <= 65536
        or (op[_INPUT] | op[_OUTPUT]) % 2
    ):
        return _BAD_PARAMETER
    if (
        op[_INPUT] + op[_REDUCE_OUTER] * op[_REDUCE_REDUCE] * op[_REDUCE_INNER] * 2 > arena_bytes
        or op[_OUTPUT] + op[_REDUCE_OUTER] * op[_REDUCE_INNER] * 2 > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_softmax16(op, arena_bytes):
    if op[_FLAGS] > 1 or not 1 <= op[_SOFTMAX_DEPTH] <= 4095 or op[_OUTPUT] % 2:
        return _BAD_PARAMETER
    if op[_FLAGS] & 1:
        if op[_SOFTMAX_MULTIPLIER] < 0 or not 0 <= op[_SOFTMAX_SHIFT] <= 30 or op[_SOFTMAX_DIFF_MIN] > 0:
            return _BAD_PARAMETER
        if op[_BLOCKS] != 0:
            return _BAD_WEIGHTS
    else:
        if not _is_rescale(op[_SOFTMAX_MULTIPLIER], op[_SOFTMAX_SHIFT]) or op[_INPUT] % 2:
            return _BAD_PARAMETER
        if op[_BLOCKS] != 1 or op[_BLOCK_BYTES] < 2052:
            return _BAD_WEIGHTS
    if (
        op[_INPUT] + op[_SOFTMAX_ROWS] * op[_SOFTMAX_DEPTH] * (1 if op[_FLAGS] & 1 else 2) > arena_bytes
        or op[_OUTPUT] + op[_SOFTMAX_ROWS] * op[_SOFTMAX_DEPTH] * 2 > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_arithmetic(op, arena_bytes):
    if (
        op[_FLAGS] > 10
        or not _elements(op, _ARITHMETIC_SHAPE, 5)
        or not _is_rescale(op[_ARITHMETIC_MULTIPLIER1], op[_ARITHMETIC_SHIFT1])
        or not _is_rescale(op[_ARITHMETIC_MULTIPLIER2], op[_ARITHMETIC_SHIFT2])
        or not _is_rescale(op[_ARITHMETIC_MULTIPLIER], op[_ARITHMETIC_SHIFT])
        or op[_ARITHMETIC_CLAMP_MIN] > op[_ARITHMETIC_CLAMP_MAX]
        or op[_ARITHMETIC_CLAMP_MIN] < (-32768 if op[_TYPES] & 15 != 1 else -128)
        or op[_ARITHMETIC_CLAMP_MAX] > (32767 if op[_TYPES] & 15 != 1 else 127)
        or (op[_INPUT] | op[_ARITHMETIC_INPUT2] | op[_OUTPUT]) % (2 if op[_TYPES] & 15 != 1 else 1)
    ):
        return _BAD_PARAMETER
    if (
        op[_INPUT] + _elements(op, _ARITHMETIC_SHAPE, 5, op[_ARITHMETIC_REPEAT1]) * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
        or op[_ARITHMETIC_INPUT2] + _elements(op, _ARITHMETIC_SHAPE, 5, op[_ARITHMETIC_REPEAT2]) * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
        or op[_OUTPUT] + _elements(op, _ARITHMETIC_SHAPE, 5) * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_sigmoid16(op, arena_bytes):
    if not 0 <= op[_FUNCTION16_MULTIPLIER] <= 32767 or op[_FUNCTION16_SHIFT] > 31 or (op[_INPUT] | op[_OUTPUT]) % 2:
        return _BAD_PARAMETER
    if op[_BLOCKS] != 1 or op[_BLOCK_BYTES] < 512:
        return _BAD_WEIGHTS
    if op[_INPUT] + op[_FUNCTION16_COUNT] * 2 > arena_bytes or op[_OUTPUT] + op[_FUNCTION16_COUNT] * 2 > arena_bytes:
        return _BAD_TENSOR
    return _OK


def _check_batch_matmul(op, arena_bytes):
    if (
        op[_FLAGS] > 3
        or not 1 <= op[_MATMUL_DEPTH] <= (65535 if op[_TYPES] & 15 != 1 else 33025)
        or not _elements(op, _MATMUL_BATCH, 3)
        or not op[_MATMUL_ROWS]
        or not op[_MATMUL_COLUMNS]
        or not _is_rescale(op[_MATMUL_MULTIPLIER], op[_MATMUL_SHIFT])
        or op[_MATMUL_SHIFT] > (7 if op[_TYPES] & 15 != 1 else 30)
        or (op[_INPUT] | op[_MATMUL_INPUT2] | op[_OUTPUT]) % (2 if op[_TYPES] & 15 != 1 else 1)
    ):
        return _BAD_PARAMETER
    if op[_BLOCKS]:
        if op[_BLOCKS] != 1 or op[_BLOCK_BYTES] < 4 * op[_MATMUL_COLUMNS]:
            return _BAD_WEIGHTS
    if (
        op[_INPUT] + _elements(op, _MATMUL_BATCH, 3, op[_MATMUL_REPEAT1]) * op[_MATMUL_ROWS] * op[_MATMUL_DEPTH] * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
        or op[_MATMUL_INPUT2] + _elements(op, _MATMUL_BATCH, 3, op[_MATMUL_REPEAT2]) * op[_MATMUL_DEPTH] * op[_MATMUL_COLUMNS] * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
        or op[_OUTPUT] + _elements(op, _MATMUL_BATCH, 3) * op[_MATMUL_ROWS] * op[_MATMUL_COLUMNS] * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK
# fmt: on
# generated: end


_CHANNEL = "<IhhI"  # of a channel in a block: its bias in two parts, its shift and multiplier


def encode(raw, reading, arena):
    """Writes a buffer into an input tensor of int16 or int32: 0 or a reason, as midge_encode_wide."""
    if not raw:
        return _BAD_TENSOR
    offset, size, own, unit, _, _ = _tensor(raw)
    code, reading = _view(reading)
    if code != own:
        return _BAD_PARAMETER
    if len(reading) * unit != size:
        return _BAD_TENSOR
    memoryview(arena)[offset : offset + size] = bytes(reading)
    return _OK


def decode(raw, arena, out):
    """Writes an output tensor of int16 or int32 into a buffer. Returns as encode()."""
    if not raw:
        return _BAD_TENSOR
    offset, size, own, unit, scale, zero = _tensor(raw)
    code, out = _view(out)
    if code != own and code != "f":
        return _BAD_PARAMETER
    if len(out) * unit != size:
        return _BAD_TENSOR
    values = _values(own, arena, offset, size)
    try:
        for i in range(len(values)):
            out[i] = values[i] if code == own else (values[i] - zero) * scale
    except TypeError:  # read-only
        return _BAD_PARAMETER
    return _OK


def _tensor(raw):
    # Place, bytes, type code, bytes of an element, scale and zero point.
    offset, size, scale, zero = struct.unpack_from("<IIfi", raw)
    code, unit = ("h", 2) if raw[_ELEMENT_AT] == _DTYPE_INT16 else ("i", 4)
    return offset, size, code, unit, scale, zero


def _conv16(op, arena, weights, block, begin, end):
    stride_h, stride_w = op[_WINDOW16_STRIDE_H], op[_WINDOW16_STRIDE_W]
    dilation_h, dilation_w = op[_WINDOW16_DILATION_H], op[_WINDOW16_DILATION_W]
    low, high = op[_WINDOW16_CLAMP_MIN], op[_WINDOW16_CLAMP_MAX]
    in_h, in_w, in_c = op[_WINDOW16_IN_H], op[_WINDOW16_IN_W], op[_WINDOW16_IN_C]
    out_h, out_w, out_c = op[_WINDOW16_OUT_H], op[_WINDOW16_OUT_W], op[_WINDOW16_OUT_C]
    kernel_h, kernel_w = op[_WINDOW16_KERNEL_H], op[_WINDOW16_KERNEL_W]
    pad_top, pad_left = op[_WINDOW16_PAD_TOP], op[_WINDOW16_PAD_LEFT]
    block_channels, narrow = op[_WINDOW16_BLOCK_CHANNELS], op[_FLAGS] & _NARROW
    depthwise = op[_CODE] == _DEPTHWISE_CONV_2D
    depth = 1 if depthwise else in_c
    row = kernel_h * kernel_w * depth
    step = dilation_w * in_c
    x = _values("h", arena, op[_INPUT], 2 * in_h * in_w * in_c)
    out = memoryview(arena)[op[_OUTPUT] : op[_OUTPUT] + 2 * out_h * out_w * out_c]
    for c in range(begin * block_channels, end * block_channels):
        start = block + (c // block_channels) * op[_BLOCK_BYTES]
        i = c % block_channels
        bias, upper, shift, multiplier = struct.unpack_from(_CHANNEL, weights, start + i * _CHANNEL16_BYTES)
        bias += upper << 32
        multiplier &= 0x7FFFFFFF
        shift = _clamp(shift, -31, 30 if narrow else 7)
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
                q = _rescale(_wrap(acc), multiplier, shift) if narrow else _rescale_wide(acc, multiplier, shift)
                q = _clamp(q, low, high)
                out[to] = q & 255
                out[to + 1] = q >> 8 & 255
                to += 2 * out_c


def _pool16(op, arena, weights, block, begin, end):
    stride_h, stride_w = op[_WINDOW16_STRIDE_H], op[_WINDOW16_STRIDE_W]
    low, high = op[_WINDOW16_CLAMP_MIN], op[_WINDOW16_CLAMP_MAX]
    in_h, in_w, in_c = op[_WINDOW16_IN_H], op[_WINDOW16_IN_W], op[_WINDOW16_IN_C]
    out_h, out_w = op[_WINDOW16_OUT_H], op[_WINDOW16_OUT_W]
    kernel_h, kernel_w = op[_WINDOW16_KERNEL_H], op[_WINDOW16_KERNEL_W]
    pad_top, pad_left = op[_WINDOW16_PAD_TOP], op[_WINDOW16_PAD_LEFT]
    x = _values("h", arena, op[_INPUT], 2 * in_h * in_w * in_c)
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
                elif op[_CODE] == _AVERAGE_POOL_2D:  # halves away from zero
                    best = (abs(total) + count // 2) // count
                    if total < 0:
                        best = -best
                out.append(_clamp(best, low, high))
    _store(arena, op[_OUTPUT], out)


def _mean16(op, arena, weights, block, begin, end):
    outer, count, inner = op[_REDUCE_OUTER], op[_REDUCE_REDUCE], op[_REDUCE_INNER]
    multiplier, shift = op[_REDUCE_MULTIPLIER], op[_REDUCE_SHIFT]
    x = _values("h", arena, op[_INPUT], 2 * outer * count * inner)
    out = array("h", [])
    for o in range(outer):
        for i in range(o * count * inner, o * count * inner + inner):
            total = 0
            for r in range(count):
                total += x[i + r * inner]
            out.append(_clamp(_rescale(total, multiplier, shift), -32768, 32767))
    _store(arena, op[_OUTPUT], out)


def _softmax_from8(op, arena):
    depth, out = op[_SOFTMAX_DEPTH], op[_OUTPUT]
    for row in range(op[_SOFTMAX_ROWS]):
        x = _signed(arena, op[_INPUT] + row * depth, depth)
        exps, scale, headroom = _exponentials(x, op[_SOFTMAX_MULTIPLIER], op[_SOFTMAX_SHIFT], op[_SOFTMAX_DIFF_MIN])
        for v in x:
            q = -32768
            if v in exps:
                q = min(q + _rounding_shift(_high_mul(scale, exps[v]), 27 - headroom), 32767)
            arena[out] = q & 255
            arena[out + 1] = q >> 8 & 255
            out += 2


def _softmax16(op, arena, weights, block, begin, end):
    if op[_FLAGS] & _INPUT_INT8:
        return _softmax_from8(op, arena)
    rows, depth = op[_SOFTMAX_ROWS], op[_SOFTMAX_DEPTH]
    multiplier, shift = op[_SOFTMAX_MULTIPLIER], op[_SOFTMAX_SHIFT]
    exp = _values("h", weights, block, _EXP_TABLE_BYTES)
    inverse = _values("h", weights, block + _EXP_TABLE_BYTES, _EXP_TABLE_BYTES)
    for row in range(rows):
        x = _values("h", arena, op[_INPUT] + 2 * row * depth, 2 * depth)
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
        _store(arena, op[_OUTPUT] + 2 * row * depth, x)


def _look_up(table, x):
    # On a straight line between two entries.
    x = _clamp(x, -32768, 32767)
    at = (x >> 7) + 256
    slope = ((table[at + 1] - table[at] + 0x8000) & 0xFFFF) - 0x8000
    return ((table[at] + ((slope * (x & 127) + 64) >> 7) + 0x8000) & 0xFFFF) - 0x8000


def _sigmoid16(op, arena, weights, block, begin, end):
    count, multiplier, shift = op[_FUNCTION16_COUNT], op[_FUNCTION16_MULTIPLIER], op[_FUNCTION16_SHIFT]
    function = _tanh if op[_CODE] == _TANH else _logistic
    table = _values("H", weights, block, _SIGMOID_BYTES)
    x = _values("h", arena, op[_INPUT], 2 * count)
    half = 1 << shift >> 1
    for i in range(count):
        x[i] = ((function(table, (x[i] * multiplier + half) >> shift) + 0x8000) & 0xFFFF) - 0x8000
    _store(arena, op[_OUTPUT], x)


def _arithmetic(*call):
    from ._portable_tensor import _arithmetic as kernel  # as for int8

    kernel(*call)


def _batch_matmul(*call):
    from ._portable_math import _batch_matmul as kernel  # as for int8

    kernel(*call)


# generated: kernels (host/midge_host/device/ops, `make generate`)
_KERNELS = {
    0x040201: (_WINDOW16_LAYOUT, _check_conv16, _conv16, True, _WINDOW16_IN_H),  # CONV_2D, int16
    0x040202: (_WINDOW16_LAYOUT, _check_conv16, _conv16, True, _WINDOW16_IN_H),  # DEPTHWISE_CONV_2D, int16
    0x040203: (_WINDOW16_LAYOUT, _check_conv16, _conv16, True, _WINDOW16_IN_H),  # FULLY_CONNECTED, int16
    0x040204: (_WINDOW16_LAYOUT, _check_pool16, _pool16, False, _WINDOW16_IN_H),  # AVERAGE_POOL_2D, int16
    0x040205: (_WINDOW16_LAYOUT, _check_pool16, _pool16, False, _WINDOW16_IN_H),  # MAX_POOL_2D, int16
    0x040206: (_REDUCE_LAYOUT, _check_mean16, _mean16, False, 0),  # MEAN, int16
    0x040208: (_SOFTMAX_LAYOUT, _check_softmax16, _softmax16, True, 0),  # SOFTMAX, int16
    0x04020D: (_ARITHMETIC_LAYOUT, _check_arithmetic, _arithmetic, False, 0),  # ARITHMETIC, int16
    0x04020F: (_FUNCTION16_LAYOUT, _check_sigmoid16, _sigmoid16, True, 0),  # LOGISTIC, int16
    0x040210: (_FUNCTION16_LAYOUT, _check_sigmoid16, _sigmoid16, True, 0),  # TANH, int16
    0x040218: (_MATMUL_LAYOUT, _check_batch_matmul, _batch_matmul, False, 0),  # BATCH_MATMUL, int16
}
# generated: end

check, run = bank(_KERNELS)
