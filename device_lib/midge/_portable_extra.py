# The operators of midge_extra in plain Python: like _portable.py, for what a model needs beyond the operators there.

import struct
from array import array

from ._portable import (
    _REDUCE_LAYOUT,
    _SOFTMAX_LAYOUT,
    _clamp,
    _exp,
    _exponentials,
    _high_mul,
    _is_rescale,
    _reciprocal,
    _rescale,
    _rounding_shift,
    _signed,
    _view,
    _wrap,
    check_records,
    run_records,
)

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: extra operators (host/midge_host/device/spec.py, `make generate`)
_COPY = const(32)
_CONSTANT = const(33)
_ARITHMETIC = const(34)
_CONV_2D_16 = const(35)
_DEPTHWISE_CONV_2D_16 = const(36)
_FULLY_CONNECTED_16 = const(37)
_LOG_SOFTMAX = const(38)
_ARG_MAX = const(39)
_RESIZE_NEAREST_NEIGHBOR = const(40)
_RESIZE_BILINEAR = const(41)
_L2_NORMALIZATION = const(42)
_BATCH_MATMUL = const(43)
_SVDF = const(44)
_LSTM = const(45)
_REQUANTIZE = const(46)
_SOFTMAX_16 = const(47)
_AVERAGE_POOL_2D_16 = const(48)
_MAX_POOL_2D_16 = const(49)
_MEAN_16 = const(50)
_SOFTMAX_FROM_16 = const(51)
_LOGISTIC_16 = const(52)
_TANH_16 = const(53)
_KIND_ADD = const(0)
_KIND_SUB = const(1)
_KIND_MUL = const(2)
_KIND_MAXIMUM = const(3)
_KIND_MINIMUM = const(4)
_KIND_PRELU = const(5)
_ELEMENT_AT = const(38)
_DTYPE_INT16 = const(4)
_CHANNEL16_BYTES = const(12)
_EXP_TABLE_BYTES = const(1026)
_SIGMOID_BYTES = const(512)
_GATES_BYTES = const(32)
_BAD_OPERATOR = const(1)
_BAD_TENSOR = const(2)
_BAD_WEIGHTS = const(3)
_BAD_PARAMETER = const(4)
_BAD_READING = const(5)
_COPY_LAYOUT = "<BBH5iI5HH4xIIIIIII"
# code, flags, blocks, strides, at, shape, run, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_CONSTANT_LAYOUT = "<BBHIb35xIIIIIII"
# code, flags, blocks, count, value, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_ARITHMETIC_LAYOUT = "<BBHIiii5HhhbbbbbbBBBbIIIIIII"
# code, flags, blocks, input2, multiplier1, multiplier2, multiplier, shape, clamp_min, clamp_max, shift1, shift2, shift, zero1, zero2, output_zero, repeat1, repeat2, kind, left_shift, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_WINDOW16_LAYOUT = "<BBHBBBBhhHHHHHHHHHHH10xIIIIIII"
# code, flags, blocks, stride_h, stride_w, dilation_h, dilation_w, clamp_min, clamp_max, in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w, pad_top, pad_left, block_channels, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_RESIZE_LAYOUT = "<BBHiiiiHHHHHH12xIIIIIII"
# code, flags, blocks, step_h, step_w, start_h, start_w, batch, in_h, in_w, in_c, out_h, out_w, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_NORMALIZE_LAYOUT = "<BBHIIb31xIIIIIII"
# code, flags, blocks, rows, depth, input_zero, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_MATMUL_LAYOUT = "<BBHIi3HHHHbbbbBB14xIIIIIII"
# code, flags, blocks, input2, multiplier, batch, rows, depth, columns, shift, zero1, zero2, output_zero, repeat1, repeat2, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_SVDF_LAYOUT = "<BBHIiiHHHHHHbbbb12xIIIIIII"
# code, flags, blocks, input2, multiplier1, multiplier2, batch, depth, units, rank, memory, block_units, shift1, shift2, state_zero, output_zero, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_LSTM_LAYOUT = "<BBHIIiHHHHHb8bbb7xIIIIIII"
# code, flags, blocks, input2, input3, multiplier, batch, steps, depth, cells, cell_clip, shift, shifts, cell_power, output_zero, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_REQUANTIZE_LAYOUT = "<BBHIiihhbbbb20xIIIIIII"
# code, flags, blocks, count, multiplier, negative_multiplier, clamp_min, clamp_max, shift, negative_shift, input_zero, output_zero, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
_FUNCTION16_LAYOUT = "<BBHIiB31xIIIIIII"
# code, flags, blocks, count, multiplier, shift, input, output, output_bytes, weights, block_bytes, scratch, scratch_bytes
# generated: end

