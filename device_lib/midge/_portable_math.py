# Like _portable.py, the math bank: what few models have.

from ._portable import (
    _clamp,
    _elements,
    _exp,
    _high_mul,
    _is_rescale,
    _reciprocal,
    _rescale,
    _rounding_shift,
    _signed,
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
_FIRST_TRANSPOSED = const(1)
_SECOND_TRANSPOSED = const(2)
_EXCLUSIVE = const(1)
_REVERSE = const(2)
_TOTAL = const(4)
_GATHER_TABLE = const(1)
_TYPES = const(2)
_FLAGS = const(3)
_BLOCKS = const(4)
_INPUT = const(-7)
_OUTPUT = const(-6)
_BLOCK_BYTES = const(-3)
_SOFTMAX_ROWS = const(5)
_SOFTMAX_DEPTH = const(6)
_SOFTMAX_MULTIPLIER = const(7)
_SOFTMAX_SHIFT = const(8)
_SOFTMAX_DIFF_MIN = const(9)
_REDUCE_OUTER = const(9)
_REDUCE_REDUCE = const(10)
_REDUCE_INNER = const(11)
_RESIZE_BATCH = const(5)
_RESIZE_IN_H = const(6)
_RESIZE_IN_W = const(7)
_RESIZE_IN_C = const(8)
_RESIZE_OUT_H = const(9)
_RESIZE_OUT_W = const(10)
_RESIZE_STEP_H = const(11)
_RESIZE_STEP_W = const(12)
_RESIZE_START_H = const(13)
_RESIZE_START_W = const(14)
_NORMALIZE_INPUT_ZERO = const(5)
_NORMALIZE_ROWS = const(6)
_NORMALIZE_DEPTH = const(7)
_MATMUL_SHIFT = const(5)
_MATMUL_ZERO1 = const(6)
_MATMUL_ZERO2 = const(7)
_MATMUL_OUTPUT_ZERO = const(8)
_MATMUL_REPEAT1 = const(9)
_MATMUL_REPEAT2 = const(10)
_MATMUL_BATCH = const(11)
_MATMUL_ROWS = const(14)
_MATMUL_DEPTH = const(15)
_MATMUL_COLUMNS = const(16)
_MATMUL_INPUT2 = const(17)
_MATMUL_MULTIPLIER = const(18)
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
_ARITHMETIC_MULTIPLIER = const(23)
_SUMS_INPUT_ZERO = const(5)
_SUMS_OUTPUT_ZERO = const(6)
_SUMS_LEFT_SHIFT = const(7)
_SUMS_SHIFT = const(8)
_SUMS_START = const(9)
_SUMS_OUTER = const(10)
_SUMS_REDUCE = const(11)
_SUMS_INNER = const(12)
_SUMS_MULTIPLIER = const(13)
_GATHER_OUTER = const(5)
_GATHER_SIZE = const(6)
_GATHER_INNER = const(7)
_GATHER_BLOCK_ROWS = const(8)
_GATHER_COUNT = const(9)
_GATHER_INPUT2 = const(10)
_SOFTMAX_LAYOUT = "<BBBBH18xIIiiiIIIIIII"
_REDUCE_LAYOUT = "<BBBBHbbbb14xIIIiiIIIIIII"
_RESIZE_LAYOUT = "<BBBBHHHHHHH10xiiiiIIIIIII"
_NORMALIZE_LAYOUT = "<BBBBHb29xIIIIIIIII"
_MATMUL_LAYOUT = "<BBBBHbbbbBB3HHHH12xIiIIIIIII"
_ARITHMETIC_LAYOUT = "<BBBBHbbbbbbBBhh5HIiiiIIIIIII"
_SUMS_LAYOUT = "<BBBBHbbbbh16xIIIiIIIIIII"
_GATHER_LAYOUT = "<BBBBHHHHH22xIIIIIIIII"
# generated: end

_OK = const(0)


# generated: checks (host/midge_host/device/ops, `make generate`)
# fmt: off
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


def _check_arg_max(op, arena_bytes):
    if not op[_REDUCE_OUTER] or not op[_REDUCE_REDUCE] or not op[_REDUCE_INNER] or op[_OUTPUT] % 4:
        return _BAD_PARAMETER
    if (
        op[_INPUT] + op[_REDUCE_OUTER] * op[_REDUCE_REDUCE] * op[_REDUCE_INNER] > arena_bytes
        or op[_OUTPUT] + op[_REDUCE_OUTER] * op[_REDUCE_INNER] * 4 > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_resize(op, arena_bytes):
    if (
        not op[_RESIZE_BATCH]
        or not op[_RESIZE_IN_H]
        or not op[_RESIZE_IN_W]
        or not op[_RESIZE_IN_C]
        or not op[_RESIZE_OUT_H]
        or not op[_RESIZE_OUT_W]
    ):
        return _BAD_PARAMETER
    if (
        op[_INPUT] + op[_RESIZE_BATCH] * op[_RESIZE_IN_H] * op[_RESIZE_IN_W] * op[_RESIZE_IN_C] > arena_bytes
        or op[_OUTPUT] + op[_RESIZE_BATCH] * op[_RESIZE_OUT_H] * op[_RESIZE_OUT_W] * op[_RESIZE_IN_C] > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_resize_nearest(op, arena_bytes):
    if op[_BLOCKS] != 1 or op[_BLOCK_BYTES] < 2 * (op[_RESIZE_OUT_H] + op[_RESIZE_OUT_W]):
        return _BAD_WEIGHTS
    reason = _check_resize(op, arena_bytes)
    if reason:
        return reason
    return _OK


def _check_resize_bilinear(op, arena_bytes):
    reason = _check_resize(op, arena_bytes)
    if reason:
        return reason
    if not _resize_inside(op, arena_bytes):
        return _BAD_PARAMETER
    return _OK


def _check_l2_normalization(op, arena_bytes):
    if not 1 <= op[_NORMALIZE_DEPTH] <= 33025:
        return _BAD_PARAMETER
    if (
        op[_INPUT] + op[_NORMALIZE_ROWS] * op[_NORMALIZE_DEPTH] > arena_bytes
        or op[_OUTPUT] + op[_NORMALIZE_ROWS] * op[_NORMALIZE_DEPTH] > arena_bytes
    ):
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


def _check_div(op, arena_bytes):
    if (
        not _elements(op, _ARITHMETIC_SHAPE, 5)
        or not _is_rescale(op[_ARITHMETIC_MULTIPLIER], op[_ARITHMETIC_SHIFT])
        or op[_ARITHMETIC_SHIFT] > 22
        or op[_ARITHMETIC_CLAMP_MIN] > op[_ARITHMETIC_CLAMP_MAX]
        or op[_ARITHMETIC_CLAMP_MIN] < -128
        or op[_ARITHMETIC_CLAMP_MAX] > 127
    ):
        return _BAD_PARAMETER
    if (
        op[_INPUT] + _elements(op, _ARITHMETIC_SHAPE, 5, op[_ARITHMETIC_REPEAT1]) * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
        or op[_ARITHMETIC_INPUT2] + _elements(op, _ARITHMETIC_SHAPE, 5, op[_ARITHMETIC_REPEAT2]) * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
        or op[_OUTPUT] + _elements(op, _ARITHMETIC_SHAPE, 5) * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_cumsum(op, arena_bytes):
    if (
        op[_FLAGS] > 7
        or not op[_SUMS_OUTER]
        or not op[_SUMS_REDUCE]
        or not op[_SUMS_INNER]
        or not 0 <= op[_SUMS_LEFT_SHIFT] <= 19
        or not _is_rescale(op[_SUMS_MULTIPLIER], op[_SUMS_SHIFT])
    ):
        return _BAD_PARAMETER
    if (
        op[_INPUT] + op[_SUMS_OUTER] * op[_SUMS_REDUCE] * op[_SUMS_INNER] > arena_bytes
        or op[_OUTPUT] + op[_SUMS_OUTER] * (1 if op[_FLAGS] & 4 else op[_SUMS_REDUCE]) * op[_SUMS_INNER] > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_gather(op, arena_bytes):
    if op[_FLAGS] > 1 or not op[_GATHER_OUTER] or not op[_GATHER_SIZE] or not op[_GATHER_INNER] or op[_INPUT] % 4:
        return _BAD_PARAMETER
    if op[_FLAGS] & 1:
        if op[_GATHER_OUTER] != 1 or not op[_GATHER_BLOCK_ROWS]:
            return _BAD_PARAMETER
        if (
            op[_BLOCKS] * op[_GATHER_BLOCK_ROWS] < op[_GATHER_SIZE]
            or op[_BLOCK_BYTES] < op[_GATHER_BLOCK_ROWS] * op[_GATHER_INNER]
        ):
            return _BAD_WEIGHTS
    if (
        op[_INPUT] + op[_GATHER_COUNT] * 4 > arena_bytes
        or op[_GATHER_INPUT2] + (0 if op[_FLAGS] & 1 else op[_GATHER_OUTER]) * op[_GATHER_SIZE] * op[_GATHER_INNER] > arena_bytes
        or op[_OUTPUT] + op[_GATHER_OUTER] * op[_GATHER_COUNT] * op[_GATHER_INNER] > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK
# fmt: on
# generated: end


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
    depth, out = op[_SOFTMAX_DEPTH], op[_OUTPUT]
    multiplier, shift, diff_min = op[_SOFTMAX_MULTIPLIER], op[_SOFTMAX_SHIFT], op[_SOFTMAX_DIFF_MIN]
    for row in range(op[_SOFTMAX_ROWS]):
        x = _signed(arena, op[_INPUT] + row * depth, depth)
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


def _cumsum(op, arena, weights, block, begin, end):
    outer, reduce, inner = op[_SUMS_OUTER], op[_SUMS_REDUCE], op[_SUMS_INNER]
    x = _signed(arena, op[_INPUT], outer * reduce * inner)
    flags, zero, left, out_zero = op[_FLAGS], op[_SUMS_INPUT_ZERO], op[_SUMS_LEFT_SHIFT], op[_SUMS_OUTPUT_ZERO]
    multiplier, shift = op[_SUMS_MULTIPLIER], op[_SUMS_SHIFT]
    rows = range(reduce - 1, -1, -1) if flags & _REVERSE else range(reduce)
    for o in range(outer):
        for i in range(inner):
            total = op[_SUMS_START]
            for row in rows:
                at = (o * reduce + row) * inner + i
                before = total
                total += x[at] - zero
                q = _rescale(_wrap((before if flags & _EXCLUSIVE else total) << left), multiplier, shift)
                to = o * inner + i if flags & _TOTAL else at
                arena[op[_OUTPUT] + to] = _clamp(_wrap(q + out_zero), -128, 127) & 255


def _div(op, arena, weights, block, begin, end):
    from ._portable_tensor import _broadcast

    _broadcast(op, arena, _quotient)


def _quotient(op, a, b):
    a -= op[_ARITHMETIC_ZERO1]
    b -= op[_ARITHMETIC_ZERO2]
    if b < 0:
        a, b = -a, -b
    if a == 0 or b == 0:  # a quotient by 0 is beyond all limits
        return (a << 16) + op[_ARITHMETIC_OUTPUT_ZERO]
    digits, headroom = 0, 31  # binary digits of b; what a can be shifted left
    while b >> digits:
        digits += 1
    rest = -a - 1 if a < 0 else a
    while rest:
        headroom -= 1
        rest >>= 1
    quotient = _high_mul(a << headroom, _reciprocal((b << (32 - digits)) - 0x80000000))
    right = digits - 1 + headroom - op[_ARITHMETIC_SHIFT]
    scaled = _high_mul(quotient, op[_ARITHMETIC_MULTIPLIER])
    return (0 if right > 31 else _rounding_shift(scaled, right)) + op[_ARITHMETIC_OUTPUT_ZERO]


def _arg_max(op, arena, weights, block, begin, end):
    outer, reduce, inner = op[_REDUCE_OUTER], op[_REDUCE_REDUCE], op[_REDUCE_INNER]
    out = op[_OUTPUT]
    for o in range(outer):
        x = _signed(arena, op[_INPUT] + o * reduce * inner, reduce * inner)
        for i in range(inner):
            best = i
            for at in range(i, reduce * inner, inner):
                if x[at] > x[best]:
                    best = at
            memoryview(arena)[out : out + 4] = (best // inner).to_bytes(4, "little")
            out += 4


def _resize_inside(op, arena_bytes):
    # No output's position is before -1 or behind the last pixel's end.
    for a in range(2):  # height, width
        step, start = op[_RESIZE_STEP_H + a], op[_RESIZE_START_H + a]
        size, outputs = op[_RESIZE_IN_H + a], op[_RESIZE_OUT_H + a]
        if step < 0 or start <= -1024 or start + step * (outputs - 1) >= size * 1024:
            return False
    return True


def _resize_nearest(op, arena, weights, block, begin, end):
    batch, in_h, in_w, in_c = op[_RESIZE_BATCH], op[_RESIZE_IN_H], op[_RESIZE_IN_W], op[_RESIZE_IN_C]
    out_h, out_w, out = op[_RESIZE_OUT_H], op[_RESIZE_OUT_W], op[_OUTPUT]
    table = [weights[block + 2 * i] | weights[block + 2 * i + 1] << 8 for i in range(out_h + out_w)]
    view = memoryview(arena)
    for b in range(batch):
        for y in range(out_h):
            row = op[_INPUT] + (b * in_h + min(table[y], in_h - 1)) * in_w * in_c
            for x in range(out_w):
                at = row + min(table[out_h + x], in_w - 1) * in_c
                view[out : out + in_c] = view[at : at + in_c]
                out += in_c


def _gather(op, arena, weights, block, begin, end):
    size, inner, count, rows = op[_GATHER_SIZE], op[_GATHER_INNER], op[_GATHER_COUNT], op[_GATHER_BLOCK_ROWS]
    indexes = _values("I", arena, op[_INPUT], 4 * count)
    view, out = memoryview(arena), op[_OUTPUT]
    table = op[_FLAGS] & _GATHER_TABLE
    source = memoryview(weights) if table else view
    for o in range(op[_GATHER_OUTER]):
        for at in indexes:
            at = min(at, size - 1)
            if not table:
                at = op[_GATHER_INPUT2] + (o * size + at) * inner
            elif begin <= at // rows < end:  # other rows come with other blocks
                at = block + at // rows * op[_BLOCK_BYTES] + at % rows * inner
            else:
                at = -1
            if at >= 0:
                view[out : out + inner] = source[at : at + inner]
            out += inner


def _places(step, start, size, outputs):
    # For each output the two pixels that it lies between, and the share of the second in 1/1024.
    places = []
    for i in range(outputs):
        at = start + i * step
        first = max(0, at >> 10)
        places.append((first, min((at + 1023) >> 10, size - 1), at - 1024 * first))
    return places


def _resize_bilinear(op, arena, weights, block, begin, end):
    batch, in_h, in_w, in_c = op[_RESIZE_BATCH], op[_RESIZE_IN_H], op[_RESIZE_IN_W], op[_RESIZE_IN_C]
    out_h, out_w, out = op[_RESIZE_OUT_H], op[_RESIZE_OUT_W], op[_OUTPUT]
    columns = _places(op[_RESIZE_STEP_W], op[_RESIZE_START_W], in_w, out_w)
    for b in range(batch):
        image = _signed(arena, op[_INPUT] + b * in_h * in_w * in_c, in_h * in_w * in_c)
        for first, second, y in _places(op[_RESIZE_STEP_H], op[_RESIZE_START_H], in_h, out_h):
            above, below = first * in_w * in_c, second * in_w * in_c
            for left, right, x in columns:
                left *= in_c
                right *= in_c
                for c in range(in_c):
                    upper = image[above + left + c] * (1024 - x) + image[above + right + c] * x
                    lower = image[below + left + c] * (1024 - x) + image[below + right + c] * x
                    arena[out] = _rounding_shift(upper * (1024 - y) + lower * y, 20) & 255
                    out += 1


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
    depth, zero, out = op[_NORMALIZE_DEPTH], op[_NORMALIZE_INPUT_ZERO], op[_OUTPUT]
    for row in range(op[_NORMALIZE_ROWS]):
        x = _signed(arena, op[_INPUT] + row * depth, depth)
        total = 0
        for v in x:
            total += (v - zero) * (v - zero)
        multiplier, shift = _inverse_square_root(total)
        for v in x:
            arena[out] = _clamp(_rescale(v - zero, multiplier, shift + 7), -128, 127) & 255
            out += 1


def _matrix(op, index, repeat):
    # The number of the matrix, of a tensor repeated along the dimensions with a bit, for the output's matrix `index`.
    number, unit = 0, 1
    for d in range(2, -1, -1):
        size = op[_MATMUL_BATCH + d]
        if not repeat >> d & 1:
            number += index % size * unit
            unit *= size
        index //= size
    return number


def _batch_matmul(op, arena, weights, block, begin, end):  # of int16 too, where the wide bank calls it
    wide = op[_TYPES] & 15 != 1
    if wide:
        from ._portable_int16 import _rescale_wide as rescale
    else:
        rescale = _rescale
    code, unit, low, high = ("h", 2, -32768, 32767) if wide else ("b", 1, -128, 127)
    bias = _values("i", weights, block, 4 * op[_MATMUL_COLUMNS]) if op[_BLOCKS] else ()
    rows, depth, columns = op[_MATMUL_ROWS], op[_MATMUL_DEPTH], op[_MATMUL_COLUMNS]
    multiplier, shift = op[_MATMUL_MULTIPLIER], op[_MATMUL_SHIFT]
    zero1, zero2, out_zero = op[_MATMUL_ZERO1], op[_MATMUL_ZERO2], op[_MATMUL_OUTPUT_ZERO]
    out = op[_OUTPUT]
    for index in range(_elements(op, _MATMUL_BATCH, 3)):
        at1, at2 = _matrix(op, index, op[_MATMUL_REPEAT1]), _matrix(op, index, op[_MATMUL_REPEAT2])
        a = _values(code, arena, op[_INPUT] + at1 * rows * depth * unit, rows * depth * unit)
        b = _values(code, arena, op[_MATMUL_INPUT2] + at2 * depth * columns * unit, depth * columns * unit)
        if op[_FLAGS] & _FIRST_TRANSPOSED:
            a = [a[k * rows + i] for i in range(rows) for k in range(depth)]
        if not op[_FLAGS] & _SECOND_TRANSPOSED:
            b = [b[k * columns + j] for j in range(columns) for k in range(depth)]
        for i in range(0, rows * depth, depth):
            for j in range(0, columns * depth, depth):
                total = bias[j // depth] if bias else 0
                for k in range(depth):
                    total += (a[i + k] - zero1) * (b[j + k] - zero2)
                total = total if wide else _wrap(total)
                q = _clamp(_wrap(rescale(total, multiplier, shift) + out_zero), low, high)
                arena[out] = q & 255
                if wide:
                    arena[out + 1] = q >> 8 & 255
                out += unit


# generated: kernels (host/midge_host/device/ops, `make generate`)
_KERNELS = {
    0x010413: (_SOFTMAX_LAYOUT, _check_rows, _log_softmax, False, 0),  # LOG_SOFTMAX, int8
    0x010414: (_REDUCE_LAYOUT, _check_arg_max, _arg_max, False, 0),  # ARG_MAX, int8
    0x010415: (_RESIZE_LAYOUT, _check_resize_nearest, _resize_nearest, True, 0),  # RESIZE_NEAREST_NEIGHBOR, int8
    0x010416: (_RESIZE_LAYOUT, _check_resize_bilinear, _resize_bilinear, False, 0),  # RESIZE_BILINEAR, int8
    0x010417: (_NORMALIZE_LAYOUT, _check_l2_normalization, _l2_normalization, False, 0),  # L2_NORMALIZATION, int8
    0x010418: (_MATMUL_LAYOUT, _check_batch_matmul, _batch_matmul, True, 0),  # BATCH_MATMUL, int8
    0x01041C: (_ARITHMETIC_LAYOUT, _check_div, _div, False, 0),  # DIV, int8
    0x01041D: (_SUMS_LAYOUT, _check_cumsum, _cumsum, False, 0),  # CUMSUM, int8
    0x01041E: (_GATHER_LAYOUT, _check_gather, _gather, True, 0),  # GATHER, int8
}
# generated: end

check, run = bank(_KERNELS)
