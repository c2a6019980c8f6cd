# Kernels of _portable_extra.py in plain Python: those that keep a state, SVDF and LSTM; and the sigmoid of int16, which
# an LSTM has in its gates.

from ._portable import _clamp, _dot, _rescale, _signed, _wrap
from ._portable_extra import _rescale_wide, _values

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: block parts (host/midge_host/device/spec.py, `make generate`)
_CHANNEL16_BYTES = const(12)
_EXP_TABLE_BYTES = const(1026)
_SIGMOID_BYTES = const(512)
_GATES_BYTES = const(32)
# generated: end

_INT16 = const(1)
_TIME_MAJOR = const(2)
_GATE_POWER = const(-12)  # gates enter their functions on a scale of 2^-12, and leave them on 2^-15


def svdf(op, arena, weights, block, begin, end):
    state, m1, m2, batch, depth, units, rank, memory, block_units, s1, s2, state_zero, out_zero = op[3:16]
    code, unit, top = ("h", 2, 32767) if op[1] & _INT16 else ("b", 1, 127)
    size = memory * unit
    filters = block_units * rank
    for index in range(begin, end):
        at = block + index * op[-3]
        bias = _values("i", weights, at, 4 * (block_units + filters))
        time = at + 4 * (block_units + filters)
        feature = time + filters * size
        for u in range(block_units):
            for b in range(batch):
                x = _signed(arena, op[-7] + b * depth, depth)
                out = b * units + index * block_units + u
                total = bias[u]
                for f in range(u * rank, (u + 1) * rank):
                    w = _signed(weights, feature + f * depth, depth)
                    latest = _rescale(_wrap(bias[block_units + f] + _dot(x, 0, w, 0, depth)), m1, s1)
                    place = state + (out * rank + f - u * rank) * size
                    values = _values(code, arena, place + unit, size - unit)
                    latest = _clamp(latest, -top - 1, top) + state_zero
                    values.append(((latest + top + 1) & (2 * top + 1)) - top - 1)  # wraps, as TFLM's does
                    memoryview(arena)[place : place + size] = bytes(values)
                    total += _dot(values, 0, _values(code, weights, time + f * size, size), 0, memory)
                q = _wrap(_rescale(_wrap(total), m2, s2) + out_zero)
                arena[op[-6] + out] = _clamp(q, -128, 127) & 255


def lstm(op, arena, weights, block, begin, end):
    hidden, cell, multiplier, batch, steps, depth, cells, clip, shift = op[3:12]
    shifts, power, zero = op[12:20], op[20], op[21]
    code, unit, top, rescale = ("h", 2, 32767, _rescale_wide) if op[1] & _INT16 else ("b", 1, 127, _rescale_8)
    table = _values("H", weights, block, _SIGMOID_BYTES)
    multipliers = [m & 0x7FFFFFFF for m in _values("i", weights, block + _SIGMOID_BYTES, _GATES_BYTES)]
    size = cells * unit
    view = memoryview(arena)
    for b in range(batch):
        h = _values(code, arena, hidden + b * size, size)
        state = _values("h", arena, cell + b * cells * 2, cells * 2)
        for t in range(steps):
            row = t * batch + b if op[1] & _TIME_MAJOR else b * steps + t
            x = _values(code, arena, op[-7] + row * depth * unit, depth * unit)
            out = h[:]
            at = block + _SIGMOID_BYTES + _GATES_BYTES
            for c in range(cells):
                gates = []
                for g in range(4):
                    bias1, bias2 = _values("i", weights, at, 8)
                    if unit == 2:  # one of 48 bits
                        bias1 = ((bias2 & 0xFFFF ^ 0x8000) - 0x8000 << 32) + (bias1 & 0xFFFFFFFF)
                        bias2 = 0
                    w = _signed(weights, at + 8, depth + cells)
                    at += 8 + depth + cells
                    q = _clamp16(rescale(bias1 + _dot(x, 0, w, 0, depth), multipliers[2 * g], shifts[2 * g]))
                    sum2 = bias2 + _dot(h, 0, w, depth, cells)
                    q += _clamp16(rescale(sum2, multipliers[2 * g + 1], shifts[2 * g + 1]))
                    q = _clamp16(q)
                    gates.append(_cell_tanh(table, q, _GATE_POWER) if g == 2 else _logistic(table, 3 * q))
                q = _clamp16(_rescale(gates[0] * state[c], 0x40000000, -14))
                q += _clamp16(_rescale(gates[1] * gates[2], 0x40000000, -29 - power))
                state[c] = q = _clamp(_clamp16(q), -clip, clip)
                q = _rescale(_cell_tanh(table, q, power) * gates[3], multiplier, shift)
                out[c] = _clamp(_wrap(q + zero), -top - 1, top)
            h = out
            raw = bytes(out)
            view[op[-6] + row * size : op[-6] + (row + 1) * size] = raw
            view[hidden + b * size : hidden + (b + 1) * size] = raw
            view[cell + b * cells * 2 : cell + (b + 1) * cells * 2] = bytes(state)


def _rescale_8(x, multiplier, shift):
    return _rescale(_wrap(x), multiplier, shift)


def _clamp16(x):
    return _clamp(x, -32768, 32767)


def _sigmoid(table, x, bits):
    # The sigmoid of x / 24 / 2^bits in Q0.16 with `bits` more, on a line between two entries.
    low, high = table[x >> bits], table[(x >> bits) + 1]
    return (low << bits) + (x & ((1 << bits) - 1)) * (high - low)


def _logistic(table, x):
    # From a scale of 2^-12 / 3 to one of 2^-15.
    y = 0x7FFF << 10 if abs(x) >= 255 << 9 else _sigmoid(table, abs(x), 9)
    return ((1 << 25) - y + 511 if x < 0 else y + 512) >> 10


def _tanh(table, x):
    # The same; 2 * sigmoid(2 x) - 1.
    y = (0xFFFF << 8 if abs(x) >= 255 << 8 else _sigmoid(table, abs(x), 8)) - (1 << 23)
    return (127 - y if x < 0 else y + 128) >> 8


def _cell_tanh(table, x, power):
    # Of a value on a scale of 2^power.
    left = power - _GATE_POWER
    return _tanh(table, 3 * x << left if left >= 0 else (3 * x + (1 << (-left - 1))) >> -left)


def _function16(function, op, arena, weights, block):
    count, multiplier, shift = op[3:6]
    table = _values("H", weights, block, _SIGMOID_BYTES)
    x = _values("h", arena, op[-7], 2 * count)
    half = 1 << shift >> 1
    for i in range(count):
        x[i] = ((function(table, (x[i] * multiplier + half) >> shift) + 0x8000) & 0xFFFF) - 0x8000
    memoryview(arena)[op[-6] : op[-6] + 2 * count] = bytes(x)


def logistic16(op, arena, weights, block, begin, end):
    _function16(_logistic, op, arena, weights, block)


def tanh16(op, arena, weights, block, begin, end):
    _function16(_tanh, op, arena, weights, block)
