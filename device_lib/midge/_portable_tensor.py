# Like _portable.py, the tensor bank: what moves tensors, broadcasts them or changes their scale.

from array import array

from ._portable import (
    _clamp,
    _elements,
    _is_rescale,
    _rescale,
    _store,
    _values,
    _wrap,
    bank,
)

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: records (host/midge_host/device/ops, `make generate`)
_BAD_TENSOR = const(2)
_BAD_WEIGHTS = const(3)
_BAD_PARAMETER = const(4)
_OUTPUT_HAS_STRIDES = const(1)
_KIND_ADD = const(0)
_KIND_MUL = const(2)
_KIND_MAXIMUM = const(3)
_KIND_MINIMUM = const(4)
_KIND_PRELU = const(5)
_KIND_SQUARED_DIFFERENCE = const(6)
_KIND_EQUAL = const(7)
_KIND_NOT_EQUAL = const(8)
_KIND_GREATER_EQUAL = const(10)
_LEFT_SHIFT = const(20)
_LEFT_SHIFT16 = const(15)
_SQUARED_SHIFT = const(7)
_COMPARED_SHIFT = const(8)
_OUTPUT_INT16 = const(1)
_OUTPUT_INT32 = const(2)
_INPUT_INT32 = const(4)
_TYPES = const(2)
_FLAGS = const(3)
_BLOCKS = const(4)
_INPUT = const(-7)
_OUTPUT = const(-6)
_BLOCK_BYTES = const(-3)
_PAD_IN_SHAPE = const(5)
_PAD_BEFORE = const(9)
_PAD_OUT_SHAPE = const(13)
_PAD_VALUE = const(17)
_COPY_SHAPE = const(5)
_COPY_RUN = const(10)
_COPY_STRIDES = const(11)
_COPY_AT = const(16)
_CONSTANT_VALUE = const(5)
_CONSTANT_COUNT = const(6)
_ARITHMETIC_SHIFT1 = const(5)
_ARITHMETIC_SHIFT2 = const(6)
_ARITHMETIC_SHIFT = const(7)
_ARITHMETIC_ZERO1 = const(8)
_ARITHMETIC_ZERO2 = const(9)
_ARITHMETIC_OUTPUT_ZERO = const(10)
_ARITHMETIC_REPEAT1 = const(11)
_ARITHMETIC_REPEAT2 = const(12)
_ARITHMETIC_CLAMP_MIN = const(13)
_ARITHMETIC_CLAMP_MAX = const(14)
_ARITHMETIC_SHAPE = const(15)
_ARITHMETIC_INPUT2 = const(20)
_ARITHMETIC_MULTIPLIER1 = const(21)
_ARITHMETIC_MULTIPLIER2 = const(22)
_ARITHMETIC_MULTIPLIER = const(23)
_REQUANTIZE_SHIFT = const(5)
_REQUANTIZE_NEGATIVE_SHIFT = const(6)
_REQUANTIZE_INPUT_ZERO = const(7)
_REQUANTIZE_OUTPUT_ZERO = const(8)
_REQUANTIZE_CLAMP_MIN = const(9)
_REQUANTIZE_CLAMP_MAX = const(10)
_REQUANTIZE_COUNT = const(11)
_REQUANTIZE_MULTIPLIER = const(12)
_REQUANTIZE_NEGATIVE_MULTIPLIER = const(13)
_SELECT_SHAPE = const(5)
_SELECT_REPEAT1 = const(10)
_SELECT_REPEAT2 = const(11)
_SELECT_REPEAT3 = const(12)
_SELECT_INPUT2 = const(13)
_SELECT_INPUT3 = const(14)
_PAD_LAYOUT = "<BBBBH4H4H4Hb13xIIIIIII"
_COPY_LAYOUT = "<BBBBH5HH2x5iIIIIIIII"
_CONSTANT_LAYOUT = "<BBBBHb33xIIIIIIII"
_ARITHMETIC_LAYOUT = "<BBBBHbbbbbbBBhh5HIiiiIIIIIII"
_REQUANTIZE_LAYOUT = "<BBBBHbbhhhh16xIiiIIIIIII"
_SELECT_LAYOUT = "<BBBBH5HBBB17xIIIIIIIII"
# generated: end

_OK = const(0)


