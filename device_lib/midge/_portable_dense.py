# Of the portable core bank: layers with one place, such as dense ones. Loaded when the first of them runs.

from ._portable import _channels, _requantized, _signed, _starts, _windows

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: records (host/midge_host/device/ops, `make generate`)
_OUTPUT = const(-6)
_WINDOW_INPUT_ZERO = const(9)
_WINDOW_BIAS_BITS = const(13)
_WINDOW_BLOCK_CHANNELS = const(27)
# generated: end

_CHANNELS = const(48)  # output channels for which the inputs are prepared
_ROWS = const(8)  # of them at a time
_TAPS = const(12)  # weights of each of them at a time
_LANE = const(168)  # so many products go into a lane, which has room for 257


def kernel(op, arena, weights, block, begin, end):
    """Runs a record as the kernels of _portable.py do."""
    in_zero, zero, low, high = op[_WINDOW_INPUT_ZERO:_WINDOW_BIAS_BITS]
    channels = op[_WINDOW_BLOCK_CHANNELS]
    x, _ = next(_windows(op, arena, 0, 1, in_zero))
    weights = memoryview(weights)
    out = op[_OUTPUT] + begin * channels
    for c in range(begin * channels, end * channels, _CHANNELS):
        last = min(c + _CHANNELS, end * channels)
        totals = _sums(x, weights, _starts(op, block, c, last, len(x)))
        for total, (bias, multiplier, shift) in zip(totals, _channels(op, weights, block, c, last)):
            arena[out] = _requantized(total + bias, multiplier, shift, zero, low, high)
            out += 1


def _sums(x, weights, starts):
    # Of each row of weights the sum of x * w. An int of Python's as a polynomial, with a lane of 3 bytes for each
    # coefficient: where the weights of a row, as w + 128, follow one another, and inputs come in the opposite order, one
    # coefficient of the product is the sum of x * w. A lane holds every third weight, so that it takes three products.
    totals = [0] * len(starts)
    size = _TAPS * _ROWS
    signs = int.from_bytes(b"\x80" * size, "little")
    lanes = int.from_bytes(b"\xff\0\0" * (size // 3), "little")
    zero = int.from_bytes(b"\0\0\x80" * (size // 3 + _TAPS // 3), "little")
    block = bytearray(size)
    places = memoryview(block)
    places = [places[i : i + _TAPS] for i in range(0, size, _TAPS)]
    for first in range(0, len(x), _LANE):
        last = min(first + _LANE, len(x))
        factors = _factors(x, first, last)
        less = 0x800000 + 128 * sum(_signed(x, first, last - first))
        for c in range(0, len(starts), _ROWS):
            rows = [(place, weights[start : start + last]) for place, start in zip(places, starts[c : c + _ROWS])]
            total = zero
            i = 0
            for j in range(first, last, _TAPS):
                end = min(j + _TAPS, last)
                taps = end - j
                for place, row in rows:
                    place[:taps] = row[j:end]
                w = int.from_bytes(block, "little") ^ signs
                total += (
                    (w & lanes) * factors[i] + (w >> 8 & lanes) * factors[i + 1] + (w >> 16 & lanes) * factors[i + 2]
                )
                i += 3
            total = total.to_bytes(size + _TAPS, "little")
            at = _TAPS - 3
            for i in range(c, min(c + _ROWS, len(starts))):
                totals[i] += int.from_bytes(total[at : at + 3], "little") - less
                at += _TAPS
    return totals


def _factors(x, first, last):
    # For so many inputs at a time the polynomials of each third of them.
    signs = int.from_bytes(b"\x80" * _TAPS, "little")
    lanes = int.from_bytes(b"\xff\0\0" * (_TAPS // 3), "little")
    factors = []
    for j in range(first, last, _TAPS):
        v = bytes(x[j : min(j + _TAPS, last)])
        v = int.from_bytes(v + bytes(_TAPS - len(v)), "big") ^ signs
        factors += [(v >> i & lanes) - (signs & lanes) for i in (16, 8, 0)]
    return factors
