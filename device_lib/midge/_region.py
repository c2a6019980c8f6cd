# Checks what a file says of rows: docs/FORMAT.md, "Rows". In memory only while a model that has a region is loaded (_borrow in
# __init__.py).

import struct

from . import _borrow
from . import _text as text

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: region (host/midge_host/device/spec.py, `make generate`)
_RECORD = const(72)
_REGION_BYTES = const(4)
_RING_BYTES = const(16)
_MOST_RINGS = const(255)
_CORE = const(0)
_INT8 = const(1)
_ADD = const(7)
_OVERLAPS = const(128)
_BANK_AT = const(1)
_TYPES_AT = const(2)
_FLAGS_AT = const(3)
_BLOCKS_AT = const(4)
_WEIGHTS_AT = const(56)
_BLOCK_BYTES_AT = const(60)
_IN_W_AT = const(20)
_IN_C_AT = const(22)
_OUT_W_AT = const(26)
_OUT_C_AT = const(28)
_ELEMENT_AT = const(38)
_WINDOWS = const(b"\x01\x02\x04\x05")
_REGION = const("<HH")
# records, turns
_RING = const("<IIHHHBB")
# offset, row_bytes, height, rows, step, source, source2
# generated: end


def check(data, program, first, last, inputs, arena_bytes, room):
    """What a RowModel needs besides: the section, the region's first record, the one behind its last, where its weights begin,
    their bytes, and the state before the first turn; ValueError for a region that cannot run.

    data: the section ROWS. program: all records, which are sound in themselves. first, last: of the entry predict. inputs:
    descriptions of the inputs. room: for streamed weights.
    """
    count, turns = struct.unpack_from(_REGION, data) if len(data) >= _REGION_BYTES else (0, 0)
    start = _REGION_BYTES + (count + 1) * _RING_BYTES
    if not 0 < count < _MOST_RINGS or len(data) != start + turns:
        raise ValueError(text("section size", b"ROWS", len(data)))
    if count > last - first:
        raise ValueError(text("impossible region", first))
    rings = [struct.unpack_from(_RING, data, _REGION_BYTES + i * _RING_BYTES) for i in range(count + 1)]
    for number in range(count + 1):
        offset, size, height, rows, step, source, other = rings[number]
        if (
            not 0 < rows <= height
            or not 0 < size <= arena_bytes
            or offset % 4
            or offset + rows * size > arena_bytes
            or (not 0 < step <= rows if number or step else rows != height)
            or source >= (number or 1)
            or other >= (number or 1)
            or number
            and not _fits(program, first + number - 1, rings, number)
        ):
            raise ValueError(text("impossible region", number))
    if rings[0][4] and not _is_fed(inputs, *rings[0][:3]):
        raise ValueError(text("impossible region", 0))
    fresh = bytearray(4 * (count + 1))
    if not rings[0][4]:
        struct.pack_into("<H", fresh, 2, rings[0][2])  # all rows are there
    state = bytearray(fresh)
    # What each turn reads is in memory, and in the end every row was made.
    if (
        any(number > count for number in data[start:])
        or not _borrow("_portable_rows", "follow", program, first, data, state, data[start:])
        or any(_u16(state, 4 * number + 2) != rings[number][2] for number in range(count + 1))
    ):
        raise ValueError(text("impossible turns"))
    return (bytes(data), first, first + count) + _weights(program, first, first + count, room) + (bytes(fresh),)


def _fits(program, index, rings, number):
    # Whether a ring's record makes such rows of its source's.
    at = index * _RECORD
    _, size, height, _, _, source, other = rings[number]
    if program[at + _BANK_AT] != _CORE or program[at + _TYPES_AT] != _INT8 or program[at + _FLAGS_AT] & _OVERLAPS:
        return False
    if program[at] == _ADD:
        return rings[source][1:3] == rings[other][1:3] == (size, height)
    return (
        program[at] in _WINDOWS
        and not other
        and _u16(program, at + _IN_W_AT) * _u16(program, at + _IN_C_AT) == rings[source][1]
        and _u16(program, at + _OUT_W_AT) * _u16(program, at + _OUT_C_AT) == size
    )


def _is_fed(inputs, offset, size, height):
    # Whether the source is the model's only input.
    return (
        len(inputs) == 1
        and inputs[0][_ELEMENT_AT] == _INT8
        and struct.unpack_from("<II", inputs[0]) == (offset, size * height)
    )


def _weights(program, first, last, room):
    # Where the weights of these records begin, and their bytes.
    begin = end = 0
    for at in range(first * _RECORD, last * _RECORD, _RECORD):
        blocks = _u16(program, at + _BLOCKS_AT)
        if blocks:
            start = struct.unpack_from("<I", program, at + _WEIGHTS_AT)[0]
            if not end or start < begin:
                begin = start
            end = max(end, start + blocks * struct.unpack_from("<I", program, at + _BLOCK_BYTES_AT)[0])
    if end - begin > room:
        raise ValueError(text("region weights", end - begin, room))
    return begin, end - begin


def _u16(data, at):
    return data[at] | data[at + 1] << 8
