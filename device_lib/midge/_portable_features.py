# What the banks of features share: samples of sound into the arena, roots, words.

from ._portable import _store, _view


def take(arena, to, end, reading, at):
    """Copies samples from byte `at` of a reading on into the arena's bytes up to `end`: how many bytes; -1 where the
    reading is none of int16, or of whole samples."""
    code, reading = _view(reading)
    if code != "h" and code != "B":
        return -1
    unit = 2 if code == "h" else 1
    size = len(reading) * unit
    if (to | end | size | at) & 1 or to > end or end > len(arena) or at > size:
        return -1
    count = min(end - to, size - at)
    memoryview(arena)[to : to + count] = bytes(reading[at // unit : (at + count) // unit])
    return count


def bit_length(x):
    """Of an integer that is not negative."""
    bits = 0
    while x:
        x >>= 1
        bits += 1
    return bits


def root(x):
    """The integer root, downwards."""
    found, rest = 0, x
    bit = 1 << 62
    while bit > x:
        bit >>= 2
    while bit:
        found += bit
        if rest >= found:
            rest -= found
            found += bit
        else:
            found -= bit
        found >>= 1
        bit >>= 2
    return found


def store_words(arena, at, values):
    """Writes uint32 numbers."""
    for i, value in enumerate(values):
        _store(arena, at + 4 * i, (value & 255, value >> 8 & 255, value >> 16 & 255, value >> 24))