_OK = const(0)
_OUTPUT_HAS_STRIDES = const(1)
_INT16 = const(1)
_NARROW = const(1)


def check(program, arena_bytes, weights_bytes):
    return check_records(_KERNELS, program, arena_bytes, weights_bytes)


def run(program, first, last, arena, weights, base=0, begin=0, end=0xFFFF):
    return run_records(_KERNELS, program, first, last, arena, weights, base, begin, end)


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


def _rescale_wide(x, multiplier, shift):
    # MultiplyByQuantizedMultiplier of 64-bit sums: a multiplier of 15 bits, one rounding; shift up to 7.
    reduced = (multiplier + 0x8000) >> 16 if multiplier < 0x7FFF0000 else 0x7FFF
    return _wrap((x * reduced + (1 << (14 - shift))) >> (15 - shift))


def _product(values):
    result = 1
    for value in values:
        result *= value
    return result


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


def _check_copy(op, arena_bytes):
    strides, at, shape, size = op[3:8], op[8], op[9:14], op[14]
    dense = size * _product(shape)
    if op[1] > _OUTPUT_HAS_STRIDES or not dense:
        return _BAD_PARAMETER
    low = high = at
    for i in range(5):
        reach = strides[i] * (shape[i] - 1)
        low += min(reach, 0)
        high += max(reach, 0)
    source, output = op[-7], op[-6]
    strided, packed = (output, source) if op[1] else (source, output)
    if low < 0 or strided + high + size > arena_bytes or packed + dense > arena_bytes:
        return _BAD_TENSOR
    return _OK


def _copy(op, arena, weights, block, begin, end):
    strides, shape, size = op[3:8], op[9:14], op[14]
    strided, dense = (op[-6], op[-7]) if op[1] else (op[-7], op[-6])
    strided += op[8]
    view = memoryview(arena)
    index = [0] * 5
    while True:
        if op[1]:
            view[strided : strided + size] = view[dense : dense + size]
        else:
            view[dense : dense + size] = view[strided : strided + size]
        dense += size
        move = _next(index, shape, strides)
        if move is None:
            return
        strided += move


def _check_constant(op, arena_bytes):
    if op[2] and op[2] * op[-3] < op[3]:
        return _BAD_WEIGHTS
    return _BAD_TENSOR if op[-6] + op[3] > arena_bytes else _OK


def _constant(op, arena, weights, block, begin, end):
    out = op[-6]
    if op[2]:
        first, last = begin * op[-3], min(op[3], end * op[-3])
        if first < last:
            start = block + first
            memoryview(arena)[out + first : out + last] = memoryview(weights)[start : start + last - first]
    else:
        for i in range(out, out + op[3]):
            arena[i] = op[4] & 255


def _repeated(shape, bits):
    # The shape of an input that is repeated along the dimensions with a bit.
    return [1 if bits >> d & 1 else shape[d] for d in range(5)]


def _check_arithmetic(op, arena_bytes):
    second, m1, m2, m = op[3:7]
    shape = op[7:12]
    low, high, s1, s2, s, _, _, _, repeat1, repeat2, kind, left = op[12:24]
    unit = 2 if op[1] & _INT16 else 1
    count = _product(shape)
    scales = _is_rescale(m1, s1) and _is_rescale(m2, s2) and _is_rescale(m, s)
    if op[1] > _INT16 or kind > _KIND_PRELU or not count or not scales or not 0 <= left <= 22 or low > high:
        return _BAD_PARAMETER
    if unit == 1 and (low < -128 or high > 127) or (op[-7] | second | op[-6]) & (unit - 1):
        return _BAD_PARAMETER
    for at, repeat in ((op[-7], repeat1), (second, repeat2), (op[-6], 0)):
        if at + unit * _product(_repeated(shape, repeat)) > arena_bytes:
            return _BAD_TENSOR
    return _OK


