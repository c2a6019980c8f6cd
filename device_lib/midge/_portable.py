# The portable backend: the functions of midge_native in plain Python, for boards and PCs without it.
# Slow, and the same bytes. The arithmetic is specified in docs/NUMERICS.md, the records in docs/FORMAT.md.

import struct
from array import array

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: operators (host/midge_host/device/spec.py, `make generate`)
_RECORD = const(72)
_BLOCK_ALIGNMENT = const(4)
_CONV_2D = const(1)
_DEPTHWISE_CONV_2D = const(2)
_FULLY_CONNECTED = const(3)
_AVERAGE_POOL_2D = const(4)
_MAX_POOL_2D = const(5)
_MEAN = const(6)
_ADD = const(7)
_SOFTMAX = const(8)
_LUT = const(9)
_PAD = const(10)
_BAD_OPERATOR = const(1)
_BAD_TENSOR = const(2)
_BAD_WEIGHTS = const(3)
_BAD_PARAMETER = const(4)
_BAD_READING = const(5)
_HEAD_LAYOUT = "<BBH40xIIIIIII"
# code, flags, blocks, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_WINDOW_LAYOUT = "<BBHBBBBbbbbBBBbHHHHHHHHHHHHiIIIIIII"
# code, flags, blocks, stride_h, stride_w, dilation_h, dilation_w, input_zero, output_zero, clamp_min, clamp_max, bias_bits, shift_bits, mult_bits, shift, in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w, pad_top, pad_left, block_channels, reserved, multiplier, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_REDUCE_LAYOUT = "<BBHIIIiibbbb16xIIIIIII"
# code, flags, blocks, outer, reduce, inner, multiplier, shift, input_zero, output_zero, clamp_min, clamp_max, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_ADD_LAYOUT = "<BBHIIiiibbbbbbbbbb10xIIIIIII"
# code, flags, blocks, input2, count, multiplier1, multiplier2, multiplier, shift1, shift2, shift, left_shift, zero1, zero2, output_zero, clamp_min, clamp_max, reserved, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_SOFTMAX_LAYOUT = "<BBHIIiii20xIIIIIII"
# code, flags, blocks, rows, depth, multiplier, shift, diff_min, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_LUT_LAYOUT = "<BBHI36xIIIIIII"
# code, flags, blocks, count, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_PAD_LAYOUT = "<BBH4H4H4Hb15xIIIIIII"
# code, flags, blocks, in_shape, before, out_shape, value, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
# generated: end

_OK = const(0)
_TENSOR = "<IIfiii"  # the fields of a tensor descriptor that are used here

try:
    from operator import mul

    def _dot(x, i, w, j, n):
        # sum of x[i + k] * w[j + k]
        return sum(map(mul, x[i : i + n], w[j : j + n]))

except ImportError:  # boards

    def _dot(x, i, w, j, n):
        total = 0
        for k in range(n):
            total += x[i + k] * w[j + k]
        return total


def _signed(data, start, size):
    # A copy as int8 values; a memoryview of bytes gives unsigned ones.
    return array("b", bytes(memoryview(data)[start : start + size]))


def _rescale(x, multiplier, shift):
    # MultiplyByQuantizedMultiplier: x * multiplier / 2^31 * 2^shift with two roundings.
    if shift > 0:
        x = _wrap(x << shift)
    x = (x * multiplier + 0x40000000) >> 31
    return _rounding_shift(x, -shift) if shift < 0 else x


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


def _window(op):
    # Sizes of input, output and window; strides, dilations; padding; zero points, clamp; multiplier, block_channels;
    # bits of a bias, a shift and a multiplier; shift.
    return op[15:23] + op[3:7] + op[23:25] + op[7:11] + (op[27], op[25]) + op[11:15]


def check(program, arena_bytes, weights_bytes):
    """0, or (operator index + 1) * 16 + reason for the first record that cannot run."""
    return check_records(_KERNELS, program, arena_bytes, weights_bytes)


def run(program, first, last, arena, weights, base=0, begin=0, end=0xFFFF):
    """Runs records first..last-1; a single record's weight blocks begin..end-1 only. Returns as check()."""
    return run_records(_KERNELS, program, first, last, arena, weights, base, begin, end)


