# Like _portable.py, the trees bank: models of float32 readings that are not quantised. Numbers are their bits, and
# computed with in integers: a board's floats may have fewer bits, and the results are the same everywhere.

import struct

from ._portable import bank

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: records (host/midge_host/device/ops, `make generate`)
_BAD_TENSOR = const(2)
_BAD_WEIGHTS = const(3)
_BAD_PARAMETER = const(4)
_BAD_READING = const(5)
_TREES_FIRST = const(1)
_TREES_MIXED = const(2)
_TREES_SINGLE = const(4)
_TREES_NODE = const(8)
_TREES_CODE_NODE = const(5)
_TREES_PLACES = const(15)
_TREES_FLAGS = const(29)
_TREES_CODE_FLAGS = const(21)
_SCORES_DECIDE = const(1)
_SCORES_PROBABILITIES = const(2)
_SCORES_PAIR = const(4)
_AFFINE_WIDE = const(1)
_AFFINE_FLOAT = const(2)
_AFFINE_RELU = const(1)
_AFFINE_TANH = const(2)
_SCALE_MULTIPLY = const(1)
_SCALE_CLIP = const(2)
_NEAREST_WIDE = const(1)
_NEAREST_DOUBLES = const(2)
_VOTES_VALUES = const(1)
_VOTES_WEIGHTED = const(2)
_FLAGS_AT = const(39)
_TAKES_NAN = const(4)
_TYPES = const(2)
_FLAGS = const(3)
_BLOCKS = const(4)
_INPUT = const(-7)
_OUTPUT = const(-6)
_BLOCK_BYTES = const(-3)
_TREES_FEATURES = const(5)
_TREES_OUTPUTS = const(6)
_TREES_TREES = const(7)
_TREES_NODES = const(8)
_TREES_VALUES = const(9)
_TREES_ENTRIES = const(10)
_TREES_LEAVES = const(11)
_TREES_PLACE_BITS = const(12)
_SCORES_SUMS = const(5)
_SCORES_OUTPUTS = const(6)
_SCORES_DIVISOR = const(7)
_SCORES_THRESHOLD = const(9)
_AFFINE_INPUTS = const(5)
_AFFINE_OUTPUTS = const(6)
_AFFINE_ROWS = const(7)
_AFFINE_ACTIVATION = const(8)
_SCALER_COUNT = const(5)
_SCALER_LOW = const(6)
_SCALER_HIGH = const(7)
_NEAREST_INPUTS = const(5)
_NEAREST_NEIGHBORS = const(6)
_NEAREST_TABLE = const(7)
_NEAREST_ROWS = const(8)
_VOTES_NEIGHBORS = const(5)
_VOTES_OUTPUTS = const(6)
_CODES_COUNT = const(5)
_TREES_LAYOUT = "<BBBBHHHHHHHHB23xIIIIIII"
_SCORES_LAYOUT = "<BBBBHHH18x2I2IIIIIIII"
_AFFINE_LAYOUT = "<BBBBHHHHB31xIIIIIII"
_SCALER_LAYOUT = "<BBBBHH28xIIIIIIIII"
_NEAREST_LAYOUT = "<BBBBHHHHH30xIIIIIII"
_VOTES_LAYOUT = "<BBBBHHH34xIIIIIII"
_CODES_LAYOUT = "<BBBBHH36xIIIIIII"
# generated: end

_OK = const(0)
_SIGN = 1 << 63
_INFINITY = 0x7FF << 52
_NAN = 0xFFF << 51
_MANTISSA = 1 << 52
_FLOAT_NAN = const(0x7FC00000)
_INT16 = const(4)
_MISSING = const(-32768)
_MISSING_LEFT = const(1)
_LEFT_LEAF = const(2)
_RIGHT_LEAF = const(4)
_LAST = const(0x8000)
_LOG2_E = 0x3FF71547652B82FE
_LN_2 = 0x3FE62E42FEFA39EF
_ONE = 0x3FF0000000000000
_HALF = 0x3FE0000000000000
_FAR = 0xC085E00000000000  # -700
# 1 / n!, from n = 9 down to 0.
_TERMS = (
    0x3EC71DE3A556C734,
    0x3EFA01A01A01A01A,
    0x3F2A01A01A01A01A,
    0x3F56C16C16C16C17,
    0x3F81111111111111,
    0x3FA5555555555555,
    0x3FC5555555555555,
    0x3FE0000000000000,
    0x3FF0000000000000,
    0x3FF0000000000000,
)


