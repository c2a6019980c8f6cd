# The portable backend: the functions of the native modules in plain Python, for boards and PCs without them; here those
# of the core bank, and what all banks share. Slow, and the same bytes. The arithmetic is specified in docs/NUMERICS.md,
# the records in docs/FORMAT.md.

import struct
from array import array

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: records (host/midge_host/device/ops, `make generate`)
_RECORD = const(72)
_BLOCK_ALIGNMENT = const(4)
_OVERLAPS = const(128)
_BAD_OPERATOR = const(1)
_BAD_TENSOR = const(2)
_BAD_WEIGHTS = const(3)
_BAD_PARAMETER = const(4)
_DEPTHWISE_CONV_2D = const(2)
_CODE = const(0)
_TYPES = const(2)
_FLAGS = const(3)
_BLOCKS = const(4)
_INPUT = const(-7)
_OUTPUT = const(-6)
_OUTPUT_BYTES = const(-5)
_WEIGHTS = const(-4)
_BLOCK_BYTES = const(-3)
_SCRATCH = const(-2)
_SCRATCH_BYTES = const(-1)
_WINDOW_STRIDE_H = const(5)
_WINDOW_STRIDE_W = const(6)
_WINDOW_DILATION_H = const(7)
_WINDOW_DILATION_W = const(8)
_WINDOW_INPUT_ZERO = const(9)
_WINDOW_CLAMP_MIN = const(11)
_WINDOW_CLAMP_MAX = const(12)
_WINDOW_BIAS_BITS = const(13)
_WINDOW_SHIFT_BITS = const(14)
_WINDOW_MULT_BITS = const(15)
_WINDOW_SHIFT = const(16)
_WINDOW_IN_H = const(17)
_WINDOW_IN_W = const(18)
_WINDOW_IN_C = const(19)
_WINDOW_OUT_H = const(20)
_WINDOW_OUT_W = const(21)
_WINDOW_OUT_C = const(22)
_WINDOW_KERNEL_H = const(23)
_WINDOW_KERNEL_W = const(24)
_WINDOW_PAD_TOP = const(25)
_WINDOW_BLOCK_CHANNELS = const(27)
_WINDOW_MULTIPLIER = const(28)
_REDUCE_CLAMP_MIN = const(7)
_REDUCE_CLAMP_MAX = const(8)
_REDUCE_OUTER = const(9)
_REDUCE_REDUCE = const(10)
_REDUCE_INNER = const(11)
_REDUCE_MULTIPLIER = const(12)
_REDUCE_SHIFT = const(13)
_ADD_SHIFT1 = const(5)
_ADD_SHIFT2 = const(6)
_ADD_SHIFT = const(7)
_ADD_LEFT_SHIFT = const(8)
_ADD_CLAMP_MIN = const(12)
_ADD_CLAMP_MAX = const(13)
_ADD_INPUT2 = const(14)
_ADD_COUNT = const(15)
_ADD_MULTIPLIER1 = const(16)
_ADD_MULTIPLIER2 = const(17)
_ADD_MULTIPLIER = const(18)
_SOFTMAX_ROWS = const(5)
_SOFTMAX_DEPTH = const(6)
_SOFTMAX_MULTIPLIER = const(7)
_SOFTMAX_SHIFT = const(8)
_SOFTMAX_DIFF_MIN = const(9)
_LUT_COUNT = const(5)
_HEAD_LAYOUT = "<BBBBH38xIIIIIII"
_WINDOW_LAYOUT = "<BBBBHBBBBbbbbBBBbHHHHHHHHHHHiIIIIIII"
_REDUCE_LAYOUT = "<BBBBHbbbb14xIIIiiIIIIIII"
_ADD_LAYOUT = "<BBBBHbbbbbbbbb9xIIiiiIIIIIII"
_SOFTMAX_LAYOUT = "<BBBBH18xIIiiiIIIIIII"
_LUT_LAYOUT = "<BBBBH34xIIIIIIII"
# generated: end

_OK = const(0)
_TENSOR = "<IIfiii"  # the fields of a tensor descriptor that are used here


def _signed(data, start, size):
    # A copy as int8 values; a memoryview of bytes gives unsigned ones.
    return array("b", bytes(memoryview(data)[start : start + size]))


def _values(code, arena, at, size):
    # A copy of `size` bytes as numbers of an array's type.
    return array(code, bytes(memoryview(arena)[at : at + size]))