def check_records(kernels, program, arena_bytes, weights_bytes):
    # kernels: by operator code its record's layout, its check, its kernel, and whether it has weight blocks.
    for index in range(len(program) // _RECORD):
        reason = _check(kernels, program, index, arena_bytes)
        if not reason:
            _, _, blocks, _, output, out_bytes, start, size, _, _ = _unpack(_HEAD_LAYOUT, program, index)
            if output + out_bytes > arena_bytes:
                reason = _BAD_TENSOR
            elif (start | size) % _BLOCK_ALIGNMENT or start + blocks * size > weights_bytes:
                reason = _BAD_WEIGHTS
        if reason:
            return (index + 1) * 16 + reason
    return _OK


def run_records(kernels, program, first, last, arena, weights, base, begin, end):
    if not 0 <= first <= last <= len(program) // _RECORD:
        return 16 + _BAD_PARAMETER
    for index in range(first, last):
        reason = _check(kernels, program, index, len(arena))
        if not reason:
            _, _, blocks, _, _, _, start, size, _, _ = _unpack(_HEAD_LAYOUT, program, index)
            b, e = (begin, min(end, blocks)) if last - first == 1 else (0, blocks)
            if blocks and (b > e or start + b * size < base or start + e * size > base + len(weights)):
                reason = _BAD_WEIGHTS
        if reason:
            return (index + 1) * 16 + reason
        layout, _, kernel, _ = kernels[program[index * _RECORD]]
        op = _unpack(layout, program, index)
        if not blocks or b < e:
            kernel(op, arena, weights, start - base, b, e)
    return _OK


def _check(kernels, program, index, arena_bytes):
    code = program[index * _RECORD]
    if code not in kernels:
        return _BAD_OPERATOR
    layout, check_op, _, has_blocks = kernels[code]
    op = _unpack(layout, program, index)
    if op[2] and not has_blocks:
        return _BAD_WEIGHTS
    if op[-2] + op[-1] > arena_bytes:
        return _BAD_TENSOR
    return check_op(op, arena_bytes)


def _check_op(op, arena_bytes):
    code, source, output, blocks, block_bytes = op[0], op[-7], op[-6], op[2], op[-3]
    p = _window(op) if code <= _MAX_POOL_2D else op[3:]
    if code <= _MAX_POOL_2D:
        if 0 in p[:12] or p[16] > p[17]:
            return _BAD_PARAMETER
        in_bytes, out_bytes = p[0] * p[1] * p[2], p[3] * p[4] * p[5]
        if code <= _FULLY_CONNECTED:
            row = p[6] * p[7] * (1 if code == _DEPTHWISE_CONV_2D else p[2])
            if code == _DEPTHWISE_CONV_2D and p[5] % p[2] or not 1 <= p[20] <= 32 or p[21] > 6:
                return _BAD_PARAMETER
            if p[22] not in (0, 30) or p[18] < 0 or blocks * p[19] != p[5]:
                return _BAD_PARAMETER
            if _entries_bytes(p) + p[19] * row > block_bytes:
                return _BAD_WEIGHTS
        elif p[2] != p[5] or p[6] * p[7] > 1 << 23:
            return _BAD_PARAMETER
    elif code == _MEAN:
        in_bytes, out_bytes = p[0] * p[1] * p[2], p[0] * p[2]
        if not p[0] or not p[2] or not 0 < p[1] <= 1 << 23 or not _is_rescale(p[3], p[4]) or p[7] > p[8]:
            return _BAD_PARAMETER
    elif code == _ADD:
        in_bytes = out_bytes = p[1]
        if p[0] + p[1] > arena_bytes:
            return _BAD_TENSOR
        scales = _is_rescale(p[2], p[5]) and _is_rescale(p[3], p[6]) and _is_rescale(p[4], p[7])
        if not scales or not 0 <= p[8] <= 22 or p[12] > p[13]:
            return _BAD_PARAMETER
    elif code == _SOFTMAX:
        in_bytes = out_bytes = p[0] * p[1]
        if not 0 < p[1] <= 4095 or p[2] < 0 or not 0 <= p[3] <= 30 or p[4] > 0:
            return _BAD_PARAMETER
    elif code == _LUT:
        in_bytes = out_bytes = p[0]
        if blocks != 1 or block_bytes < 256:
            return _BAD_WEIGHTS
    else:
        in_bytes = out_bytes = 1
        for i in range(4):
            if not p[i] or p[4 + i] + p[i] > p[8 + i]:
                return _BAD_PARAMETER
            in_bytes *= p[i]
            out_bytes *= p[8 + i]
    if source + in_bytes > arena_bytes or output + out_bytes > arena_bytes:
        return _BAD_TENSOR
    return _OK


def _is_rescale(multiplier, shift):
    return multiplier >= 0 and -31 <= shift <= 30


def _entries_bytes(p):
    return (p[19] * (p[20] + p[21] + p[22]) + 31) // 32 * 4


def _channel(p, weights, block, index):
    # Bias, multiplier and shift of a channel: bit fields of a little-endian stream.
    bits = p[20] + p[21] + p[22]
    at = index * bits
    start = block + (at >> 3)
    entry = int.from_bytes(bytes(weights[start : start + ((at & 7) + bits + 7) // 8]), "little") >> (at & 7)
    bias = entry & ((1 << p[20]) - 1)
    if bias >> (p[20] - 1):
        bias -= 1 << p[20]
    entry >>= p[20]
    shift = _clamp(p[23] + (entry & ((1 << p[21]) - 1)), -31, 30)
    multiplier = p[18]
    if p[22]:
        multiplier = ((entry >> p[21]) & 0x3FFFFFFF) | 0x40000000
    return bias, multiplier, shift


def _conv(op, arena, weights, block, begin, end):
    depthwise = op[0] == _DEPTHWISE_CONV_2D
    p = _window(op)
    in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w, stride_h, stride_w = p[:10]
    dilation_h, dilation_w, pad_top, pad_left, in_zero, out_zero, low, high = p[10:18]
    x = _signed(arena, op[-7], in_h * in_w * in_c)
    depth = 1 if depthwise else in_c
    row = kernel_h * kernel_w * depth
    step = dilation_w * in_c
    weights = memoryview(weights)
    for c in range(begin * p[19], end * p[19]):
        start = block + (c // p[19]) * op[-3]
        index = c % p[19]
        bias, multiplier, shift = _channel(p, weights, start, index)
        w = _signed(weights, start + _entries_bytes(p) + index * row, row)
        whole = sum(w)
        channel = c * in_c // out_c if depthwise else 0
        out = op[-6] + c
        for oy in range(out_h):
            y = oy * stride_h - pad_top
            top, bottom = _taps(y, in_h, kernel_h, dilation_h)
            for ox in range(out_w):
                at = ox * stride_w - pad_left
                left, right = _taps(at, in_w, kernel_w, dilation_w)
                # The bias holds -in_zero * sum(w): where the window meets padding, in_zero is the input.
                acc = bias
                met = 0
                for ky in range(top, bottom):
                    i = ((y + ky * dilation_h) * in_w + at + left * dilation_w) * in_c + channel
                    j = (ky * kernel_w + left) * depth
                    if right <= left:
                        break
                    if depthwise:
                        for _ in range(right - left):
                            acc += x[i] * w[j]
                            met += w[j]
                            i += step
                            j += 1
                    elif dilation_w == 1:
                        n = (right - left) * depth
                        acc += _dot(x, i, w, j, n)
                        if in_zero:
                            met += sum(w[j : j + n])
                    else:
                        for _ in range(right - left):
                            acc += _dot(x, i, w, j, depth)
                            met += sum(w[j : j + depth])
                            i += step
                            j += depth
                if in_zero:
                    acc += in_zero * (whole - met)
                q = _wrap(_rescale(_wrap(acc), multiplier, shift) + out_zero)
                arena[out] = _clamp(q, low, high) & 255
                out += out_c


def _pool(op, arena, weights, block, begin, end):
    average = op[0] == _AVERAGE_POOL_2D
    p = _window(op)
    in_h, in_w, in_c, out_h, out_w, _, kernel_h, kernel_w, stride_h, stride_w = p[:10]
    x = _signed(arena, op[-7], in_h * in_w * in_c)
    out = op[-6]
    for oy in range(out_h):
        y = oy * stride_h - p[12]
        top, bottom = _taps(y, in_h, kernel_h, 1)
        for ox in range(out_w):
            at = ox * stride_w - p[13]
            left, right = _taps(at, in_w, kernel_w, 1)
            count = max(0, bottom - top) * max(0, right - left)
            for c in range(in_c):
                total = 0
                best = -128
                for ky in range(top, bottom):
                    i = ((y + ky) * in_w + at + left) * in_c + c
                    for _ in range(right - left):
                        v = x[i]
                        total += v
                        if v > best:
                            best = v
                        i += in_c
                if not count:
                    best = 0
                elif average:  # halves away from zero
                    best = (abs(total) + count // 2) // count
                    if total < 0:
                        best = -best
                arena[out] = _clamp(best, p[16], p[17]) & 255
                out += 1


def _mean(op, arena, weights, block, begin, end):
    outer, count, inner, multiplier, shift, in_zero, out_zero, low, high = op[3:12]
    x = _signed(arena, op[-7], outer * count * inner)
    out = op[-6]
    for o in range(outer):
        for i in range(inner):
            total = -count * in_zero
            at = o * count * inner + i
            for _ in range(count):
                total += x[at]
                at += inner
            q = _wrap(_rescale(total, multiplier, shift) + out_zero)
            arena[out] = _clamp(q, low, high) & 255
            out += 1


def _add(op, arena, weights, block, begin, end):
    second, count, m1, m2, m, s1, s2, s, left, zero1, zero2, out_zero, low, high = op[3:17]
    a = _signed(arena, op[-7], count)
    b = _signed(arena, second, count)
    out = op[-6]
    for i in range(count):
        total = _rescale((a[i] - zero1) << left, m1, s1) + _rescale((b[i] - zero2) << left, m2, s2)
        arena[out + i] = _clamp(_wrap(_rescale(_wrap(total), m, s) + out_zero), low, high) & 255


def _lut(op, arena, weights, block, begin, end):
    source, out = op[-7], op[-6]
    for i in range(op[3]):
        arena[out + i] = weights[block + ((arena[source + i] + 128) & 255)]


def _pad(op, arena, weights, block, begin, end):
    in_n, in_h, in_w, in_c, n0, y0, x0, c0, out_n, out_h, out_w, out_c, value = op[3:16]
    data = bytes(memoryview(arena)[op[-7] : op[-7] + in_n * in_h * in_w * in_c])
    out = op[-6]
    for i in range(out, out + out_n * out_h * out_w * out_c):
        arena[i] = value & 255
    at = 0
    for n in range(in_n):
        for y in range(in_h):
            for x in range(in_w):
                to = out + (((n + n0) * out_h + y + y0) * out_w + x + x0) * out_c + c0
                for c in range(in_c):
                    arena[to + c] = data[at]
                    at += 1


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
    rows, depth, multiplier, shift, diff_min = op[3:8]
    out = op[-6]
    for row in range(rows):
        x = _signed(arena, op[-7] + row * depth, depth)
        exps, scale, headroom = _exponentials(x, multiplier, shift, diff_min)
        exponent = 12 - headroom + 31 - 8
        for v in x:
            q = -128
            if v in exps and exponent <= 31:
                q += _rounding_shift(_high_mul(scale, exps[v]), exponent)
            arena[out] = _clamp(q, -128, 127) & 255
            out += 1


_KERNELS = {
    _CONV_2D: (_WINDOW_LAYOUT, _check_op, _conv, True),
    _DEPTHWISE_CONV_2D: (_WINDOW_LAYOUT, _check_op, _conv, True),
    _FULLY_CONNECTED: (_WINDOW_LAYOUT, _check_op, _conv, True),
    _AVERAGE_POOL_2D: (_WINDOW_LAYOUT, _check_op, _pool, False),
    _MAX_POOL_2D: (_WINDOW_LAYOUT, _check_op, _pool, False),
    _MEAN: (_REDUCE_LAYOUT, _check_op, _mean, False),
    _ADD: (_ADD_LAYOUT, _check_op, _add, False),
    _SOFTMAX: (_SOFTMAX_LAYOUT, _check_op, _softmax, False),
    _LUT: (_LUT_LAYOUT, _check_op, _lut, True),
    _PAD: (_PAD_LAYOUT, _check_op, _pad, False),
}


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