def _arithmetic(op, arena, weights, block, begin, end):
    second, m1, m2, m = op[3:7]
    shape = op[7:12]
    low, high, s1, s2, s, zero1, zero2, out_zero, repeat1, repeat2, kind, left = op[12:24]
    code, unit = ("h", 2) if op[1] & _INT16 else ("b", 1)
    steps = []
    inputs = []
    for at, repeat in ((op[-7], repeat1), (second, repeat2)):
        own = _repeated(shape, repeat)
        inputs.append(_values(code, arena, at, unit * _product(own)))
        steps.append([0 if repeat >> d & 1 else _product(own[d + 1 :]) for d in range(5)])
    x, y = inputs
    out = _values(code, arena, op[-6], unit * _product(shape))
    i = j = 0
    index = [0] * 5
    other = [0] * 5
    for at in range(len(out)):
        a, b = x[i], y[j]
        if kind == _KIND_MAXIMUM:
            q = max(a, b)
        elif kind == _KIND_MINIMUM:
            q = min(a, b)
        else:
            a -= zero1
            b -= zero2
            if kind == _KIND_MUL:
                q = _rescale(a * b, m, s)
            elif kind == _KIND_PRELU:
                q = _rescale(a * b, m2, s2) if a < 0 else _rescale(a, m1, s1)
            else:
                b = _rescale(_wrap(b << left), m2, s2)
                q = _rescale(_wrap(_rescale(_wrap(a << left), m1, s1) + (-b if kind == _KIND_SUB else b)), m, s)
            q = _wrap(q + out_zero)
        out[at] = _clamp(q, low, high)
        if at + 1 < len(out):
            i += _next(index, shape, steps[0])
            j += _next(other, shape, steps[1])
    memoryview(arena)[op[-6] : op[-6] + unit * len(out)] = bytes(out)


def _check_svdf(op, arena_bytes):
    state, m1, m2, batch, depth, units, rank, memory, block_units, s1, s2 = op[3:14]
    unit = 2 if op[1] & _INT16 else 1
    state_bytes = batch * units * rank * memory * unit
    if op[1] > _INT16 or not state_bytes or not depth or state & (unit - 1) or op[2] * block_units != units:
        return _BAD_PARAMETER
    if not _is_rescale(m1, s1) or not _is_rescale(m2, s2):
        return _BAD_PARAMETER
    if block_units * (4 + rank * (4 + memory * unit + depth)) > op[-3]:
        return _BAD_WEIGHTS
    end = max(op[-7] + batch * depth, state + state_bytes, op[-6] + batch * units)
    return _BAD_TENSOR if end > arena_bytes else _OK


def _check_lstm(op, arena_bytes):
    hidden, cell, multiplier, batch, steps, depth, cells, clip, shift = op[3:12]
    wide = op[1] & _INT16
    unit = 2 if wide else 1
    rows = batch * steps
    if op[1] > 3 or not rows or not depth or not cells or clip > 32768 or not -27 <= op[20] <= 0:
        return _BAD_PARAMETER
    if not _is_rescale(multiplier, shift) or not -31 <= min(op[12:20]) <= max(op[12:20]) <= (7 if wide else 30):
        return _BAD_PARAMETER
    if (op[-7] | hidden | op[-6]) & (unit - 1) or cell & 1:
        return _BAD_PARAMETER
    if op[2] != 1 or _SIGMOID_BYTES + _GATES_BYTES + 4 * cells * (8 + depth + cells) > op[-3]:
        return _BAD_WEIGHTS
    end = max(op[-7] + rows * depth * unit, op[-6] + rows * cells * unit, hidden + batch * cells * unit)
    return _BAD_TENSOR if max(end, cell + batch * cells * 2) > arena_bytes else _OK


def _later(module, name):
    # A kernel of a module that most models do without.
    def run_kernel(*arguments):
        if module == "wide":
            from . import _portable_wide as kernels
        else:
            from . import _portable_recurrent as kernels
        getattr(kernels, name)(*arguments)

    return run_kernel


