# The portable twin of midge_learn: learns from embeddings. docs/NUMERICS.md, "Learning".

from ._portable_features import root

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: learning (host/midge_host/device/spec.py, `make generate`)
_HEAD = const(3)
_MOST_SAMPLES = const(65535)
_BAD_PARAMETER = const(4)
_ANGULAR = const(1)
_WHITENED = const(2)
_SIZE_IN = const(1)
_ZERO_POINT_IN = const(2)
_METHOD_IN = const(3)
_FLAGS_IN = const(4)
_SHIFT_IN = const(5)
_INPUT_BITS_IN = const(7)
_FRACTION_IN = const(8)
_RATE_IN = const(9)
# generated: end
_LENGTH = const(1023)  # of vectors whose distances are those of angles
_ROW_SCALE = const(4)  # a row is in quarters of a vector's steps
_WHITE_MOST = const(255)  # of a whitened value
_STEPS = const(4)  # the exponents' steps are of 2^-4
_WEIGHT_MOST = const(16383)
_LEAST = const(512)  # of an error: a smaller one is not worth the time


def embed(learn, matrix, centre, x, vector):
    """The vector of an embedding x. Lengths are the caller's affair: a status of 0 always."""
    size = learn[_SIZE_IN]
    if learn[_FLAGS_IN] & _WHITENED:
        shift = learn[_SHIFT_IN]
        values = [i if i < 128 else i - 256 for i in bytes(x)]
        at = 0
        for i in range(size):
            total = centre[i] + (1 << (shift - 1))
            for value in values:
                weight = matrix[at]
                total += value * (weight if weight < 128 else weight - 256)
                at += 1
            vector[i] = max(-_WHITE_MOST, min(_WHITE_MOST, total >> shift))
    else:
        zero_point = learn[_ZERO_POINT_IN]
        for i in range(size):
            value = x[i]
            vector[i] = (value if value < 128 else value - 256) - zero_point
    if learn[_FLAGS_IN] & _ANGULAR:
        _scale(vector, size, _LENGTH)
    if learn[_METHOD_IN] == _HEAD:
        vector[size] = 1 << (learn[_INPUT_BITS_IN] - 1)
    return 0


def prototype(learn, sums, row):
    """A class's row of the sums of its vectors, and behind them their number. A status."""
    size = learn[_SIZE_IN]
    most = _LENGTH * sums[size]
    if not 0 < sums[size] <= _MOST_SAMPLES or max(sums[:size]) > most or min(sums[:size]) < -most:
        return _BAD_PARAMETER
    for i in range(size):
        row[i] = _divide(_ROW_SCALE * sums[i], sums[size])
    if learn[_FLAGS_IN] & _ANGULAR:
        _scale(row, size, _ROW_SCALE * _LENGTH)
    return 0


def distances(rows, vector, squares):
    """The squared distance of a vector from each row."""
    at = 0
    for r in range(len(squares)):
        total = 0
        for value in vector:
            value = _ROW_SCALE * value - rows[at]
            total += value * value
            at += 1
        squares[r] = total & 0xFFFFFFFF
    return 0


def probabilities(learn, exponents, weights, vector, p):
    """A head's probability of each class, in 1/2^15."""
    shift = learn[_FRACTION_IN] + learn[_INPUT_BITS_IN] - _STEPS
    at = 0
    most = None
    for c in range(len(p)):
        total = 0
        for value in vector:
            total += weights[at] * value
            at += 1
        p[c] = total
        if most is None or total > most:
            most = total
    half = 1 << (shift - 1)
    total = 0
    for c in range(len(p)):
        step = (most - p[c] + half) >> shift
        p[c] = exponents[step] if step < len(exponents) else 0
        total += p[c]
    for c in range(len(p)):
        p[c] = (p[c] << 15) // (total or 1)
    return 0


def epoch(learn, exponents, samples, classes, weights, order, seed, vector, p):
    """Trains a head once with all samples."""
    size = learn[_SIZE_IN]
    rate = learn[_INPUT_BITS_IN] + 15 - learn[_FRACTION_IN] + learn[_RATE_IN]
    half = 1 << (rate - 1)
    _shuffle(order, seed)
    samples = memoryview(samples)
    for number in order:
        embed(learn, b"", b"", samples[number * size : number * size + size], vector)
        probabilities(learn, exponents, weights, vector, p)
        p[classes[number]] -= 1 << 15
        at = 0
        for error in p:
            if -_LEAST < error < _LEAST:
                at += size + 1
                continue
            for value in vector:
                weights[at] = max(-_WEIGHT_MOST, min(_WEIGHT_MOST, weights[at] - ((error * value + half) >> rate)))
                at += 1
    return 0


def _shuffle(order, seed):
    # Fisher and Yates's, with the numbers of a linear congruential generator.
    x = seed[0]
    for i in range(len(order) - 1, 0, -1):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        j = ((x >> 16) * (i + 1)) >> 16
        order[i], order[j] = order[j], order[i]
    seed[0] = x


def _divide(a, b):
    # a / b, b > 0, halves away from zero.
    return -((-a + b // 2) // b) if a < 0 else (a + b // 2) // b


def _scale(vector, size, length):
    total = 0
    for i in range(size):
        total += vector[i] * vector[i]
    norm = root(total)
    if norm:
        for i in range(size):
            vector[i] = _divide(vector[i] * length, norm)