def _store(arena, at, values):
    data = bytes(values)
    memoryview(arena)[at : at + len(data)] = data


def _rescale(x, multiplier, shift):
    # MultiplyByQuantizedMultiplier: x * multiplier / 2^31 * 2^shift with two roundings.
    if shift > 0:
        x = _wrap(x << shift)
    x = (x * multiplier + 0x40000000) >> 31
    return (x + (1 << ~shift) - (x < 0)) >> -shift if shift < 0 else x  # as _rounding_shift()


def _requantized(x, multiplier, shift, zero, low, high):
    # A sum as a byte of an int8 tensor.
    if not -0x40000000 < x < 0x40000000:
        x = _wrap(x)
    x = _rescale(x, multiplier, shift) + zero
    if low <= x <= high:
        return x & 255
    return _clamp(_wrap(x), low, high) & 255


def _rounding_shift(x, exponent):
    # round(x / 2^exponent), halves away from zero
    mask = (1 << exponent) - 1
    return (x >> exponent) + ((x & mask) > (mask >> 1) + (x < 0))


def _wrap(x):
    if -0x80000000 <= x <= 0x7FFFFFFF:
        return x
    return ((x + 0x80000000) & 0xFFFFFFFF) - 0x80000000


def _clamp(x, low, high):
    return low if x < low else high if x > high else x