def _check_window16(op, arena_bytes):
    if 0 in op[3:7] or 0 in op[9:17] or op[7] > op[8] or (op[-7] | op[-6]) & 1:
        return _BAD_PARAMETER
    for at, i in ((op[-7], 9), (op[-6], 12)):
        if at + 2 * _product(op[i : i + 3]) > arena_bytes:
            return _BAD_TENSOR
    return _OK


def _check_conv16(op, arena_bytes):
    reason = _check_window16(op, arena_bytes)
    if reason:
        return reason
    in_c, out_c, kernel_h, kernel_w, block_channels = op[11], op[14], op[15], op[16], op[19]
    row = kernel_h * kernel_w
    if op[0] != _DEPTHWISE_CONV_2D_16:
        row *= in_c
    elif out_c % in_c:
        return _BAD_PARAMETER
    if op[1] > _NARROW or op[2] * block_channels != out_c:
        return _BAD_PARAMETER
    return _BAD_WEIGHTS if block_channels * (_CHANNEL16_BYTES + row) > op[-3] else _OK


def _check_pool16(op, arena_bytes):
    reason = _check_window16(op, arena_bytes)
    return _BAD_PARAMETER if not reason and (op[11] != op[14] or op[15] * op[16] > 1 << 16) else reason


def _check_mean16(op, arena_bytes):
    outer, count, inner, multiplier, shift = op[3:8]
    if not outer or not inner or not 0 < count <= 1 << 16 or not _is_rescale(multiplier, shift):
        return _BAD_PARAMETER
    if (op[-7] | op[-6]) & 1:
        return _BAD_PARAMETER
    size = 2 * outer * inner
    return _BAD_TENSOR if op[-6] + size > arena_bytes or op[-7] + size * count > arena_bytes else _OK


def _check_requantize(op, arena_bytes):
    count, multiplier, negative, low, high, shift, negative_shift = op[3:10]
    source, to = 1 + (op[1] & 1), 1 + (op[1] >> 1 & 1)
    if op[1] > 3 or not _is_rescale(multiplier, shift) or not _is_rescale(negative, negative_shift) or low > high:
        return _BAD_PARAMETER
    if to == 1 and (low < -128 or high > 127) or op[-7] & (source - 1) or op[-6] & (to - 1):
        return _BAD_PARAMETER
    return _BAD_TENSOR if op[-7] + count * source > arena_bytes or op[-6] + count * to > arena_bytes else _OK


def _check_softmax_from16(op, arena_bytes):
    rows, depth, multiplier, shift = op[3:7]
    if not 0 < depth <= 4095 or not _is_rescale(multiplier, shift) or (op[-7] | op[-6]) & 1:
        return _BAD_PARAMETER
    if op[2] != 1 or op[-3] < 2 * _EXP_TABLE_BYTES:
        return _BAD_WEIGHTS
    return _BAD_TENSOR if max(op[-7], op[-6]) + 2 * rows * depth > arena_bytes else _OK


def _check_function16(op, arena_bytes):
    count, multiplier, shift = op[3:6]
    if not 0 <= multiplier <= 32767 or shift > 31 or (op[-7] | op[-6]) & 1:
        return _BAD_PARAMETER
    if op[2] != 1 or op[-3] < _SIGMOID_BYTES:
        return _BAD_WEIGHTS
    return _BAD_TENSOR if max(op[-7], op[-6]) + 2 * count > arena_bytes else _OK


def _values(code, arena, at, size):
    # A copy of `size` bytes as numbers of an array's type.
    return array(code, bytes(memoryview(arena)[at : at + size]))


def _check_rows(op, arena_bytes):
    rows, depth, multiplier, shift, diff_min = op[3:8]
    if not 0 < depth <= 4095 or multiplier < 0 or not 0 <= shift <= 30 or diff_min > 0:
        return _BAD_PARAMETER
    return _BAD_TENSOR if max(op[-7], op[-6]) + rows * depth > arena_bytes else _OK


def _check_softmax16(op, arena_bytes):
    reason = _check_rows(op, arena_bytes)
    if reason or op[-6] & 1:
        return reason or _BAD_PARAMETER
    return _BAD_TENSOR if op[-6] + 2 * op[3] * op[4] > arena_bytes else _OK


