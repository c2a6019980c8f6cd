# Of the portable core bank: convolutions with several places. Loaded when the first of them runs.

from array import array

from ._portable import _channels, _lanes, _requantized, _signed, _signs, _starts, _windows

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: records (host/midge_host/device/ops, `make generate`)
_OVERLAPS = const(128)
_TOGETHER = const(16)
_FLAGS = const(3)
_OUTPUT = const(-6)
_WINDOW_INPUT_ZERO = const(9)
_WINDOW_BIAS_BITS = const(13)
_WINDOW_IN_H = const(17)
_WINDOW_MULTIPLIER = const(28)
# generated: end

_LANES = const(16)  # output channels at a time
_TAPS = const(48)  # weights of each of them at a time
_PLACES = const(8)  # for as many places of an output


def kernel(op, arena, weights, block, begin, end):
    """Runs a record as the kernels of _portable.py do."""
    # Lanes are channels: the weights of a tap, as w + 128, times an input x + 128, which is often 0.
    in_zero, zero, low, high = op[_WINDOW_INPUT_ZERO:_WINDOW_BIAS_BITS]
    _, _, in_c, out_h, out_w, out_c, kernel_h, kernel_w, _, _, channels = op[_WINDOW_IN_H:_WINDOW_MULTIPLIER]
    row = kernel_h * kernel_w * in_c
    code, size = _lanes(row)
    weights = memoryview(weights)
    end *= channels
    places = out_h * out_w
    # Over its input an output is written a few rows at a time.
    step = -(-_TOGETHER // out_w) * out_w if op[_FLAGS] & _OVERLAPS and end - begin * channels > _LANES else places
    for start in range(0, places, step):
        for c in range(begin * channels, end, _LANES):
            last = min(c + _LANES, end)
            starts = _starts(op, block, c, last, row)
            # The biases are those for inputs x + 128.
            table = [
                (bias - 128 * sum(_signed(weights, at, row)), multiplier, shift)
                for at, (bias, multiplier, shift) in zip(starts, _channels(op, weights, block, c, last))
            ]
            signs = _signs(size, len(table))
            halves = signs >> (8 * size - 8)
            for first in range(start, min(start + step, places), _PLACES):
                last = min(first + _PLACES, start + step, places)
                totals = [signs] * (last - first)
                for j in range(0, row, _TAPS):
                    e = min(j + _TAPS, row)
                    offsets = _signs(1, e - j)
                    if row > _TAPS or first == start:
                        taps = [weights[at + j : at + e] for at in starts]
                        taps = [int.from_bytes(array(code, tap), "little") ^ halves for tap in zip(*taps)]
                    i = 0
                    for x, _ in _windows(op, arena, first, last, in_zero):
                        x = (int.from_bytes(x[j:e], "little") ^ offsets).to_bytes(e - j, "little")
                        total = totals[i] - sum(x) * halves
                        for v, tap in zip(x, taps):
                            if v:
                                total += v * tap
                        totals[i] = total
                        i += 1
                out = op[_OUTPUT] + first * out_c + c
                for total in totals:
                    i = out
                    total = (total ^ signs).to_bytes(size * len(table), "little")
                    for acc in array(code, total):
                        bias, multiplier, shift = table[i - out]
                        arena[i] = _requantized(acc + bias, multiplier, shift, zero, low, high)
                        i += 1
                    out += out_c
