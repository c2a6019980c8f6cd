# Like _portable.py, the recurrent bank: layers with a memory.

from ._portable import (
    _clamp,
    _is_rescale,
    _rescale,
    _signed,
    _values,
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
_TIME_MAJOR = const(1)
_SIGMOID_BYTES = const(512)
_GATES_BYTES = const(32)
_STATE_INT16 = const(1)
_TYPES = const(2)
_FLAGS = const(3)
_BLOCKS = const(4)
_INPUT = const(-7)
_OUTPUT = const(-6)
_BLOCK_BYTES = const(-3)
_LSTM_BATCH = const(5)
_LSTM_STEPS = const(6)
_LSTM_DEPTH = const(7)
_LSTM_CELLS = const(8)
_LSTM_CELL_CLIP = const(9)
_LSTM_SHIFT = const(10)
_LSTM_SHIFTS = const(11)
_LSTM_CELL_POWER = const(19)
_LSTM_OUTPUT_ZERO = const(20)
_LSTM_INPUT2 = const(21)
_LSTM_INPUT3 = const(22)
_LSTM_MULTIPLIER = const(23)
_SVDF_SHIFT1 = const(5)
_SVDF_SHIFT2 = const(6)
_SVDF_STATE_ZERO = const(7)
_SVDF_OUTPUT_ZERO = const(8)
_SVDF_BATCH = const(9)
_SVDF_DEPTH = const(10)
_SVDF_UNITS = const(11)
_SVDF_RANK = const(12)
_SVDF_MEMORY = const(13)
_SVDF_BLOCK_UNITS = const(14)
_SVDF_INPUT2 = const(15)
_SVDF_MULTIPLIER1 = const(16)
_SVDF_MULTIPLIER2 = const(17)
_LSTM_LAYOUT = "<BBBBHHHHHHb8bbb5xIIiIIIIIII"
_SVDF_LAYOUT = "<BBBBHbbbbHHHHHH10xIiiIIIIIII"
# generated: end

_OK = const(0)


# generated: checks (host/midge_host/device/ops, `make generate`)
# fmt: off
def _check_lstm(op, arena_bytes):
    if (
        op[_FLAGS] > 1
        or not op[_LSTM_BATCH]
        or not op[_LSTM_STEPS]
        or not op[_LSTM_DEPTH]
        or not op[_LSTM_CELLS]
        or not _is_rescale(op[_LSTM_MULTIPLIER], op[_LSTM_SHIFT])
        or op[_LSTM_CELL_CLIP] > 32768
        or not -27 <= op[_LSTM_CELL_POWER] <= 0
        or op[_LSTM_INPUT3] % 2
        or (op[_INPUT] | op[_LSTM_INPUT2] | op[_OUTPUT]) % (2 if op[_TYPES] & 15 != 1 else 1)
    ):
        return _BAD_PARAMETER
    for i in range(8):
        if not -31 <= op[_LSTM_SHIFTS + i] <= (7 if op[_TYPES] & 15 != 1 else 30):
            return _BAD_PARAMETER
    if op[_BLOCKS] != 1 or op[_BLOCK_BYTES] < 544 + op[_LSTM_CELLS] * 4 * (8 + op[_LSTM_DEPTH] + op[_LSTM_CELLS]):
        return _BAD_WEIGHTS
    if (
        op[_INPUT] + (op[_LSTM_STEPS] if op[_FLAGS] & 1 else op[_LSTM_BATCH]) * (op[_LSTM_BATCH] if op[_FLAGS] & 1 else op[_LSTM_STEPS]) * op[_LSTM_DEPTH] * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
        or op[_LSTM_INPUT2] + op[_LSTM_BATCH] * op[_LSTM_CELLS] * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
        or op[_LSTM_INPUT3] + op[_LSTM_BATCH] * op[_LSTM_CELLS] * 2 > arena_bytes
        or op[_OUTPUT] + (op[_LSTM_STEPS] if op[_FLAGS] & 1 else op[_LSTM_BATCH]) * (op[_LSTM_BATCH] if op[_FLAGS] & 1 else op[_LSTM_STEPS]) * op[_LSTM_CELLS] * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_svdf(op, arena_bytes):
    if (
        op[_FLAGS] > 1
        or not op[_SVDF_BATCH]
        or not op[_SVDF_UNITS]
        or not op[_SVDF_RANK]
        or not op[_SVDF_MEMORY]
        or not op[_SVDF_DEPTH]
        or op[_SVDF_INPUT2] % (2 if op[_FLAGS] & 1 else 1)
        or not _is_rescale(op[_SVDF_MULTIPLIER1], op[_SVDF_SHIFT1])
        or not _is_rescale(op[_SVDF_MULTIPLIER2], op[_SVDF_SHIFT2])
        or op[_BLOCKS] * op[_SVDF_BLOCK_UNITS] != op[_SVDF_UNITS]
    ):
        return _BAD_PARAMETER
    if (
        op[_BLOCK_BYTES] < op[_SVDF_BLOCK_UNITS] * 4 + op[_SVDF_BLOCK_UNITS] * op[_SVDF_RANK] * (4 + op[_SVDF_MEMORY] * (2 if op[_FLAGS] & 1 else 1) + op[_SVDF_DEPTH])
    ):
        return _BAD_WEIGHTS
    if (
        op[_INPUT] + op[_SVDF_BATCH] * op[_SVDF_DEPTH] > arena_bytes
        or op[_SVDF_INPUT2] + op[_SVDF_BATCH] * op[_SVDF_UNITS] * op[_SVDF_RANK] * op[_SVDF_MEMORY] * (2 if op[_FLAGS] & 1 else 1) > arena_bytes
        or op[_OUTPUT] + op[_SVDF_BATCH] * op[_SVDF_UNITS] > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK
# fmt: on
# generated: end


_GATE_POWER = const(-12)  # gates enter their functions on a scale of 2^-12, and leave them on 2^-15


def _svdf(op, arena, weights, block, begin, end):
    state, state_zero, out_zero = op[_SVDF_INPUT2], op[_SVDF_STATE_ZERO], op[_SVDF_OUTPUT_ZERO]
    m1, s1, m2, s2 = op[_SVDF_MULTIPLIER1], op[_SVDF_SHIFT1], op[_SVDF_MULTIPLIER2], op[_SVDF_SHIFT2]
    batch, depth, units = op[_SVDF_BATCH], op[_SVDF_DEPTH], op[_SVDF_UNITS]
    rank, memory, block_units = op[_SVDF_RANK], op[_SVDF_MEMORY], op[_SVDF_BLOCK_UNITS]
    code, unit, top = ("h", 2, 32767) if op[_FLAGS] & _STATE_INT16 else ("b", 1, 127)
    size = memory * unit
    filters = block_units * rank
    for index in range(begin, end):
        at = block + index * op[_BLOCK_BYTES]
        bias = _values("i", weights, at, 4 * (block_units + filters))
        time = at + 4 * (block_units + filters)
        feature = time + filters * size
        for u in range(block_units):
            for b in range(batch):
                x = _signed(arena, op[_INPUT] + b * depth, depth)
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
                arena[op[_OUTPUT] + out] = _clamp(q, -128, 127) & 255


def _lstm(op, arena, weights, block, begin, end):
    hidden, cell, multiplier, shift = op[_LSTM_INPUT2], op[_LSTM_INPUT3], op[_LSTM_MULTIPLIER], op[_LSTM_SHIFT]
    batch, steps, depth, cells = op[_LSTM_BATCH], op[_LSTM_STEPS], op[_LSTM_DEPTH], op[_LSTM_CELLS]
    clip, power, zero = op[_LSTM_CELL_CLIP], op[_LSTM_CELL_POWER], op[_LSTM_OUTPUT_ZERO]
    shifts = op[_LSTM_SHIFTS : _LSTM_SHIFTS + 8]
    time_major = op[_FLAGS] & _TIME_MAJOR
    code, unit, top, rescale = ("b", 1, 127, _rescale_8) if op[_TYPES] & 15 == 1 else ("h", 2, 32767, _rescale_wide)
    table = _values("H", weights, block, _SIGMOID_BYTES)
    multipliers = [m & 0x7FFFFFFF for m in _values("i", weights, block + _SIGMOID_BYTES, _GATES_BYTES)]
    size = cells * unit
    view = memoryview(arena)
    for b in range(batch):
        h = _values(code, arena, hidden + b * size, size)
        state = _values("h", arena, cell + b * cells * 2, cells * 2)
        for t in range(steps):
            row = t * batch + b if time_major else b * steps + t
            x = _values(code, arena, op[_INPUT] + row * depth * unit, depth * unit)
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
            view[op[_OUTPUT] + row * size : op[_OUTPUT] + (row + 1) * size] = raw
            view[hidden + b * size : hidden + (b + 1) * size] = raw
            view[cell + b * cells * 2 : cell + (b + 1) * cells * 2] = bytes(state)


def _rescale_8(x, multiplier, shift):
    return _rescale(_wrap(x), multiplier, shift)


def _clamp16(x):
    return _clamp(x, -32768, 32767)


def _cell_tanh(table, x, power):
    # Of a value on a scale of 2^power.
    left = power - _GATE_POWER
    return _tanh(table, 3 * x << left if left >= 0 else (3 * x + (1 << (-left - 1))) >> -left)


# generated: kernels (host/midge_host/device/ops, `make generate`)
_KERNELS = {
    0x010311: (_LSTM_LAYOUT, _check_lstm, _lstm, True, 0),  # LSTM, int8
    0x040311: (_LSTM_LAYOUT, _check_lstm, _lstm, True, 0),  # LSTM, int16
    0x010312: (_SVDF_LAYOUT, _check_svdf, _svdf, True, 0),  # SVDF, int8
}
# generated: end

check, run = bank(_KERNELS)