def _softmax16(op, arena, weights, block, begin, end):
    rows, depth, multiplier, shift, diff_min = op[3:8]
    out = op[-6]
    for row in range(rows):
        x = _signed(arena, op[-7] + row * depth, depth)
        exps, scale, headroom = _exponentials(x, multiplier, shift, diff_min)
        for v in x:
            q = -32768
            if v in exps:
                q = min(q + _rounding_shift(_high_mul(scale, exps[v]), 27 - headroom), 32767)
            arena[out] = q & 255
            arena[out + 1] = q >> 8 & 255
            out += 2


def _log(x):
    # log(x) in Q5.26 for x >= 1 in Q12.19. x is r * 2^power with r about 2^-0.25, and log(r) a rational function of
    # the distance from there.
    shift = 0
    while not x << shift & 0x40000000:
        shift += 1
    r = min(_high_mul(x << shift, 1518500250) * 2, 0x7FFFFFFF)
    power = (11 - shift) * 0x2000000 + 0x800000
    other = _high_mul(x, 1518500250)
    shift = 0
    while not other << shift & 0x40000000:
        shift += 1
    r = min(r, x << shift)
    power = max(power, (12 - shift) * 0x2000000 - 0x800000)
    p = (r + 1805811301 + 1) >> 1
    q = (r - 1805811301) * 2
    q2 = _high_mul(q, q)
    numerator = _high_mul(q, r) + _high_mul(_high_mul(q, q2), 117049297)
    denominator = _high_mul(p, 1057819769 + q + _high_mul(127690142, q2)) + _high_mul(638450708, q)
    fraction = _high_mul(_rounding_shift(numerator, 6), _reciprocal(denominator))
    return (_high_mul(power, 1488522236) + fraction) * 2


def _log_softmax(op, arena, weights, block, begin, end):
    rows, depth, multiplier, shift, diff_min = op[3:8]
    out = op[-6]
    for row in range(rows):
        x = _signed(arena, op[-7] + row * depth, depth)
        top = max(x)
        differences = {}
        total = 0
        for v in x:
            if v - top >= diff_min:
                if v not in differences:
                    differences[v] = _rescale(v - top, multiplier, shift)
                total += _rounding_shift(_exp(differences[v]), 12)
        log = _log(total)
        for v in x:
            q = -128
            if v in differences and differences[v] >= -255 * 0x400000:
                q = _rounding_shift(_wrap(differences[v] - log), 22) + 127
            arena[out] = _clamp(q, -128, 127) & 255
            out += 1


def _check_arg_max(op, arena_bytes):
    outer, reduce, inner = op[3:6]
    outputs = outer * inner
    if not reduce or not outputs or op[-6] & 3:
        return _BAD_PARAMETER
    fits = op[-7] + outputs * reduce <= arena_bytes and op[-6] + 4 * outputs <= arena_bytes
    return _OK if fits else _BAD_TENSOR


