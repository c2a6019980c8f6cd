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
    _wrap,
    check_records,
    run_records,
)

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: records (host/midge_host/device/ops, `make generate`)
_RECORD = const(72)
_BAD_TENSOR = const(2)
_BAD_WEIGHTS = const(3)
_BAD_PARAMETER = const(4)
_FIRST_TRANSPOSED = const(1)
_SECOND_TRANSPOSED = const(2)
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
_SOFTMAX_LAYOUT = "<BBBBH18xIIiiiIIIIIII"
_REDUCE_LAYOUT = "<BBBBHbbbb14xIIIiiIIIIIII"
_RESIZE_LAYOUT = "<BBBBHHHHHHH10xiiiiIIIIIII"
_NORMALIZE_LAYOUT = "<BBBBHb29xIIIIIIIII"
_MATMUL_LAYOUT = "<BBBBHbbbbBB3HHHH12xIiIIIIIII"
# generated: end

_OK = const(0)


def check(program, arena_bytes, weights_bytes):
    return check_records(_KERNELS, program, arena_bytes, weights_bytes)


def run(program, first, last, arena, weights, base=0, begin=0, end=0xFFFF, part=0, parts=1):
    return run_records(_KERNELS, program, first, last, arena, weights, base, begin, end, part, parts)


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
        or not 1 <= op[_MATMUL_DEPTH] <= 33025
        or not _elements(op, _MATMUL_BATCH, 3)
        or not op[_MATMUL_ROWS]
        or not op[_MATMUL_COLUMNS]
        or not _is_rescale(op[_MATMUL_MULTIPLIER], op[_MATMUL_SHIFT])
    ):
        return _BAD_PARAMETER
    if (
        op[_INPUT] + _elements(op, _MATMUL_BATCH, 3, op[_MATMUL_REPEAT1]) * op[_MATMUL_ROWS] * op[_MATMUL_DEPTH] > arena_bytes
        or op[_MATMUL_INPUT2] + _elements(op, _MATMUL_BATCH, 3, op[_MATMUL_REPEAT2]) * op[_MATMUL_DEPTH] * op[_MATMUL_COLUMNS] > arena_bytes
        or op[_OUTPUT] + _elements(op, _MATMUL_BATCH, 3) * op[_MATMUL_ROWS] * op[_MATMUL_COLUMNS] > arena_bytes
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


def _batch_matmul(op, arena, weights, block, begin, end):
    rows, depth, columns = op[_MATMUL_ROWS], op[_MATMUL_DEPTH], op[_MATMUL_COLUMNS]
    multiplier, shift = op[_MATMUL_MULTIPLIER], op[_MATMUL_SHIFT]
    zero1, zero2, out_zero = op[_MATMUL_ZERO1], op[_MATMUL_ZERO2], op[_MATMUL_OUTPUT_ZERO]
    out = op[_OUTPUT]
    for index in range(_elements(op, _MATMUL_BATCH, 3)):
        at1, at2 = _matrix(op, index, op[_MATMUL_REPEAT1]), _matrix(op, index, op[_MATMUL_REPEAT2])
        a = _signed(arena, op[_INPUT] + at1 * rows * depth, rows * depth)
        b = _signed(arena, op[_MATMUL_INPUT2] + at2 * depth * columns, depth * columns)
        if op[_FLAGS] & _FIRST_TRANSPOSED:
            a = [a[k * rows + i] for i in range(rows) for k in range(depth)]
        if not op[_FLAGS] & _SECOND_TRANSPOSED:
            b = [b[k * columns + j] for j in range(columns) for k in range(depth)]
        for i in range(0, rows * depth, depth):
            for j in range(0, columns * depth, depth):
                total = 0
                for k in range(depth):
                    total += (a[i + k] - zero1) * (b[j + k] - zero2)
                q = _wrap(_rescale(total, multiplier, shift) + out_zero)
                arena[out] = _clamp(q, -128, 127) & 255
                out += 1


# generated: kernels (host/midge_host/device/ops, `make generate`)
_KERNELS = {
    0x010413: (_SOFTMAX_LAYOUT, _check_rows, _log_softmax, False, 0),  # LOG_SOFTMAX, int8
    0x010414: (_REDUCE_LAYOUT, _check_arg_max, _arg_max, False, 0),  # ARG_MAX, int8
    0x010415: (_RESIZE_LAYOUT, _check_resize_nearest, _resize_nearest, True, 0),  # RESIZE_NEAREST_NEIGHBOR, int8
    0x010416: (_RESIZE_LAYOUT, _check_resize_bilinear, _resize_bilinear, False, 0),  # RESIZE_BILINEAR, int8
    0x010417: (_NORMALIZE_LAYOUT, _check_l2_normalization, _l2_normalization, False, 0),  # L2_NORMALIZATION, int8
    0x010418: (_MATMUL_LAYOUT, _check_batch_matmul, _batch_matmul, False, 0),  # BATCH_MATMUL, int8
}
# generated: end
