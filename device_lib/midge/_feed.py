# Checks what a file says of sound. In memory only while a model that takes it is loaded (_borrow in __init__.py).

import struct

from . import _text as text

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: feed (host/midge_host/device/spec.py, `make generate`)
_INT16 = const(4)
_AUDIO_BYTES = const(24)
_RECORD = const(72)
_BANK_AT = const(1)
_FRONTS = b"\x06\x07"
_TENSOR = const("<IIfiiiBB6HBB")
# offset, bytes, scale, zero_point, pixel_multiplier, pixel_offset, dtype, rank, shape, element, flags
_AUDIO = const("<IHHHHf8s")
# rate, hop, first, every, window, cutoff, front
# generated: end


def check(path, data, feed, predict, inputs, program, room, plan):
    """What an AudioModel needs besides: the section AUDI, (first, last record of feed), and how these run, in steps, with
    streamed weights and with all of them.

    data: the section. feed: the records. predict: the first record of that entry. inputs: as _loader.py has them. room: for streamed
    weights. plan: of _loader.py.
    """
    size = 0
    if len(inputs) == 1:
        fields = struct.unpack_from(_TENSOR, inputs[0][1])
        if fields[7] == 1 and fields[14] == _INT16 and not inputs[0][2]:
            size = fields[8]
    sound = len(data) == _AUDIO_BYTES and struct.unpack(_AUDIO, data)
    if (
        not sound
        or not feed[0] < feed[1] <= predict
        or 0 in sound[:5]
        or sound[1] > size
        or not 0 <= sound[5] <= 1
        # A front end's bank has what takes samples.
        or not any(program[i * _RECORD + _BANK_AT] in _FRONTS for i in range(feed[0], feed[1]))
    ):
        raise ValueError("%s: %s" % (path, text("impossible sound")))
    return bytes(data), feed, (plan(program, *feed, room), plan(program, *feed, 1 << 30))