# generated: checks (host/midge_host/device/ops, `make generate`)
# fmt: off
def _check_trees(op, arena_bytes):
    if op[_FLAGS] > 7 or not op[_TREES_FEATURES] or not op[_TREES_OUTPUTS] or (op[_INPUT] | op[_OUTPUT]) % 4:
        return _BAD_PARAMETER
    if op[_TREES_PLACE_BITS] > 21:
        return _BAD_PARAMETER
    if (
        op[_BLOCKS] != 1
        or op[_BLOCK_BYTES] < ((8 * op[_TREES_OUTPUTS] if op[_FLAGS] & 1 else 0) + 4 * op[_TREES_TREES] + (5 if op[_TYPES] & 15 != 1 else 8) * op[_TREES_NODES] + (2 if op[_TYPES] & 15 != 1 else 8) * op[_TREES_VALUES] + (2 if op[_TYPES] & 15 != 1 else 4) * op[_TREES_ENTRIES] + 2 * op[_TREES_LEAVES])
    ):
        return _BAD_WEIGHTS
    if (
        op[_INPUT] + op[_TREES_FEATURES] * (2 if op[_TYPES] & 15 != 1 else 4) > arena_bytes
        or op[_OUTPUT] + op[_TREES_OUTPUTS] * 8 > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_scores(op, arena_bytes):
    if op[_FLAGS] > 7 or not op[_SCORES_SUMS] or not op[_SCORES_OUTPUTS] or (op[_INPUT] | op[_OUTPUT]) % 4:
        return _BAD_PARAMETER
    if op[_FLAGS] & 4:
        if op[_SCORES_SUMS] != 1 or op[_SCORES_OUTPUTS] != 2:
            return _BAD_PARAMETER
    else:
        if op[_SCORES_SUMS] != op[_SCORES_OUTPUTS]:
            return _BAD_PARAMETER
    if op[_INPUT] + op[_SCORES_SUMS] * 8 > arena_bytes or op[_OUTPUT] + op[_SCORES_OUTPUTS] * 4 > arena_bytes:
        return _BAD_TENSOR
    return _OK


def _check_affine(op, arena_bytes):
    if (
        op[_FLAGS] > 3
        or op[_AFFINE_ACTIVATION] > 3
        or not op[_AFFINE_INPUTS]
        or not op[_AFFINE_OUTPUTS]
        or not op[_AFFINE_ROWS]
        or op[_BLOCKS] * op[_AFFINE_ROWS] != op[_AFFINE_OUTPUTS]
        or (op[_INPUT] | op[_OUTPUT]) % 4
    ):
        return _BAD_PARAMETER
    if op[_BLOCK_BYTES] < 8 * op[_AFFINE_ROWS] + op[_AFFINE_ROWS] * op[_AFFINE_INPUTS] * 4:
        return _BAD_WEIGHTS
    if (
        op[_INPUT] + op[_AFFINE_INPUTS] * (8 if op[_FLAGS] & 1 else 4) > arena_bytes
        or op[_OUTPUT] + op[_AFFINE_OUTPUTS] * (4 if op[_FLAGS] & 2 else 8) > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_scaler(op, arena_bytes):
    if op[_FLAGS] > 3 or not op[_SCALER_COUNT] or (op[_INPUT] | op[_OUTPUT]) % 4:
        return _BAD_PARAMETER
    if op[_BLOCKS] != 1 or op[_BLOCK_BYTES] < 16 * op[_SCALER_COUNT]:
        return _BAD_WEIGHTS
    if op[_INPUT] + op[_SCALER_COUNT] * 4 > arena_bytes or op[_OUTPUT] + op[_SCALER_COUNT] * 4 > arena_bytes:
        return _BAD_TENSOR
    return _OK


def _check_distances(op, arena_bytes):
    if (
        op[_FLAGS] > 1
        or op[_AFFINE_ACTIVATION] > 3
        or not op[_AFFINE_INPUTS]
        or not op[_AFFINE_OUTPUTS]
        or not op[_AFFINE_ROWS]
        or op[_BLOCKS] * op[_AFFINE_ROWS] != op[_AFFINE_OUTPUTS]
        or (op[_INPUT] | op[_OUTPUT]) % 4
    ):
        return _BAD_PARAMETER
    if op[_BLOCK_BYTES] < 8 * op[_AFFINE_ROWS] + op[_AFFINE_ROWS] * op[_AFFINE_INPUTS] * 8:
        return _BAD_WEIGHTS
    if (
        op[_INPUT] + op[_AFFINE_INPUTS] * (8 if op[_FLAGS] & 1 else 4) > arena_bytes
        or op[_OUTPUT] + op[_AFFINE_OUTPUTS] * 8 > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_nearest(op, arena_bytes):
    if (
        op[_FLAGS] > 3
        or not op[_NEAREST_INPUTS]
        or not op[_NEAREST_NEIGHBORS]
        or not op[_NEAREST_ROWS]
        or not op[_NEAREST_TABLE]
        or (op[_INPUT] | op[_OUTPUT]) % 4
    ):
        return _BAD_PARAMETER
    if (
        op[_BLOCKS] * op[_NEAREST_ROWS] != op[_NEAREST_TABLE]
        or op[_BLOCK_BYTES] < 8 * op[_NEAREST_ROWS] + op[_NEAREST_ROWS] * op[_NEAREST_INPUTS] * (8 if op[_FLAGS] & 2 else 4)
    ):
        return _BAD_WEIGHTS
    if (
        op[_INPUT] + op[_NEAREST_INPUTS] * (8 if op[_FLAGS] & 1 else 4) > arena_bytes
        or op[_OUTPUT] + op[_NEAREST_NEIGHBORS] * 2 * 8 > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_votes(op, arena_bytes):
    if op[_FLAGS] > 3 or not op[_VOTES_NEIGHBORS] or not op[_VOTES_OUTPUTS] or (op[_INPUT] | op[_OUTPUT]) % 4:
        return _BAD_PARAMETER
    if op[_INPUT] + op[_VOTES_NEIGHBORS] * 2 * 8 > arena_bytes or op[_OUTPUT] + op[_VOTES_OUTPUTS] * 8 > arena_bytes:
        return _BAD_TENSOR
    return _OK


def _check_codes(op, arena_bytes):
    if op[_FLAGS] != 0 or not op[_CODES_COUNT] or (op[_INPUT] | op[_OUTPUT]) % 4:
        return _BAD_PARAMETER
    if op[_BLOCKS] != 1 or op[_BLOCK_BYTES] < 4 * op[_CODES_COUNT]:
        return _BAD_WEIGHTS
    if op[_INPUT] + op[_CODES_COUNT] * 4 > arena_bytes or op[_OUTPUT] + op[_CODES_COUNT] * 2 > arena_bytes:
        return _BAD_TENSOR
    return _OK
# fmt: on
# generated: end


def encode(raw, reading, arena):
    """Writes a buffer of float32, or its bytes, into an input tensor of float32: 0 or a reason, as midge_encode_float."""
    data, reason = _bytes(raw, reading)
    if reason:
        return reason
    if not raw[_FLAGS_AT] & _TAKES_NAN:
        for (value,) in _each("<I", data, 4):
            if value & 0x7FFFFFFF > 0x7F800000:
                return _BAD_READING
    offset, size = struct.unpack_from("<II", raw)
    memoryview(arena)[offset : offset + size] = data
    return _OK


def decode(raw, arena, out):
    """Writes an output tensor of float32 into a buffer. Returns as encode()."""
    data, reason = _bytes(raw, out)
    if reason:
        return reason
    offset, size = struct.unpack_from("<II", raw)
    values = bytes(memoryview(arena)[offset : offset + size])
    try:
        if len(out) == size:
            memoryview(out)[:] = values
        else:
            for i in range(len(out)):
                out[i] = struct.unpack_from("<f", values, 4 * i)[0]
    except TypeError:  # read-only
        return _BAD_PARAMETER
    return _OK


def _bytes(raw, buffer):
    # The bytes of a buffer of a tensor's size, and a reason why not.
    if not raw:
        return None, _BAD_TENSOR
    size = struct.unpack_from("<I", raw, 4)[0]
    try:
        view = memoryview(buffer)
        data = bytes(view)
    except TypeError:
        return None, _BAD_PARAMETER
    unit = len(bytes(view[:1])) if len(view) else 1
    kind = view.format if hasattr(view, "format") else "f" if unit == 4 and isinstance(view[0], float) else "B"
    if (kind, unit) not in (("f", 4), ("<f", 4), ("B", 1)):
        return None, _BAD_PARAMETER
    return data, _OK if len(data) == size else _BAD_TENSOR


def _each(layout, data, size):
    for at in range(0, len(data), size):
        yield struct.unpack_from(layout, data, at)


# Numbers in double precision, as native_modules/kernels/generic/double.h has them.


def _parts(bits):
    # mantissa with its sign, exponent: mantissa * 2^exponent.
    mantissa = bits & (_MANTISSA - 1) | _MANTISSA
    return -mantissa if bits & _SIGN else mantissa, (bits >> 52 & 0x7FF) - 1075


def _is_nan(bits):
    return bits & ~_SIGN > _INFINITY


def _is_infinite(bits):
    return bits & ~_SIGN == _INFINITY


def _is_zero(bits):
    return not bits & _INFINITY


def _number(value, exponent, rest=0):
    # value * 2^exponent, rounded; rest: whether something was cut off.
    if not value:
        return 0
    sign = _SIGN if value < 0 else 0
    value = abs(value) << 2 | (1 if rest else 0)
    exponent -= 2
    bits = _bit_length(value)
    shift = bits - 53
    if shift > 0:
        cut = value & (1 << shift) - 1
        half = 1 << shift - 1
        value >>= shift
        value += cut > half or cut == half and value & 1
    else:
        value <<= -shift
    exponent += shift + 1075
    if exponent <= 0:
        return sign
    return sign | min((exponent - 1 << 52) + value, _INFINITY)


def _bit_length(value):
    # MicroPython's integers have no such method.
    bits = 0
    while value >> bits + 32:
        bits += 32
    while value >> bits:
        bits += 1
    return bits


def _sum(a, b):
    if a & ~_SIGN < b & ~_SIGN:
        a, b = b, a
    if a & _INFINITY == _INFINITY:
        return _NAN if _is_nan(a) or _is_infinite(b) and (a ^ b) & _SIGN else a
    if _is_zero(b):
        return a & b & _SIGN if _is_zero(a) else a
    m, e = _parts(a)
    n, f = _parts(b)
    if e - f > 64:  # beyond the last bit: only its sign matters
        return _number((m << 3) + (1 if n > 0 else -1), e - 3)
    return _number((m << e - f) + n, f)


def _product(a, b):
    sign = (a ^ b) & _SIGN
    if a & _INFINITY == _INFINITY or b & _INFINITY == _INFINITY:
        return _NAN if _is_nan(a) or _is_nan(b) or _is_zero(a) or _is_zero(b) else sign | _INFINITY
    if _is_zero(a) or _is_zero(b):
        return sign
    m, e = _parts(a)
    n, f = _parts(b)
    return _number(m * n, e + f)


def _quotient(a, b):
    sign = (a ^ b) & _SIGN
    infinite = a & _INFINITY == _INFINITY
    if _is_nan(a) or _is_nan(b) or infinite and _is_infinite(b) or _is_zero(a) and _is_zero(b):
        return _NAN
    if infinite or _is_zero(b):
        return sign | _INFINITY
    if _is_zero(a) or _is_infinite(b):
        return sign
    m, e = _parts(a)
    n, f = _parts(b)
    m, n = abs(m) << 60, abs(n)
    return sign | _number(m // n, e - f - 60, m % n)


def _root(bits):
    # Of what is not negative.
    if not bits & _INFINITY or bits & _INFINITY == _INFINITY:
        return bits & _INFINITY and bits
    m, e = _parts(bits & ~_SIGN)
    if e & 1:
        m, e = m << 1, e - 1
    m <<= 56
    root, bit = 0, 1 << 54
    while bit:
        if (root + bit) ** 2 <= m:
            root += bit
        bit >>= 1
    return _number(root, e // 2 - 28, m - root * root)


def _order(bits):
    # Integers in the order of the numbers; NaN is above all.
    if _is_nan(bits):
        return _SIGN
    return -(bits & ~_SIGN) if bits & _SIGN else bits


def _exp(x):
    if _is_nan(x):
        return _NAN
    if _order(x) < _order(_FAR):
        return 0
    m, e = _parts(_sum(_product(x ^ _SIGN, _LOG2_E), _HALF))
    k = m >> -e
    r = _sum(x, _product(_number(k, 0), _LN_2))
    total = _TERMS[0]
    for i in range(1, len(_TERMS)):
        total = _sum(_product(total, r), _TERMS[i])
    return total - (k << 52)


def _of_float(bits):
    sign = _SIGN if bits >> 31 else 0
    rest = bits & 0x7FFFFF
    exponent = bits >> 23 & 255
    if exponent == 255:
        return _NAN if rest else sign | _INFINITY
    if exponent:
        return sign | exponent + 896 << 52 | rest << 29
    return sign | _number(rest, -149)


def _to_float(bits):
    sign = (bits >> 63) << 31
    exponent = (bits >> 52 & 0x7FF) - 896
    if _is_nan(bits):
        return _FLOAT_NAN
    if exponent >= 255:
        return sign | 0x7F800000
    shift = 29 if exponent > 0 else 30 - exponent
    if shift > 54 or _is_zero(bits):
        return sign
    mantissa = bits & (_MANTISSA - 1) | _MANTISSA
    half = 1 << shift - 1
    rest = mantissa & (1 << shift) - 1
    mantissa >>= shift
    mantissa += rest > half or rest == half and mantissa & 1
    return sign | (max(exponent - 1, 0) << 23) + mantissa


def _float_order(bits):
    # Of a float32; NaN is above all.
    if bits & 0x7FFFFFFF > 0x7F800000:
        return 0x7FFFFFFF
    return -(bits & 0x7FFFFFFF) if bits >> 31 else bits


def _u64(data, at):
    return struct.unpack_from("<Q", data, at)[0]


def _trees(op, arena, weights, block, begin, end):
    sums, outputs = op[_OUTPUT], op[_TREES_OUTPUTS]
    if op[_FLAGS] & _TREES_FIRST:
        memoryview(arena)[sums : sums + 8 * outputs] = bytes(memoryview(weights)[block : block + 8 * outputs])
        block += 8 * outputs
    single = op[_FLAGS] & _TREES_SINGLE
    wide = op[_TYPES] == _INT16
    node, value = (_TREES_CODE_NODE, 2) if wide else (_TREES_NODE, 8)
    nodes = block + 4 * op[_TREES_TREES]
    values = nodes + node * op[_TREES_NODES]
    entries = values + value * op[_TREES_VALUES]
    leaves = entries + (2 if wide else 4) * op[_TREES_ENTRIES]
    left = op[_TREES_NODES]
    base = 0

    def add(k, bits):
        total = _sum(_u64(arena, sums + 8 * k), bits)
        struct.pack_into("<Q", arena, sums + 8 * k, _of_float(_to_float(total)) if single else total)

    for t in range(op[_TREES_TREES]):
        count, output = struct.unpack_from("<HH", weights, block + 4 * t)
        if count > left:
            return
        leaf = _leaf(op, weights, nodes, count, arena)
        nodes += node * count
        left -= count
        if not op[_FLAGS] & _TREES_MIXED:
            if leaf >= 0 and base + leaf < op[_TREES_VALUES] and output < outputs:
                at = values + value * (base + leaf)
                add(output, _number(struct.unpack_from("<h", weights, at)[0], 0) if wide else _u64(weights, at))
            base += count + 1
        elif 0 <= leaf < op[_TREES_LEAVES]:
            for e in range(struct.unpack_from("<H", weights, leaves + 2 * leaf)[0], op[_TREES_ENTRIES]):
                if wide:
                    word = struct.unpack_from("<H", weights, entries + 2 * e)[0]
                    k = word >> 8 & 0x7F
                    if k < outputs:
                        add(k, _number(word & 0xFF, 0))
                else:
                    word, at = struct.unpack_from("<HH", weights, entries + 4 * e)
                    k = word & _LAST - 1
                    if k < outputs and at < op[_TREES_VALUES]:
                        add(k, _u64(weights, values + 8 * at))
                if word & _LAST:
                    break


def _leaf(op, weights, nodes, count, arena):
    # The leaf that a reading comes to; -1 where the nodes make no sense.
    x, wide = op[_INPUT], op[_TYPES] == _INT16
    places, last = (op[_TREES_PLACE_BITS], _TREES_CODE_FLAGS) if wide else (_TREES_PLACES, _TREES_FLAGS)
    at = 0
    while at < count:
        if wide:
            threshold, low, high = struct.unpack_from("<hHB", weights, nodes + _TREES_CODE_NODE * at)
            word = low | high << 16
        else:
            threshold, word = struct.unpack_from("<iI", weights, nodes + _TREES_NODE * at)
        place, flags = word & (1 << places) - 1, word >> last
        feature = (word & (1 << last) - 1) >> places
        if feature >= op[_TREES_FEATURES]:
            return -1
        if wide:
            order = struct.unpack_from("<h", arena, x + 2 * feature)[0]
            missing = order == _MISSING
        else:
            bits = struct.unpack_from("<I", arena, x + 4 * feature)[0]
            missing = bits & 0x7FFFFFFF > 0x7F800000
            order = _float_order(bits)
        goes_left = flags & _MISSING_LEFT if missing else order <= threshold
        if flags & (_LEFT_LEAF if goes_left else _RIGHT_LEAF):
            return place + (1 if not goes_left and flags & _LEFT_LEAF else 0)
        step = 1 if goes_left or flags & _LEFT_LEAF else place
        if not step:
            return -1
        at += step
    return -1


def _codes(op, arena, weights, block, begin, end):
    for i in range(op[_CODES_COUNT]):
        bits = struct.unpack_from("<I", arena, op[_INPUT] + 4 * i)[0]
        code = _MISSING
        if bits & 0x7FFFFFFF <= 0x7F800000:
            exponent, low, high = struct.unpack_from("<bBh", weights, block + 4 * i)
            code = max(-32767, min(_rounded_up(bits, exponent) - 4 * (high << 8 | low), 32767))
        struct.pack_into("<h", arena, op[_OUTPUT] + 2 * i, code)


def _rounded_up(bits, exponent):
    # x * 2^exponent; beyond 2^29 in magnitude whatever is.
    e, m = bits >> 23 & 255, bits & 0x7FFFFF
    shift = (e or 1) - 150 + exponent
    if e:
        m |= 0x800000
    if e == 255 or shift > 6:
        m, shift = 1 << 29 if m else 0, 0
    if shift >= 0:
        m <<= shift
    elif bits >> 31:
        m >>= -shift
    else:
        m = -(-m >> -shift)
    return -m if bits >> 31 else m


def _value(arena, at, i, wide):
    # The value number i of a reading in float32, or of what a layer gives in double precision.
    return _u64(arena, at + 8 * i) if wide else _of_float(struct.unpack_from("<I", arena, at + 4 * i)[0])


def _float(data, at):
    return _of_float(struct.unpack_from("<I", data, at)[0])


def _negative(value):
    return value if _is_nan(value) else value ^ _SIGN


def _sigmoid(x, tanh):
    negative = x >> 63 and not _is_nan(x)
    far = x if negative else _negative(x)
    power = _exp(_sum(far, far) if tanh else far)
    below = _sum(_ONE, power)
    if tanh:
        y = _quotient(_sum(_ONE, _negative(power)), below)
        return _negative(y) if negative else y
    return _quotient(power if negative else _ONE, below)


def _affine(op, arena, weights, block, begin, end):
    x = [_value(arena, op[_INPUT], i, op[_FLAGS] & _AFFINE_WIDE) for i in range(op[_AFFINE_INPUTS])]
    rows, activation = op[_AFFINE_ROWS], op[_AFFINE_ACTIVATION]
    for row in range(begin * rows, end * rows):
        start = block + (row // rows) * op[_BLOCK_BYTES]
        total = _u64(weights, start + row % rows * 8)
        at = start + 8 * rows + 4 * len(x) * (row % rows)
        for value in x:
            total = _sum(total, _product(value, _float(weights, at)))
            at += 4
        if activation == _AFFINE_RELU:
            total = total if _order(total) > 0 else 0
        elif activation:
            total = _sigmoid(total, activation == _AFFINE_TANH)
        if op[_FLAGS] & _AFFINE_FLOAT:
            struct.pack_into("<I", arena, op[_OUTPUT] + 4 * row, _to_float(total))
        else:
            struct.pack_into("<Q", arena, op[_OUTPUT] + 8 * row, total)


def _distances(op, arena, weights, block, begin, end):
    x = [_value(arena, op[_INPUT], i, op[_FLAGS] & _AFFINE_WIDE) for i in range(op[_AFFINE_INPUTS])]
    rows = op[_AFFINE_ROWS]
    for row in range(begin * rows, end * rows):
        start = block + (row // rows) * op[_BLOCK_BYTES]
        total = _u64(weights, start + row % rows * 8)
        at = start + 8 * rows + 8 * len(x) * (row % rows)
        for value in x:
            far = _sum(value, _negative(_float(weights, at)))
            total = _sum(total, _negative(_product(_product(far, far), _float(weights, at + 4))))
            at += 8
        struct.pack_into("<Q", arena, op[_OUTPUT] + 8 * row, total)


def _scale_floats(op, arena, weights, block, begin, end):
    count, multiply = op[_SCALER_COUNT], op[_FLAGS] & _SCALE_MULTIPLY
    for i in range(count):
        a, b = _u64(weights, block + 8 * i), _u64(weights, block + 8 * (count + i))
        y = _float(arena, op[_INPUT] + 4 * i)
        y = _of_float(_to_float(_product(y, a) if multiply else _sum(y, _negative(a))))
        y = _to_float(_sum(y, b) if multiply else _quotient(y, b))
        if op[_FLAGS] & _SCALE_CLIP and y & 0x7FFFFFFF <= 0x7F800000:
            if _signed_order(y) < _signed_order(op[_SCALER_LOW]):
                y = op[_SCALER_LOW]
            if _signed_order(y) > _signed_order(op[_SCALER_HIGH]):
                y = op[_SCALER_HIGH]
        struct.pack_into("<I", arena, op[_OUTPUT] + 4 * i, y)


def _signed_order(bits):
    # Of a float32, NaN by its bits.
    return -(bits & 0x7FFFFFFF) if bits >> 31 else bits


def _nearest(op, arena, weights, block, begin, end):
    inputs, rows, k = op[_NEAREST_INPUTS], op[_NEAREST_ROWS], op[_NEAREST_NEIGHBORS]
    x = [_value(arena, op[_INPUT], i, op[_FLAGS] & _NEAREST_WIDE) for i in range(inputs)]
    doubles = op[_FLAGS] & _NEAREST_DOUBLES
    size = 8 + (8 if doubles else 4) * inputs
    found = [struct.unpack_from("<QQ", arena, op[_OUTPUT] + 16 * i) for i in range(k)]
    if begin == 0:
        found = [(_INFINITY, 0)] * k
    for row in range(begin * rows, end * rows):
        at = block + (row // rows) * op[_BLOCK_BYTES] + row % rows * size
        far = 0
        for i in range(inputs):
            other = _value(weights, at + 8, i, doubles)
            difference = _sum(x[i], other ^ _SIGN)
            far = _sum(far, _product(difference, difference))
        if _order(far) >= _order(found[-1][0]):
            continue
        place = k - 1
        while place and _order(found[place - 1][0]) > _order(far):
            place -= 1
        found.insert(place, (far, _u64(weights, at)))
        found.pop()
    for i in range(k):
        struct.pack_into("<QQ", arena, op[_OUTPUT] + 16 * i, *found[i])


def _votes(op, arena, weights, block, begin, end):
    sums, whole = [0] * op[_VOTES_OUTPUTS], 0
    weighted, values = op[_FLAGS] & _VOTES_WEIGHTED, op[_FLAGS] & _VOTES_VALUES
    hit = _order(_u64(arena, op[_INPUT])) == 0
    for i in range(op[_VOTES_NEIGHBORS]):
        far, target = struct.unpack_from("<QQ", arena, op[_INPUT] + 16 * i)
        weight = _ONE
        if weighted:
            weight = (_ONE if _order(far) == 0 else 0) if hit else _quotient(_ONE, _root(far))
        if values:
            sums[0] = _sum(sums[0], _product(target, weight) if weighted else target)
            whole = _sum(whole, weight)
        elif target < len(sums):
            sums[target] = _sum(sums[target], weight)
    if weighted:
        if not values:
            for total in sums:
                whole = _sum(whole, total)
        sums = [_quotient(total, whole) for total in sums]
    for i in range(len(sums)):
        struct.pack_into("<Q", arena, op[_OUTPUT] + 8 * i, sums[i])


def _scores(op, arena, weights, block, begin, end):
    count, flags = op[_SCORES_OUTPUTS], op[_FLAGS]
    divisor, threshold = (op[at] | op[at + 1] << 32 for at in (_SCORES_DIVISOR, _SCORES_THRESHOLD))
    sums = [_u64(arena, op[_INPUT] + 8 * i) for i in range(op[_SCORES_SUMS])]
    values = [_quotient(value, divisor) for value in sums]
    if flags & _SCORES_PAIR:
        first = 0 if flags & _SCORES_PROBABILITIES else values[0]
        values.insert(0, first if _is_nan(first) or not first and flags & _SCORES_PROBABILITIES else first ^ _SIGN)
    orders = [_order(value) for value in values]
    winner = orders.index(max(orders))
    if flags & _SCORES_PAIR:
        nan = _is_nan(sums[0]) or _is_nan(threshold)
        winner = 0 if nan or _order(sums[0]) < _order(threshold) else 1
    if flags & _SCORES_PROBABILITIES:
        largest = values[orders.index(max(orders))] ^ _SIGN
        values = [_exp(_sum(value, largest)) for value in values]
        whole = 0
        for value in values:
            whole = _sum(whole, value)
        values = [_quotient(value, whole) for value in values]
    results = [_to_float(value) for value in values]
    if flags & _SCORES_DECIDE:
        # The first of the largest scores has to be the winner's.
        best = _float_order(results[winner])
        for i in range(count):
            limit = best - (i < winner)
            if i != winner and _float_order(results[i]) > limit:
                results[i] = 0x80000000 | -limit if limit < 0 else limit
    for i in range(count):
        struct.pack_into("<I", arena, op[_OUTPUT] + 4 * i, results[i])


# generated: kernels (host/midge_host/device/ops, `make generate`)
_KERNELS = {
    0x010540: (_TREES_LAYOUT, _check_trees, _trees, True, 0),  # TREES, int8
    0x040540: (_TREES_LAYOUT, _check_trees, _trees, True, 0),  # TREES, int16
    0x010541: (_SCORES_LAYOUT, _check_scores, _scores, False, 0),  # SCORES, int8
    0x010542: (_AFFINE_LAYOUT, _check_affine, _affine, True, 0),  # AFFINE, int8
    0x010543: (_SCALER_LAYOUT, _check_scaler, _scale_floats, True, 0),  # SCALE, int8
    0x010544: (_AFFINE_LAYOUT, _check_distances, _distances, True, 0),  # DISTANCES, int8
    0x010545: (_NEAREST_LAYOUT, _check_nearest, _nearest, True, 0),  # NEAREST, int8
    0x010546: (_VOTES_LAYOUT, _check_votes, _votes, False, 0),  # VOTES, int8
    0x010547: (_CODES_LAYOUT, _check_codes, _codes, True, 0),  # CODES, int8
}
# generated: end

check, run = bank(_KERNELS)