def _taps(origin, size, kernel, dilation):
    # The taps first..last-1 of a window axis that lie within the image.
    first = -(origin // dilation) if origin < 0 else 0
    return first, min(kernel, (size - origin + dilation - 1) // dilation)


def _unpack(layout, program, index):
    return struct.unpack_from(layout, program, index * _RECORD)


def bank(kernels):
    """check() and run() of a bank. kernels: by code, bank and types what is generated below as _KERNELS."""

    def check(program, arena_bytes, weights_bytes):
        """0, or (operator index + 1) * 16 + reason for the first record that cannot run."""
        return _check_records(kernels, program, arena_bytes, weights_bytes)

    def run(program, first, last, arena, weights, base=0, begin=0, end=0xFFFF, part=0, parts=1):
        """Runs records first..last-1; a single record's weight blocks begin..end-1 only. Returns as check().

        parts: into how many the rows of an output are split, part: which of them to compute. What cannot be split is
        computed whole in part 0.
        """
        return _run_records(kernels, program, first, last, arena, weights, base, begin, end, part, parts)

    return check, run


def _check_records(kernels, program, arena_bytes, weights_bytes):
    for index in range(len(program) // _RECORD):
        reason = _check(kernels, program, index, arena_bytes)
        if not reason:
            op = _unpack(_HEAD_LAYOUT, program, index)
            start, size = op[_WEIGHTS], op[_BLOCK_BYTES]
            if op[_OUTPUT] + op[_OUTPUT_BYTES] > arena_bytes:
                reason = _BAD_TENSOR
            elif (start | size) % _BLOCK_ALIGNMENT or start + op[_BLOCKS] * size > weights_bytes:
                reason = _BAD_WEIGHTS
        if reason:
            return (index + 1) * 16 + reason
    return _OK


def _run_records(kernels, program, first, last, arena, weights, base, begin, end, part, parts):
    if not 0 <= first <= last <= len(program) // _RECORD or not 0 <= part < parts:
        return 16 + _BAD_PARAMETER
    for index in range(first, last):
        reason = _check(kernels, program, index, len(arena))
        if not reason:
            op = _unpack(_HEAD_LAYOUT, program, index)
            blocks, start, size = op[_BLOCKS], op[_WEIGHTS], op[_BLOCK_BYTES]
            b, e = (begin, min(end, blocks)) if last - first == 1 else (0, blocks)
            if blocks and (b > e or start + b * size < base or start + e * size > base + len(weights)):
                reason = _BAD_WEIGHTS
        if reason:
            return (index + 1) * 16 + reason
        layout, _, kernel, _, sizes = kernels[_key(program, index)]
        if blocks and b == e:
            continue
        op = _unpack(layout, program, index)
        if parts > 1:
            op = _rows(op, sizes, part, parts)
        if op:
            kernel(op, arena, weights, start - base, b, e)
    return _OK


def _key(program, index):
    # Code, bank and types of a record.
    at = index * _RECORD
    return program[at] | program[at + 1] << 8 | program[at + 2] << 16


def _check(kernels, program, index, arena_bytes):
    key = _key(program, index)
    if key not in kernels:
        return _BAD_OPERATOR
    layout, check_op, _, has_blocks, _ = kernels[key]
    op = _unpack(layout, program, index)
    if op[_BLOCKS] and not has_blocks:
        return _BAD_WEIGHTS
    if op[_SCRATCH] + op[_SCRATCH_BYTES] > arena_bytes:
        return _BAD_TENSOR
    return check_op(op, arena_bytes)


def _rows(op, sizes, part, parts):
    # The record of a part of the output's rows, or None where there is nothing to do. sizes: where the record of a
    # window has its image's height and what follows it; 0 for others, which are not split.
    if not sizes or op[_FLAGS] & _OVERLAPS:
        return None if part else op
    op = list(op)
    to = sizes + _WINDOW_OUT_H - _WINDOW_IN_H
    height, width, channels = op[to : to + 3]
    first = height * part // parts
    op[to] = height * (part + 1) // parts - first
    op[_OUTPUT] += first * width * channels * (1 if op[_TYPES] & 15 == 1 else 2)
    op[sizes + _WINDOW_PAD_TOP - _WINDOW_IN_H] -= first * op[_WINDOW_STRIDE_H]
    return op if op[to] else None


def _elements(op, at, count, repeat=0):
    # The product of a record's dimensions, without those that have a bit in repeat.
    product = 1
    for i in range(count):
        if not repeat >> i & 1:
            product *= op[at + i]
    return product


def _is_rescale(multiplier, shift):
    return multiplier >= 0 and -31 <= shift <= 30


# generated: checks (host/midge_host/device/ops, `make generate`)
# fmt: off
def _check_window(op, arena_bytes):
    if (
        not op[_WINDOW_IN_H]
        or not op[_WINDOW_IN_W]
        or not op[_WINDOW_IN_C]
        or not op[_WINDOW_OUT_H]
        or not op[_WINDOW_OUT_W]
        or not op[_WINDOW_OUT_C]
        or not op[_WINDOW_KERNEL_H]
        or not op[_WINDOW_KERNEL_W]
        or not op[_WINDOW_STRIDE_H]
        or not op[_WINDOW_STRIDE_W]
        or not op[_WINDOW_DILATION_H]
        or not op[_WINDOW_DILATION_W]
        or op[_WINDOW_CLAMP_MIN] > op[_WINDOW_CLAMP_MAX]
    ):
        return _BAD_PARAMETER
    if (
        op[_INPUT] + op[_WINDOW_IN_H] * op[_WINDOW_IN_W] * op[_WINDOW_IN_C] > arena_bytes
        or op[_OUTPUT] + op[_WINDOW_OUT_H] * op[_WINDOW_OUT_W] * op[_WINDOW_OUT_C] > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_conv(op, arena_bytes):
    reason = _check_window(op, arena_bytes)
    if reason:
        return reason
    if op[_CODE] == _DEPTHWISE_CONV_2D:
        if op[_WINDOW_OUT_C] % op[_WINDOW_IN_C]:
            return _BAD_PARAMETER
    if (
        not 1 <= op[_WINDOW_BIAS_BITS] <= 32
        or op[_WINDOW_SHIFT_BITS] > 6
        or op[_WINDOW_MULT_BITS] not in (0, 30)
        or op[_WINDOW_MULTIPLIER] < 0
        or op[_BLOCKS] * op[_WINDOW_BLOCK_CHANNELS] != op[_WINDOW_OUT_C]
    ):
        return _BAD_PARAMETER
    if (
        op[_BLOCK_BYTES] < 4 * ((op[_WINDOW_BLOCK_CHANNELS] * (op[_WINDOW_BIAS_BITS] + op[_WINDOW_SHIFT_BITS] + op[_WINDOW_MULT_BITS]) + 31) // 32) + op[_WINDOW_BLOCK_CHANNELS] * op[_WINDOW_KERNEL_H] * op[_WINDOW_KERNEL_W] * (1 if op[_CODE] == _DEPTHWISE_CONV_2D else op[_WINDOW_IN_C])
    ):
        return _BAD_WEIGHTS
    return _OK


def _check_pool(op, arena_bytes):
    reason = _check_window(op, arena_bytes)
    if reason:
        return reason
    if op[_WINDOW_IN_C] != op[_WINDOW_OUT_C] or op[_WINDOW_KERNEL_H] * op[_WINDOW_KERNEL_W] > 8388608:
        return _BAD_PARAMETER
    return _OK


def _check_mean(op, arena_bytes):
    if (
        not op[_REDUCE_OUTER]
        or not op[_REDUCE_INNER]
        or not _is_rescale(op[_REDUCE_MULTIPLIER], op[_REDUCE_SHIFT])
        or not 1 <= op[_REDUCE_REDUCE] <= 8388608
        or op[_REDUCE_CLAMP_MIN] > op[_REDUCE_CLAMP_MAX]
    ):
        return _BAD_PARAMETER
    if (
        op[_INPUT] + op[_REDUCE_OUTER] * op[_REDUCE_REDUCE] * op[_REDUCE_INNER] > arena_bytes
        or op[_OUTPUT] + op[_REDUCE_OUTER] * op[_REDUCE_INNER] > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_add(op, arena_bytes):
    if (
        not _is_rescale(op[_ADD_MULTIPLIER1], op[_ADD_SHIFT1])
        or not _is_rescale(op[_ADD_MULTIPLIER2], op[_ADD_SHIFT2])
        or not _is_rescale(op[_ADD_MULTIPLIER], op[_ADD_SHIFT])
        or not 0 <= op[_ADD_LEFT_SHIFT] <= 22
        or op[_ADD_CLAMP_MIN] > op[_ADD_CLAMP_MAX]
    ):
        return _BAD_PARAMETER
    if (
        op[_INPUT] + op[_ADD_COUNT] > arena_bytes
        or op[_ADD_INPUT2] + op[_ADD_COUNT] > arena_bytes
        or op[_OUTPUT] + op[_ADD_COUNT] > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_rows(op, arena_bytes):
    if (
        not 1 <= op[_SOFTMAX_DEPTH] <= 4095
        or op[_SOFTMAX_MULTIPLIER] < 0
        or not 0 <= op[_SOFTMAX_SHIFT] <= 30
        or op[_SOFTMAX_DIFF_MIN] > 0
    ):
        return _BAD_PARAMETER
    if (
        op[_INPUT] + op[_SOFTMAX_ROWS] * op[_SOFTMAX_DEPTH] > arena_bytes
        or op[_OUTPUT] + op[_SOFTMAX_ROWS] * op[_SOFTMAX_DEPTH] > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_lut(op, arena_bytes):
    if op[_BLOCKS] != 1 or op[_BLOCK_BYTES] < 256:
        return _BAD_WEIGHTS
    if op[_INPUT] + op[_LUT_COUNT] > arena_bytes or op[_OUTPUT] + op[_LUT_COUNT] > arena_bytes:
        return _BAD_TENSOR
    return _OK
# fmt: on
# generated: end


def _starts(op, block, first, last, row):
    # Where the weights of channels first..last-1 begin, `row` bytes of each.
    channels = op[_WINDOW_BLOCK_CHANNELS]
    block += (channels * sum(op[_WINDOW_BIAS_BITS:_WINDOW_SHIFT]) + 31) // 32 * 4
    return [block + c // channels * op[_BLOCK_BYTES] + c % channels * row for c in range(first, last)]


def _channels(op, weights, block, first, last):
    # Of channels first..last-1: bias, multiplier and shift, bit fields of a little-endian stream.
    bias_bits, shift_bits, mult_bits, least = op[_WINDOW_BIAS_BITS:_WINDOW_IN_H]
    bits = bias_bits + shift_bits + mult_bits
    sign = 1 << (bias_bits - 1)
    for c in range(first, last):
        at = c % op[_WINDOW_BLOCK_CHANNELS] * bits
        start = block + c // op[_WINDOW_BLOCK_CHANNELS] * op[_BLOCK_BYTES] + (at >> 3)
        at &= 7
        entry = int.from_bytes(bytes(weights[start : start + (at + bits + 7) // 8]), "little") >> at
        bias = entry & (2 * sign - 1)
        entry >>= bias_bits
        shift = least + (entry & ((1 << shift_bits) - 1))
        multiplier = ((entry >> shift_bits) & 0x3FFFFFFF) | 0x40000000 if mult_bits else op[_WINDOW_MULTIPLIER]
        yield (bias ^ sign) - sign, multiplier, shift if -31 <= shift <= 30 else _clamp(shift, -31, 30)


# An int of Python's as a vector, with a lane of 4 bytes for each of many sums: what is multiplied by a number and added
# up is so in all lanes at once. Lanes of 8 bytes where 4 might not hold a sum of so many products.
def _lanes(taps):
    return ("i", 4) if taps < 0x10000 else ("q", 8)


def _signs(size, count):
    return int.from_bytes((bytes(size - 1) + b"\x80") * count, "little")


def _windows(op, arena, first, last, padding):
    # The input below the kernel at places first..last-1 of the output, each with how many of its pixels are no padding.
    stride_h, stride_w, dilation_h, dilation_w = op[_WINDOW_STRIDE_H:_WINDOW_INPUT_ZERO]
    in_h, in_w, in_c, _, out_w, _, kernel_h, kernel_w, pad_top, pad_left = op[_WINDOW_IN_H:_WINDOW_BLOCK_CHANNELS]
    padding = bytes([padding & 255]) * (kernel_h * kernel_w * in_c)
    x = memoryview(arena)
    for place in range(first, last):
        y = place // out_w * stride_h - pad_top
        at = place % out_w * stride_w - pad_left
        top, bottom = _taps(y, in_h, kernel_h, dilation_h)
        left, right = _taps(at, in_w, kernel_w, dilation_w)
        window = bytearray(padding)
        for ky in range(top, bottom):
            i = op[_INPUT] + ((y + ky * dilation_h) * in_w + at + left * dilation_w) * in_c
            j = (ky * kernel_w + left) * in_c
            for _ in range(left, right):
                window[j : j + in_c] = x[i : i + in_c]
                i += dilation_w * in_c
                j += in_c
        yield window, max(0, bottom - top) * max(0, right - left)


def _conv(op, *rest):
    if op[_WINDOW_OUT_H] * op[_WINDOW_OUT_W] == 1:
        from ._portable_dense import kernel
    else:
        from ._portable_conv import kernel
    kernel(op, *rest)


def _channelwise(*call):
    from ._portable_channelwise import kernel

    kernel(*call)


_depthwise_conv = _pool = _mean = _add = _channelwise


def _lut(op, arena, weights, block, begin, end):
    source, out = op[_INPUT], op[_OUTPUT]
    for i in range(op[_LUT_COUNT]):
        arena[out + i] = weights[block + ((arena[source + i] + 128) & 255)]


def _high_mul(a, b):
    # round(a * b / 2^31), halves upwards
    return (a * b + 0x40000000) >> 31


def _exp(a):
    # exp(a) in Q0.31 for a <= 0 in Q5.26
    if a == 0:
        return 0x7FFFFFFF
    fraction = (a & 0xFFFFFF) - 0x1000000
    rest = fraction - a
    x = fraction * 32 + 0x10000000
    x2 = _high_mul(x, x)
    tail = _rounding_shift(_high_mul(x2, x2), 2) + _high_mul(x2, x)
    tail = _rounding_shift(_high_mul(tail, 715827883) + x2, 1)
    result = 1895147668 + _high_mul(x + tail, 1895147668)
    bit = 0x1000000
    for factor in (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242):
        if rest & bit:
            result = _high_mul(result, factor)
        bit <<= 1
    return result


def _reciprocal(a):
    # 1 / (1 + a) in Q0.31 for a in [0, 1) in Q0.31
    half = (a + 0x80000000) >> 1
    x = 1515870810 + _high_mul(-1010580540, half)
    for _ in range(3):
        x += _high_mul(x, 0x20000000 - _high_mul(x, half)) * 4
    return min(2 * x, 0x7FFFFFFF)


def _exponentials(x, multiplier, shift, diff_min):
    # Of a row, by value, with the reciprocal of their sum and the bits that this was shifted by.
    top = max(x)
    exps = {}
    total = 0
    for v in x:
        if v - top >= diff_min:
            if v not in exps:
                exps[v] = _exp(_rescale(v - top, multiplier, shift))
            total += _rounding_shift(exps[v], 12)
    headroom = 0
    while not total << headroom & 0x80000000:
        headroom += 1
    return exps, _reciprocal((total << headroom) - 0x80000000), headroom


def _softmax(op, arena, weights, block, begin, end):
    depth, out = op[_SOFTMAX_DEPTH], op[_OUTPUT]
    for row in range(op[_SOFTMAX_ROWS]):
        x = _signed(arena, op[_INPUT] + row * depth, depth)
        exps, scale, headroom = _exponentials(x, op[_SOFTMAX_MULTIPLIER], op[_SOFTMAX_SHIFT], op[_SOFTMAX_DIFF_MIN])
        exponent = 12 - headroom + 31 - 8
        for v in x:
            q = -128
            if v in exps and exponent <= 31:
                q += _rounding_shift(_high_mul(scale, exps[v]), exponent)
            arena[out] = _clamp(q, -128, 127) & 255
            out += 1


# generated: kernels (host/midge_host/device/ops, `make generate`)
_KERNELS = {
    0x010001: (_WINDOW_LAYOUT, _check_conv, _conv, True, _WINDOW_IN_H),  # CONV_2D, int8
    0x010002: (_WINDOW_LAYOUT, _check_conv, _depthwise_conv, True, _WINDOW_IN_H),  # DEPTHWISE_CONV_2D, int8
    0x010003: (_WINDOW_LAYOUT, _check_conv, _conv, True, _WINDOW_IN_H),  # FULLY_CONNECTED, int8
    0x010004: (_WINDOW_LAYOUT, _check_pool, _pool, False, _WINDOW_IN_H),  # AVERAGE_POOL_2D, int8
    0x010005: (_WINDOW_LAYOUT, _check_pool, _pool, False, _WINDOW_IN_H),  # MAX_POOL_2D, int8
    0x010006: (_REDUCE_LAYOUT, _check_mean, _mean, False, 0),  # MEAN, int8
    0x010007: (_ADD_LAYOUT, _check_add, _add, False, 0),  # ADD, int8
    0x010008: (_SOFTMAX_LAYOUT, _check_rows, _softmax, False, 0),  # SOFTMAX, int8
    0x010009: (_LUT_LAYOUT, _check_lut, _lut, True, 0),  # LUT, int8
}
# generated: end


def encode(raw, reading, arena):
    """Writes a buffer into an input tensor. Returns 0 or a reason, as midge_encode in native_modules/core."""
    if not raw:
        return _BAD_TENSOR
    offset, size, scale, zero, pixel_multiplier, pixel_offset = struct.unpack_from(_TENSOR, raw)
    code, reading = _view(reading)
    if code not in ("b", "B"):
        return _BAD_PARAMETER
    if len(reading) != size:
        return _BAD_TENSOR
    if code == "b":
        for i in range(size):
            arena[offset + i] = reading[i] & 255
    else:
        for i in range(size):
            q = (reading[i] * pixel_multiplier + pixel_offset + 0x8000) >> 16
            arena[offset + i] = _clamp(q, -128, 127) & 255
    return _OK


def decode(raw, arena, out):
    """Writes an output tensor into a buffer. Returns as encode()."""
    if not raw:
        return _BAD_TENSOR
    offset, size, scale, zero = struct.unpack_from(_TENSOR, raw)[:4]
    code, out = _view(out)
    if code not in ("b", "B", "f"):
        return _BAD_PARAMETER
    if len(out) != size:
        return _BAD_TENSOR
    try:
        for i in range(size):
            u = arena[offset + i]
            q = u - 256 if u > 127 else u
            if code == "f":
                out[i] = (q - zero) * scale
            elif code == "b":
                out[i] = q
            else:
                out[i] = q + 128
    except TypeError:  # read-only
        return _BAD_PARAMETER
    return _OK


def _view(buffer):
    # The type code of a buffer's elements, and the buffer with one dimension; no code for what is none.
    if isinstance(buffer, bytes) or isinstance(buffer, bytearray):
        return "B", buffer
    if isinstance(buffer, array):
        return str(buffer[:0])[7], buffer  # array('b'): MicroPython's arrays do not tell their type otherwise
    try:
        buffer = memoryview(buffer)
        if hasattr(buffer, "format"):  # CPython
            code = buffer.format.lstrip("@=<")
            return code, buffer.cast("B").cast(code) if code in ("b", "B", "h", "i", "f") and buffer.nbytes else buffer
    except TypeError:
        return "", b""
    # MicroPython's views do not tell their type: by its size, and by what becomes of -1.
    size = len(bytes(buffer[:1]))
    if size > 4 or (size and isinstance(buffer[0], float)):
        return "f" if size == 4 else "", buffer
    code = " BH I"[size] if size else "B"
    if size:
        first = buffer[0]
        try:
            buffer[0] = -1
            if buffer[0] < 0:
                code = code.lower()
            buffer[0] = first
        except (TypeError, OverflowError):  # read-only: of bytes; unsigned on CircuitPython
            pass
    return code, buffer


check, run = bank(_KERNELS)