# generated: checks (host/midge_host/device/ops, `make generate`)
# fmt: off
def _check_pad(op, arena_bytes):
    for i in range(4):
        if not op[_PAD_IN_SHAPE + i] or (op[_PAD_BEFORE + i] + op[_PAD_IN_SHAPE + i]) > op[_PAD_OUT_SHAPE + i]:
            return _BAD_PARAMETER
    if (
        op[_INPUT] + _elements(op, _PAD_IN_SHAPE, 4) > arena_bytes
        or op[_OUTPUT] + _elements(op, _PAD_OUT_SHAPE, 4) > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_copy(op, arena_bytes):
    if op[_FLAGS] > 1 or not _elements(op, _COPY_SHAPE, 5) * op[_COPY_RUN]:
        return _BAD_PARAMETER
    if not _copy_reaches(op, arena_bytes):
        return _BAD_TENSOR
    return _OK


def _check_constant(op, arena_bytes):
    if op[_BLOCKS]:
        if op[_BLOCKS] * op[_BLOCK_BYTES] < op[_CONSTANT_COUNT]:
            return _BAD_WEIGHTS
    if op[_OUTPUT] + op[_CONSTANT_COUNT] > arena_bytes:
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


def _check_requantize(op, arena_bytes):
    if (
        op[_FLAGS] > 7
        or not _is_rescale(op[_REQUANTIZE_MULTIPLIER], op[_REQUANTIZE_SHIFT])
        or not _is_rescale(op[_REQUANTIZE_NEGATIVE_MULTIPLIER], op[_REQUANTIZE_NEGATIVE_SHIFT])
        or op[_REQUANTIZE_CLAMP_MIN] > op[_REQUANTIZE_CLAMP_MAX]
        or op[_REQUANTIZE_CLAMP_MIN] < (-32768 if op[_FLAGS] & 1 else -128)
        or op[_REQUANTIZE_CLAMP_MAX] > (32767 if op[_FLAGS] & 1 else 127)
        or op[_INPUT] % (4 if op[_FLAGS] & 4 else (2 if op[_TYPES] & 15 != 1 else 1))
        or op[_OUTPUT] % (4 if op[_FLAGS] & 2 else (2 if op[_FLAGS] & 1 else 1))
    ):
        return _BAD_PARAMETER
    if (
        op[_INPUT] + op[_REQUANTIZE_COUNT] * (4 if op[_FLAGS] & 4 else (2 if op[_TYPES] & 15 != 1 else 1)) > arena_bytes
        or op[_OUTPUT] + op[_REQUANTIZE_COUNT] * (4 if op[_FLAGS] & 2 else (2 if op[_FLAGS] & 1 else 1)) > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_select(op, arena_bytes):
    if (
        not _elements(op, _SELECT_SHAPE, 5)
        or (op[_SELECT_INPUT2] | op[_SELECT_INPUT3] | op[_OUTPUT]) % (2 if op[_TYPES] & 15 != 1 else 1)
    ):
        return _BAD_PARAMETER
    if (
        op[_INPUT] + _elements(op, _SELECT_SHAPE, 5, op[_SELECT_REPEAT1]) > arena_bytes
        or op[_SELECT_INPUT2] + _elements(op, _SELECT_SHAPE, 5, op[_SELECT_REPEAT2]) * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
        or op[_SELECT_INPUT3] + _elements(op, _SELECT_SHAPE, 5, op[_SELECT_REPEAT3]) * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
        or op[_OUTPUT] + _elements(op, _SELECT_SHAPE, 5) * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK
# fmt: on
# generated: end


def _copy_reaches(op, arena_bytes):
    # The dense tensor lies within the arena, and so does every run of the one with strides.
    strides, shape, size = op[_COPY_STRIDES : _COPY_STRIDES + 5], op[_COPY_SHAPE : _COPY_SHAPE + 5], op[_COPY_RUN]
    low = high = op[_COPY_AT]
    dense = size
    for i in range(5):
        reach = strides[i] * (shape[i] - 1)
        low += min(reach, 0)
        high += max(reach, 0)
        dense *= shape[i]
    strided, packed = op[_INPUT], op[_OUTPUT]
    if op[_FLAGS] & _OUTPUT_HAS_STRIDES:
        strided, packed = packed, strided
    return low >= 0 and strided + high + size <= arena_bytes and packed + dense <= arena_bytes


def _next(index, shape, steps):
    # To the next element in the order in which they are stored: how far on it is, or None after the last one.
    move = 0
    for d in range(len(shape) - 1, -1, -1):
        index[d] += 1
        if index[d] < shape[d]:
            return move + steps[d]
        index[d] = 0
        move -= steps[d] * (shape[d] - 1)
    return None


def _copy(op, arena, weights, block, begin, end):
    strides, shape = op[_COPY_STRIDES : _COPY_STRIDES + 5], op[_COPY_SHAPE : _COPY_SHAPE + 5]
    size, scatters = op[_COPY_RUN], op[_FLAGS] & _OUTPUT_HAS_STRIDES
    strided, dense = (op[_OUTPUT], op[_INPUT]) if scatters else (op[_INPUT], op[_OUTPUT])
    strided += op[_COPY_AT]
    view = memoryview(arena)
    index = [0] * 5
    while True:
        if scatters:
            view[strided : strided + size] = view[dense : dense + size]
        else:
            view[dense : dense + size] = view[strided : strided + size]
        dense += size
        move = _next(index, shape, strides)
        if move is None:
            return
        strided += move


def _constant(op, arena, weights, block, begin, end):
    out = op[_OUTPUT]
    if op[_BLOCKS]:
        first, last = begin * op[_BLOCK_BYTES], min(op[_CONSTANT_COUNT], end * op[_BLOCK_BYTES])
        if first < last:
            start = block + first
            memoryview(arena)[out + first : out + last] = memoryview(weights)[start : start + last - first]
    else:
        for i in range(out, out + op[_CONSTANT_COUNT]):
            arena[i] = op[_CONSTANT_VALUE] & 255


def _pad(op, arena, weights, block, begin, end):
    in_n, in_h, in_w, in_c = op[_PAD_IN_SHAPE : _PAD_IN_SHAPE + 4]
    n0, y0, x0, c0 = op[_PAD_BEFORE : _PAD_BEFORE + 4]
    out_n, out_h, out_w, out_c = op[_PAD_OUT_SHAPE : _PAD_OUT_SHAPE + 4]
    data = bytes(memoryview(arena)[op[_INPUT] : op[_INPUT] + in_n * in_h * in_w * in_c])
    out = op[_OUTPUT]
    for i in range(out, out + out_n * out_h * out_w * out_c):
        arena[i] = op[_PAD_VALUE] & 255
    at = 0
    for n in range(in_n):
        for y in range(in_h):
            for x in range(in_w):
                to = out + (((n + n0) * out_h + y + y0) * out_w + x + x0) * out_c + c0
                for c in range(in_c):
                    arena[to + c] = data[at]
                    at += 1


def _arithmetic(op, arena, weights, block, begin, end):
    _broadcast(op, arena, _pair)


def _pair(op, a, b):
    # The output of two elements, before it is limited.
    kind = op[_FLAGS]
    if kind == _KIND_MAXIMUM:
        return max(a, b)
    if kind == _KIND_MINIMUM:
        return min(a, b)
    m1, m2, m = op[_ARITHMETIC_MULTIPLIER1], op[_ARITHMETIC_MULTIPLIER2], op[_ARITHMETIC_MULTIPLIER]
    s1, s2, s = op[_ARITHMETIC_SHIFT1], op[_ARITHMETIC_SHIFT2], op[_ARITHMETIC_SHIFT]
    a -= op[_ARITHMETIC_ZERO1]
    b -= op[_ARITHMETIC_ZERO2]
    if kind == _KIND_MUL:
        q = _rescale(a * b, m, s)
    elif kind == _KIND_PRELU:
        q = _rescale(a * b, m2, s2) if a < 0 else _rescale(a, m1, s1)
    else:
        narrow = op[_TYPES] & 15 == 1
        left = _LEFT_SHIFT if narrow else _LEFT_SHIFT16
        if kind == _KIND_SQUARED_DIFFERENCE:
            left = _SQUARED_SHIFT if narrow else 0
        elif kind > _KIND_SQUARED_DIFFERENCE:
            left = _COMPARED_SHIFT
        a = _rescale(_wrap(a << left), m1, s1)
        b = _rescale(_wrap(b << left), m2, s2)
        if kind == _KIND_EQUAL:
            return a == b
        if kind == _KIND_NOT_EQUAL:
            return a != b
        if kind > _KIND_SQUARED_DIFFERENCE:
            return a > b or a == b and kind == _KIND_GREATER_EQUAL
        a = _wrap(a + b if kind == _KIND_ADD else a - b)
        q = _rescale(_wrap(a * a) if kind == _KIND_SQUARED_DIFFERENCE else a, m, s)
    return _wrap(q + op[_ARITHMETIC_OUTPUT_ZERO])


def _strides(shape, repeat):
    # Of each dimension, the product of those behind it: bits for it and for those before it are set too.
    return [0 if repeat >> d & 1 else _elements(shape, 0, 5, repeat | (2 << d) - 1) for d in range(5)]


def _broadcast(op, arena, function):
    shape = op[_ARITHMETIC_SHAPE : _ARITHMETIC_SHAPE + 5]
    low, high = op[_ARITHMETIC_CLAMP_MIN], op[_ARITHMETIC_CLAMP_MAX]
    repeat1, repeat2 = op[_ARITHMETIC_REPEAT1], op[_ARITHMETIC_REPEAT2]
    code, unit = ("b", 1) if op[_TYPES] & 15 == 1 else ("h", 2)
    x = _values(code, arena, op[_INPUT], unit * _elements(shape, 0, 5, repeat1))
    y = _values(code, arena, op[_ARITHMETIC_INPUT2], unit * _elements(shape, 0, 5, repeat2))
    steps1, steps2 = _strides(shape, repeat1), _strides(shape, repeat2)
    out = _values(code, arena, op[_OUTPUT], unit * _elements(shape, 0, 5))
    i = j = 0
    index = [0] * 5
    other = [0] * 5
    for at in range(len(out)):
        out[at] = _clamp(function(op, x[i], y[j]), low, high)
        if at + 1 < len(out):
            i += _next(index, shape, steps1)
            j += _next(other, shape, steps2)
    _store(arena, op[_OUTPUT], out)


def _select(op, arena, weights, block, begin, end):
    shape = op[_SELECT_SHAPE : _SELECT_SHAPE + 5]
    code, unit = ("b", 1) if op[_TYPES] & 15 == 1 else ("h", 2)
    condition = op[_INPUT]
    x = _values(code, arena, op[_SELECT_INPUT2], unit * _elements(shape, 0, 5, op[_SELECT_REPEAT2]))
    y = _values(code, arena, op[_SELECT_INPUT3], unit * _elements(shape, 0, 5, op[_SELECT_REPEAT3]))
    steps = [_strides(shape, op[at]) for at in (_SELECT_REPEAT1, _SELECT_REPEAT2, _SELECT_REPEAT3)]
    out = _values(code, arena, op[_OUTPUT], unit * _elements(shape, 0, 5))
    indexes = [[0] * 5 for _ in range(3)]
    places = [0] * 3
    for at in range(len(out)):
        out[at] = x[places[1]] if arena[condition + places[0]] else y[places[2]]
        if at + 1 < len(out):
            for i in range(3):
                places[i] += _next(indexes[i], shape, steps[i])
    _store(arena, op[_OUTPUT], out)


def _requantize(op, arena, weights, block, begin, end):
    count, in_zero, out_zero = op[_REQUANTIZE_COUNT], op[_REQUANTIZE_INPUT_ZERO], op[_REQUANTIZE_OUTPUT_ZERO]
    multiplier, shift = op[_REQUANTIZE_MULTIPLIER], op[_REQUANTIZE_SHIFT]
    negative, negative_shift = op[_REQUANTIZE_NEGATIVE_MULTIPLIER], op[_REQUANTIZE_NEGATIVE_SHIFT]
    low, high = op[_REQUANTIZE_CLAMP_MIN], op[_REQUANTIZE_CLAMP_MAX]
    flags = op[_FLAGS]
    code, unit = ("i", 4) if flags & _INPUT_INT32 else ("b", 1) if op[_TYPES] & 15 == 1 else ("h", 2)
    x = _values(code, arena, op[_INPUT], unit * count)
    wide = flags & _OUTPUT_INT32
    out = array("i" if wide else "h" if flags & _OUTPUT_INT16 else "b", [])
    for v in x:
        v = _wrap(v - in_zero)
        q = _wrap((_rescale(v, negative, negative_shift) if v < 0 else _rescale(v, multiplier, shift)) + out_zero)
        out.append(q if wide else _clamp(q, low, high))
    _store(arena, op[_OUTPUT], out)


# generated: kernels (host/midge_host/device/ops, `make generate`)
_KERNELS = {
    0x01010A: (_PAD_LAYOUT, _check_pad, _pad, False, 0),  # PAD, int8
    0x01010B: (_COPY_LAYOUT, _check_copy, _copy, False, 0),  # COPY, int8
    0x01010C: (_CONSTANT_LAYOUT, _check_constant, _constant, True, 0),  # CONSTANT, int8
    0x01010D: (_ARITHMETIC_LAYOUT, _check_arithmetic, _arithmetic, False, 0),  # ARITHMETIC, int8
    0x01010E: (_REQUANTIZE_LAYOUT, _check_requantize, _requantize, False, 0),  # REQUANTIZE, int8
    0x04010E: (_REQUANTIZE_LAYOUT, _check_requantize, _requantize, False, 0),  # REQUANTIZE, int16
    0x01011B: (_SELECT_LAYOUT, _check_select, _select, False, 0),  # SELECT, int8
    0x04011B: (_SELECT_LAYOUT, _check_select, _select, False, 0),  # SELECT, int16
}
# generated: end

check, run = bank(_KERNELS)