def _arg_max(op, arena, weights, block, begin, end):
    outer, reduce, inner = op[3:6]
    out = op[-6]
    for o in range(outer):
        x = _signed(arena, op[-7] + o * reduce * inner, reduce * inner)
        for i in range(inner):
            best = i
            for at in range(i, reduce * inner, inner):
                if x[at] > x[best]:
                    best = at
            memoryview(arena)[out : out + 4] = (best // inner).to_bytes(4, "little")
            out += 4


def _check_resize(op, arena_bytes):
    steps, starts = op[3:5], op[5:7]
    batch, in_h, in_w, in_c, out_h, out_w = op[7:13]
    in_bytes, out_bytes = batch * in_h * in_w * in_c, batch * out_h * out_w * in_c
    if op[0] == _RESIZE_NEAREST_NEIGHBOR and (op[2] != 1 or op[-3] < 2 * (out_h + out_w)):
        return _BAD_WEIGHTS
    if not in_bytes or not out_bytes:
        return _BAD_PARAMETER
    if op[-7] + in_bytes > arena_bytes or op[-6] + out_bytes > arena_bytes:
        return _BAD_TENSOR
    if op[0] == _RESIZE_BILINEAR:
        for step, start, size, outputs in ((steps[0], starts[0], in_h, out_h), (steps[1], starts[1], in_w, out_w)):
            if step < 0 or start <= -1024 or start + step * (outputs - 1) >= size * 1024:
                return _BAD_PARAMETER
    return _OK


def _resize_nearest(op, arena, weights, block, begin, end):
    batch, in_h, in_w, in_c, out_h, out_w = op[7:13]
    table = [weights[block + 2 * i] | weights[block + 2 * i + 1] << 8 for i in range(out_h + out_w)]
    view = memoryview(arena)
    out = op[-6]
    for b in range(batch):
        for y in range(out_h):
            row = op[-7] + (b * in_h + min(table[y], in_h - 1)) * in_w * in_c
            for x in range(out_w):
                at = row + min(table[out_h + x], in_w - 1) * in_c
                view[out : out + in_c] = view[at : at + in_c]
                out += in_c


def _places(step, start, size, outputs):
    # For each output the two pixels that it lies between, and the share of the second in 1/1024.
    places = []
    for i in range(outputs):
        at = start + i * step
        first = max(0, at >> 10)
        places.append((first, min((at + 1023) >> 10, size - 1), at - 1024 * first))
    return places


def _resize_bilinear(op, arena, weights, block, begin, end):
    step_h, step_w, start_h, start_w, batch, in_h, in_w, in_c, out_h, out_w = op[3:13]
    columns = _places(step_w, start_w, in_w, out_w)
    out = op[-6]
    for b in range(batch):
        image = _signed(arena, op[-7] + b * in_h * in_w * in_c, in_h * in_w * in_c)
        for first, second, y in _places(step_h, start_h, in_h, out_h):
            above, below = first * in_w * in_c, second * in_w * in_c
            for left, right, x in columns:
                left *= in_c
                right *= in_c
                for c in range(in_c):
                    upper = image[above + left + c] * (1024 - x) + image[above + right + c] * x
                    lower = image[below + left + c] * (1024 - x) + image[below + right + c] * x
                    arena[out] = _rounding_shift(upper * (1024 - y) + lower * y, 20) & 255
                    out += 1


def _check_normalize(op, arena_bytes):
    rows, depth = op[3:5]
    if not 0 < depth <= 33025:
        return _BAD_PARAMETER
    return _BAD_TENSOR if max(op[-7], op[-6]) + rows * depth > arena_bytes else _OK


def _inverse_square_root(x):
    # 1 / sqrt(x) for x >= 1 as a multiplier of Q0.31 and a shift; 0 counts as 1. Newton's method.
    if x <= 1:
        return 0x7FFFFFFF, 0
    right = 11
    while x >= 1 << 29:
        x >>= 2
        right += 1
    while x < 1 << 27:
        x <<= 2
        right -= 1
    half = _rounding_shift(x >> 1, 1)
    root = 1 << 28
    for _ in range(5):
        cube = _high_mul(_high_mul(root, root), root) * 64
        root = (_high_mul(3 << 27, root) - _high_mul(half, cube)) * 8
    return _high_mul(root, 1518500250) << max(-right, 0), min(-right, 0)


def _l2_normalization(op, arena, weights, block, begin, end):
    rows, depth, zero = op[3:6]
    out = op[-6]
    for row in range(rows):
        x = _signed(arena, op[-7] + row * depth, depth)
        total = 0
        for v in x:
            total += (v - zero) * (v - zero)
        multiplier, shift = _inverse_square_root(total)
        for v in x:
            arena[out] = _clamp(_rescale(v - zero, multiplier, shift + 7), -128, 127) & 255
            out += 1


def _matrices(batch, bits):
    # How many matrices a tensor has that is repeated along the dimensions with a bit.
    return _product([1 if bits >> d & 1 else batch[d] for d in range(3)])


def _check_matmul(op, arena_bytes):
    second, multiplier = op[3:5]
    batch = op[5:8]
    rows, depth, columns, shift, _, _, _, repeat1, repeat2 = op[8:17]
    outputs = _product(batch) * rows * columns
    if op[1] > 3 or not outputs or not 0 < depth <= 33025 or not _is_rescale(multiplier, shift):
        return _BAD_PARAMETER
    ends = (
        op[-7] + _matrices(batch, repeat1) * rows * depth,
        second + _matrices(batch, repeat2) * depth * columns,
        op[-6] + outputs,
    )
    return _BAD_TENSOR if max(ends) > arena_bytes else _OK


def _matmul(op, arena, weights, block, begin, end):
    second, multiplier = op[3:5]
    batch = op[5:8]
    rows, depth, columns, shift, zero1, zero2, out_zero, repeat1, repeat2 = op[8:17]
    out = op[-6]
    index = [0] * 3
    while True:
        at1 = at2 = 0
        for d in range(3):
            if not repeat1 >> d & 1:
                at1 = at1 * batch[d] + index[d]
            if not repeat2 >> d & 1:
                at2 = at2 * batch[d] + index[d]
        a = _signed(arena, op[-7] + at1 * rows * depth, rows * depth)
        b = _signed(arena, second + at2 * depth * columns, depth * columns)
        if op[1] & 1:
            a = [a[k * rows + i] for i in range(rows) for k in range(depth)]
        if not op[1] & 2:
            b = [b[k * columns + j] for j in range(columns) for k in range(depth)]
        for i in range(0, rows * depth, depth):
            for j in range(0, columns * depth, depth):
                total = 0
                for k in range(depth):
                    total += (a[i + k] - zero1) * (b[j + k] - zero2)
                q = _wrap(_rescale(total, multiplier, shift) + out_zero)
                arena[out] = _clamp(q, -128, 127) & 255
                out += 1
        if _next(index, batch, (0, 0, 0)) is None:
            return


_KERNELS = {
    _COPY: (_COPY_LAYOUT, _check_copy, _copy, False),
    _CONSTANT: (_CONSTANT_LAYOUT, _check_constant, _constant, True),
    _ARITHMETIC: (_ARITHMETIC_LAYOUT, _check_arithmetic, _arithmetic, False),
    _SVDF: (_SVDF_LAYOUT, _check_svdf, _later("recurrent", "svdf"), True),
    _LSTM: (_LSTM_LAYOUT, _check_lstm, _later("recurrent", "lstm"), True),
    _SOFTMAX_16: (_SOFTMAX_LAYOUT, _check_softmax16, _softmax16, False),
    _LOG_SOFTMAX: (_SOFTMAX_LAYOUT, _check_rows, _log_softmax, False),
    _CONV_2D_16: (_WINDOW16_LAYOUT, _check_conv16, _later("wide", "conv16"), True),
    _DEPTHWISE_CONV_2D_16: (_WINDOW16_LAYOUT, _check_conv16, _later("wide", "conv16"), True),
    _FULLY_CONNECTED_16: (_WINDOW16_LAYOUT, _check_conv16, _later("wide", "conv16"), True),
    _ARG_MAX: (_REDUCE_LAYOUT, _check_arg_max, _arg_max, False),
    _RESIZE_NEAREST_NEIGHBOR: (_RESIZE_LAYOUT, _check_resize, _resize_nearest, True),
    _RESIZE_BILINEAR: (_RESIZE_LAYOUT, _check_resize, _resize_bilinear, False),
    _L2_NORMALIZATION: (_NORMALIZE_LAYOUT, _check_normalize, _l2_normalization, False),
    _BATCH_MATMUL: (_MATMUL_LAYOUT, _check_matmul, _matmul, False),
    _AVERAGE_POOL_2D_16: (_WINDOW16_LAYOUT, _check_pool16, _later("wide", "pool16"), False),
    _MAX_POOL_2D_16: (_WINDOW16_LAYOUT, _check_pool16, _later("wide", "pool16"), False),
    _MEAN_16: (_REDUCE_LAYOUT, _check_mean16, _later("wide", "mean16"), False),
    _REQUANTIZE: (_REQUANTIZE_LAYOUT, _check_requantize, _later("wide", "requantize"), False),
    _LOGISTIC_16: (_FUNCTION16_LAYOUT, _check_function16, _later("recurrent", "logistic16"), True),
    _TANH_16: (_FUNCTION16_LAYOUT, _check_function16, _later("recurrent", "tanh16"), True),
    _SOFTMAX_FROM_16: (_SOFTMAX_LAYOUT, _check_softmax_from16, _later("wide", "softmax_from16"), True),
}
