# The portable twin of midge_rows: rows of a region, a turn after the other: docs/FORMAT.md, "Rows".

import struct

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: rows (host/midge_host/device/spec.py, `make generate`)
_RECORD = const(72)
_REGION_BYTES = const(4)
_RING_BYTES = const(16)
_TURNS_AT = const(2)
_ADD = const(7)
_HEIGHT_AT = const(8)
_STEP_AT = const(12)
_STRIDE_H_AT = const(6)
_DILATION_H_AT = const(8)
_IN_H_AT = const(18)
_OUT_H_AT = const(24)
_KERNEL_H_AT = const(30)
_PAD_TOP_AT = const(34)
_INPUT_AT = const(44)
_INPUT2_AT = const(24)
_COUNT_AT = const(28)
_BAD_PARAMETER = const(4)
_RING = const("<IIHHHBB")
# offset, row_bytes, height, rows, step, source, source2
# generated: end


def run(single, program, first, rows, state, record, arena, weights, base, turn, end):
    """Makes rows, from a turn on to `end` or until there is room for rows of the source, which the caller reads in. Returns
    the number of the turn behind the last one; of a record that was refused, minus the status.

    single: run() of the core's bank. program: all records. first: the region's first one. rows: the section ROWS. state:
    for each ring two uint16, its first row that is in memory, and the one behind its last. record: the one that is run; where
    rows of the source are due, three uint32: the first, the one behind the last, where in the arena they go.
    weights: the region's, from `base` on.
    """
    turns = len(rows) - _u16(rows, _TURNS_AT)
    while turn < end:
        number = rows[turns + turn]
        turn += 1
        if not number:
            struct.pack_into("<III", record, 0, *room(rows, state, 0, arena))
            break
        index = first + number - 1
        status = 16 + _BAD_PARAMETER
        if make(program, index, rows, state, number, arena, record):
            status = single(record, 0, 1, arena, weights, base, 0, 0xFFFF)
        if status:
            return -(status + 16 * index)
    return turn


def room(rows, state, number, arena):
    """Makes room for a ring's next rows: (the first, the one behind the last, where in the arena they go)."""
    offset, size, height, most, step, _, _ = struct.unpack_from(_RING, rows, _REGION_BYTES + number * _RING_BYTES)
    at = 4 * number
    low, made = struct.unpack_from("<HH", state, at)
    end = min(made + step, height)
    if end - low > most:
        if arena is not None:
            start = offset + (end - most - low) * size
            kept = (made - (end - most)) * size
            view = memoryview(arena)
            view[offset : offset + kept] = bytes(view[start : start + kept])
        low = end - most
    struct.pack_into("<HH", state, at, low, end)
    return made, end, offset + (made - low) * size


def make(program, index, rows, state, number, arena, record):
    """Makes room for a ring's next rows and of their record the one that gives them. Returns whether there are
    such rows, and what they are made of is in memory."""
    start, end, output = room(rows, state, number, arena)
    at = index * _RECORD
    record[:] = program[at : at + _RECORD]
    _, own, _, _, _, source, other = struct.unpack_from(_RING, rows, _REGION_BYTES + number * _RING_BYTES)
    offset, size, height, _, _, _, _ = struct.unpack_from(_RING, rows, _REGION_BYTES + source * _RING_BYTES)
    low, made = struct.unpack_from("<HH", state, 4 * source)
    if record[0] == _ADD:
        first = start
        last = end
        offset2 = struct.unpack_from(_RING, rows, _REGION_BYTES + other * _RING_BYTES)[0]
        low2, made2 = struct.unpack_from("<HH", state, 4 * other)
        if not low2 <= first < last <= made2:
            return False
        struct.pack_into("<I", record, _INPUT2_AT, offset2 + (first - low2) * size)
        struct.pack_into("<I", record, _COUNT_AT, (end - start) * size)
    else:
        first = start * record[_STRIDE_H_AT] - _u16(record, _PAD_TOP_AT)
        last = (end - 1) * record[_STRIDE_H_AT] - _u16(record, _PAD_TOP_AT)
        last = min(height, last + (_u16(record, _KERNEL_H_AT) - 1) * record[_DILATION_H_AT] + 1)
        struct.pack_into("<H", record, _PAD_TOP_AT, max(0, -first))
        first = max(0, first)
        struct.pack_into("<H", record, _IN_H_AT, max(0, last - first))
        struct.pack_into("<H", record, _OUT_H_AT, end - start)
    if not (start < end and low <= first < last <= made):
        return False
    struct.pack_into("<III", record, _INPUT_AT, offset + (first - low) * size, output, (end - start) * own)
    return True


def follow(program, first, rows, state, turns):
    """Takes turns without computing; False where one has no rows to make, or not what they are made of."""
    record = bytearray(_RECORD)
    for number in turns:
        if number:
            if not make(program, first + number - 1, rows, state, number, None, record):
                return False
        else:
            start, end, _ = room(rows, state, 0, None)
            if start == end:
                return False
    return True


def _u16(data, at):
    return data[at] | data[at + 1] << 8
