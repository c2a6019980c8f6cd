# Where an operator's output may lie over its input, and whether a file keeps to it: docs/FORMAT.md, "Overlap". In memory only
# while a file that has such records is loaded (_borrow in __init__.py).

import struct

from . import _text as text

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: overlap (host/midge_host/device/spec.py, `make generate`)
_RECORD = const(72)
_CORE = const(0)
_INT8 = const(1)
_OVERLAPS = const(128)
_TOGETHER = const(16)
_CONV_2D = const(1)
_DEPTHWISE_CONV_2D = const(2)
_AVERAGE_POOL_2D = const(4)
_MAX_POOL_2D = const(5)
_CODE = const(0)
_BANK = const(1)
_TYPES = const(2)
_FLAGS = const(3)
_BLOCKS = const(4)
_STRIDE_H = const(5)
_IN_W = const(18)
_KERNEL_H = const(23)
_KERNEL_W = const(24)
_PAD_TOP = const(25)
_INPUT = const(29)
_OUTPUT = const(30)
_LAYOUT = const("<BBBBHBBBBbbbbBBBbHHHHHHHHHHHiIIIIIII")
# generated: end

_TILE = const(6)  # pixels: kernels of convolutions may compute the last so many anew


def check(data, program):
    """ValueError unless the section names the records whose flags say that their output lies over their input, and it may.

    data: the section. program: all records.
    """
    at = 0
    for number in range(len(program) // _RECORD):
        op = struct.unpack_from(_LAYOUT, program, number * _RECORD)
        if not op[_FLAGS] & _OVERLAPS:
            continue
        found = None
        if (
            op[_BANK] == _CORE
            and op[_TYPES] & 15 == _INT8
            and at < len(data)
            and data[at] | data[at + 1] << 8 == number
        ):
            found = distance(op[_CODE], op[_BLOCKS], op[_STRIDE_H], *op[_IN_W:_KERNEL_H], op[_KERNEL_W], op[_PAD_TOP])
        apart = op[_INPUT] - op[_OUTPUT]
        if not found or apart < found[0] or apart % found[1]:
            raise ValueError(text("impossible overlap", number))
        at += 2
    if at != len(data):
        raise ValueError(text("section size", b"OVER", len(data)))


def distance(code, blocks, stride_h, in_w, in_c, out_h, out_w, out_c, kernel_w, pad_top):
    """(bytes by which an output has to begin before its input, at least, what they have to be a multiple of); None
    where it may not lie over it.

    A row of the output may be written when no later row reads what it overwrites, nor a row that a kernel makes together
    with it. A channel of a depthwise convolution, which kernels compute one after the other, must overwrite no other
    channel.
    """
    if not stride_h or not in_c:
        return None  # of a file that nobody has checked
    rows = 1  # that are made together
    last = out_h  # from here on rows may be made again
    unit = 4
    if code == _CONV_2D:
        if blocks > 1 or out_h * out_w < _TILE:
            return None
        rows = (out_w + _TOGETHER - 1) // out_w
        last = (out_h * out_w - _TILE) // out_w
    elif code == _DEPTHWISE_CONV_2D:
        # A window of a single column is computed column by column.
        if in_c != out_c or in_c == 1 or kernel_w == 1 and out_w > 1:
            return None
        unit = in_c << (in_c % 4 != 0) << in_c % 2
    elif code not in (_AVERAGE_POOL_2D, _MAX_POOL_2D):
        return None
    # What is overwritten ahead grows with each turn of rows up to where they leave the padding, and is linear from there.
    turns = (out_h + rows - 1) // rows
    padded = pad_top // (rows * stride_h)
    least = 0
    for turn in (padded, padded + 1, turns - 2, turns - 1):
        if 0 <= turn < turns:
            end = min(out_h, (turn + 1) * rows) * out_w * out_c
            least = max(least, end - max(0, min(turn * rows, last) * stride_h - pad_top) * in_w * in_c)
    return (least + unit - 1) // unit * unit, unit
