# Shared by _portable_wide.py and _portable_recurrent.py: products, the requantisation of 64-bit sums, and the sigmoid of
# int16.

from ._portable import _wrap

try:
    from operator import mul

    def _dot(x, i, w, j, n):
        # sum of x[i + k] * w[j + k]
        return sum(map(mul, x[i : i + n], w[j : j + n]))

except ImportError:  # boards

    def _dot(x, i, w, j, n):
        total = 0
        for k in range(n):
            total += x[i + k] * w[j + k]
        return total


def _rescale_wide(x, multiplier, shift):
    # MultiplyByQuantizedMultiplier of 64-bit sums: a multiplier of 15 bits, one rounding; shift up to 7.
    reduced = (multiplier + 0x8000) >> 16 if multiplier < 0x7FFF0000 else 0x7FFF
    return _wrap((x * reduced + (1 << (14 - shift))) >> (15 - shift))


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
