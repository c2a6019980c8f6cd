# Like _portable.py, the bank mel: features of sound as TensorFlow and librosa compute them in floating point.

from ._portable import _clamp, _high_mul, _store, _values, _wrap, bank
from ._portable_features import bit_length, root, store_words, take  # noqa: F401 - take is the bank's

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: records (host/midge_host/device/ops, `make generate`)
_BAD_TENSOR = const(2)
_BAD_WEIGHTS = const(3)
_BAD_PARAMETER = const(4)
_SAMPLE_BITS = const(15)
_SPARE_BITS = const(17)
_HEAD_BITS = const(2)
_WIDE_BITS = const(28)
_POWER_BITS = const(4)
_LOG2_WORDS = const(9)
_TYPES = const(2)
_BLOCKS = const(4)
_INPUT = const(-7)
_OUTPUT = const(-6)
_BLOCK_BYTES = const(-3)
_MAGNITUDES_SIZE = const(5)
_MAGNITUDES_POINTS = const(6)
_MAGNITUDES_BINS = const(7)
_MAGNITUDES_IS_POWER = const(8)
_CEPSTRUM_BINS = const(5)
_CEPSTRUM_BANDS = const(7)
_CEPSTRUM_COLUMNS = const(8)
_CEPSTRUM_VALUES = const(9)
_CEPSTRUM_OFFSET = const(10)
_CEPSTRUM_UNIT = const(11)
_CEPSTRUM_EPSILON_SHIFT = const(12)
_CEPSTRUM_EPSILON = const(13)
_LOG_MEL_BINS = const(5)
_LOG_MEL_FIRST = const(6)
_LOG_MEL_BANDS = const(7)
_LOG_MEL_COLUMNS = const(8)
_LOG_MEL_OFFSET = const(9)
_LOG_MEL_LEAST = const(10)
_LOG_MEL_FACTOR = const(11)
_MAGNITUDES_LAYOUT = "<BBBBHHHHB31xIIIIIII"
_CEPSTRUM_LAYOUT = "<BBBBHHHHHHhBB20xIIIIIIII"
_LOG_MEL_LAYOUT = "<BBBBHHHHHhh22xiIIIIIII"
# generated: end

_OK = const(0)
_MASK = const(0xFFFFFFFF)
_MASK64 = const(0xFFFFFFFFFFFFFFFF)
_ONE = const(1 << 30)
_HALF = const(1 << 29)


# generated: checks (host/midge_host/device/ops, `make generate`)
# fmt: off
def _check_magnitudes(op, arena_bytes):
    if (
        op[_MAGNITUDES_POINTS] not in (16, 32, 64, 128, 256, 512, 1024, 2048)
        or not op[_MAGNITUDES_SIZE]
        or not op[_MAGNITUDES_BINS]
        or op[_MAGNITUDES_SIZE] % 2
        or op[_MAGNITUDES_SIZE] > op[_MAGNITUDES_POINTS] * 2
        or op[_MAGNITUDES_BINS] > (op[_MAGNITUDES_POINTS] + 1)
        or op[_MAGNITUDES_IS_POWER] > 1
        or op[_INPUT] % 2
        or op[_OUTPUT] % 4
        or op[_BLOCKS] != 1
    ):
        return _BAD_PARAMETER
    if op[_BLOCK_BYTES] < op[_MAGNITUDES_POINTS] * 2 + (op[_MAGNITUDES_SIZE] * 4 + 4):
        return _BAD_WEIGHTS
    if (
        op[_INPUT] + op[_MAGNITUDES_SIZE] * 2 > arena_bytes
        or op[_OUTPUT] + op[_MAGNITUDES_POINTS] * (op[_MAGNITUDES_IS_POWER] + 2) * 4 > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_cepstrum(op, arena_bytes):
    if (
        not op[_CEPSTRUM_BINS]
        or not op[_CEPSTRUM_BANDS]
        or not op[_CEPSTRUM_VALUES]
        or op[_CEPSTRUM_BANDS] > 128
        or op[_CEPSTRUM_UNIT] > 63
        or op[_CEPSTRUM_EPSILON_SHIFT] > 15
        or op[_INPUT] % 4
        or op[_OUTPUT] % (2 if op[_TYPES] & 15 != 1 else 1)
        or op[_BLOCKS] != 1
    ):
        return _BAD_PARAMETER
    if (
        op[_BLOCK_BYTES] < 4 * (op[_CEPSTRUM_BANDS] + 10 + op[_CEPSTRUM_COLUMNS]) + op[_CEPSTRUM_VALUES] * op[_CEPSTRUM_BANDS] * 4
    ):
        return _BAD_WEIGHTS
    if (
        op[_INPUT] + (op[_CEPSTRUM_BINS] + 1) * 4 > arena_bytes
        or op[_OUTPUT] + op[_CEPSTRUM_VALUES] * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK


def _check_log_mel(op, arena_bytes):
    if (
        not op[_LOG_MEL_BINS]
        or not op[_LOG_MEL_BANDS]
        or op[_LOG_MEL_BANDS] > 128
        or op[_INPUT] % 4
        or op[_OUTPUT] % (2 if op[_TYPES] & 15 != 1 else 1)
        or op[_BLOCKS] != 1
    ):
        return _BAD_PARAMETER
    if op[_BLOCK_BYTES] < 4 * (op[_LOG_MEL_BANDS] + 10 + op[_LOG_MEL_COLUMNS]) + op[_LOG_MEL_BANDS] * 4:
        return _BAD_WEIGHTS
    if (
        op[_INPUT] + (op[_LOG_MEL_BINS] * 2 + 1) * 4 > arena_bytes
        or op[_OUTPUT] + op[_LOG_MEL_BANDS] * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK
# fmt: on
# generated: end


def _magnitudes(op, arena, weights, block, begin, end):
    size, points, bins = op[_MAGNITUDES_SIZE], op[_MAGNITUDES_POINTS], op[_MAGNITUDES_BINS]
    is_power = op[_MAGNITUDES_IS_POWER]
    half = points // 2
    quarter = _values("i", weights, block, 4 * half + 4)
    window = _values("i", weights, block + 4 * half + 4, 4 * size)
    x = _values("h", arena, op[_INPUT], 2 * size)
    if is_power:
        grown, shift, rounding = 0, _HEAD_BITS, 0
    else:
        grown = _SAMPLE_BITS - min(_SAMPLE_BITS, max(1, bit_length(max(max(x), -min(x)))))
        shift = _SPARE_BITS - grown
        rounding = 1 << shift - 1
    re, im = [0] * points, [0] * points
    place = 0
    for i in range(0, size, 2):
        re[place] = x[i] * window[i] + rounding >> shift
        im[place] = x[i + 1] * window[i + 1] + rounding >> shift
        bit = half
        while place & bit:
            place ^= bit
            bit >>= 1
        place |= bit
    output = op[_OUTPUT]
    if is_power:
        grown = _grow(re, im)
        _transform(re, im, quarter, _turn_wide)
        grown += _grow(re, im)
        _powers(re, im, quarter, bins, arena, output)
    else:
        _transform(re, im, quarter, _turn)
        for k in range(bins):
            a, b = k % points, -k % points
            cosine, sine = _factor(quarter, k)
            odd_re, odd_im = _turned(_wrap(im[a] + im[b]), _wrap(re[b] - re[a]), cosine, sine)
            x, y = _wrap(re[a] + re[b] + odd_re) >> 1, _wrap(im[a] - im[b] + odd_im) >> 1
            store_words(arena, output + 4 * k, (root(x * x + y * y),))
    words = bins << is_power
    store_words(arena, output + 4 * words, (grown,))
    for k in range(words + 1, (2 + is_power) * points):
        store_words(arena, output + 4 * k, (0,))


def _powers(re, im, quarter, bins, arena, output):
    # Bin k and bin points - k are of the sum and of the difference of two numbers.
    points = len(re)
    for k in range(points // 2 + 1):
        pair_re = [_wrap48(re[k] + re[-k]), _wrap48(im[k] + im[-k])]
        pair_im = [_wrap48(im[k] - im[-k]), _wrap48(re[-k] - re[k])]
        _turn_wide(pair_re, pair_im, 0, 1, *_factor(quarter, k))
        for i in range(2):
            bin = points - k if i else k
            if bin < bins:
                power = _square(pair_re[i]) + _square(pair_im[i]) >> _POWER_BITS
                store_words(arena, output + 8 * bin, (power & _MASK, power >> 32))


def _square(x):
    upper, lower = _split(x)
    return upper * upper + (upper * lower >> 15)


def _split(x):
    # The upper 32 bits and the lower 16, both with a sign, of a number of 48.
    return _wrap(x + 0x8000 >> 16), (x & 0xFFFF ^ 0x8000) - 0x8000


def _wrap48(x):
    upper, lower = _split(x)
    return (upper << 16) + lower


def _grow(re, im):
    # Scales numbers of 48 bits up as far as they have room, by 16 bits at most.
    most = 0
    for values in (re, im):
        for value in values:
            value = value + 0x8000 >> 16
            most |= value if value >= 0 else ~value
    bits = min(max(0, _WIDE_BITS - bit_length(most)), 16)
    for i in range(len(re)):
        re[i], im[i] = _wrap48(re[i] << bits), _wrap48(im[i] << bits)
    return bits


def _factor(quarter, k):
    # cos and -sin of a turn's part.
    half = len(quarter) - 1
    if k <= half:
        return quarter[k], -quarter[half - k]
    return -quarter[2 * half - k], -quarter[k - half]


def _turned(re, im, cosine, sine):
    return (
        _wrap(_high_mul(re, cosine) - _high_mul(im, sine)),
        _wrap(_high_mul(re, sine) + _high_mul(im, cosine)),
    )


def _turn(re, im, a, b, cosine, sine):
    x, y = _turned(re[b], im[b], cosine, sine)
    re[b], im[b] = _wrap(re[a] - x + 1) >> 1, _wrap(im[a] - y + 1) >> 1
    re[a], im[a] = _wrap(re[a] + x + 1) >> 1, _wrap(im[a] + y + 1) >> 1


def _turn_wide(re, im, a, b, cosine, sine):
    # The same of numbers of 48 bits.
    x, x_low = _split(re[b])
    y, y_low = _split(im[b])
    low_cosine, low_sine = cosine + 0x8000 >> 16, sine + 0x8000 >> 16
    half_re = (x * cosine - y * sine >> 16) + (x_low * low_cosine - y_low * low_sine >> 16) + 1
    half_im = (x * sine + y * cosine >> 16) + (x_low * low_sine + y_low * low_cosine >> 16) + 1
    re[b], im[b] = _wrap48((re[a] >> 1) - half_re), _wrap48((im[a] >> 1) - half_im)
    re[a], im[a] = _wrap48((re[a] >> 1) + half_re), _wrap48((im[a] >> 1) + half_im)


def _transform(re, im, quarter, turn):
    points, size = len(re), 1
    while size < points:
        for j in range(size):
            cosine, sine = _factor(quarter, j * (points // size))
            for a in range(j, points, 2 * size):
                turn(re, im, a, a + size, cosine, sine)
        size *= 2


def _cepstrum(op, arena, weights, block, begin, end):
    bins, bands, columns, values = op[_CEPSTRUM_BINS], op[_CEPSTRUM_BANDS], op[_CEPSTRUM_COLUMNS], op[_CEPSTRUM_VALUES]
    magnitudes = _values("I", arena, op[_INPUT], 4 * bins + 4)
    grown = magnitudes[bins] & 15
    epsilon = op[_CEPSTRUM_EPSILON] << grown + op[_CEPSTRUM_EPSILON_SHIFT]
    logarithms = _band_logarithms(op, magnitudes, weights, block, epsilon, False)
    factors = _values("i", weights, block + 4 * (_LOG2_WORDS + bands + 1 + columns), 4 * values * bands)
    unit = grown + op[_CEPSTRUM_UNIT] << 24
    for i in range(values):
        total = 1 << 47
        for band in range(bands):
            total += factors[i * bands + band] * (logarithms[band] - unit)
        # 64 bits with their sign, of which 48 are fractions.
        value = ((total >> 48) + 0x8000 & 0xFFFF) - 0x8000 + op[_CEPSTRUM_OFFSET]
        _put_limited(op, arena, i, value)


def _log_mel(op, arena, weights, block, begin, end):
    bins, bands = op[_LOG_MEL_BINS], op[_LOG_MEL_BANDS]
    words = _values("I", arena, op[_INPUT], 8 * bins + 4)
    grown = words[2 * bins]
    powers = [words[2 * i] | words[2 * i + 1] << 32 for i in range(bins)]
    logarithms = _band_logarithms(op, powers, weights, block, 0, True)
    added = _values("i", weights, block + 4 * (_LOG2_WORDS + bands + 1 + op[_LOG_MEL_COLUMNS]), 4 * bands)
    for band in range(bands):
        logarithm = _wrap(logarithms[band] - (grown << 25) + added[band])
        value = (op[_LOG_MEL_FACTOR] * logarithm + (1 << 43) >> 44) + op[_LOG_MEL_OFFSET]
        _put_limited(op, arena, band, max(value, op[_LOG_MEL_LEAST]))


def _put_limited(op, arena, at, value):
    # An output's value, limited to its type.
    wide = op[_TYPES] & 15 != 1
    limit = 32767 if wide else 127
    value = _clamp(value, -limit - 1, limit)
    _store(arena, op[_OUTPUT] + at * (1 + wide), (value & 255, value >> 8 & 255) if wide else (value & 255,))


def _band_logarithms(op, magnitudes, weights, block, added, powers):
    # Records of both operators have the fields of bands in the same places.
    bins, bands, left, at = op[_LOG_MEL_BINS], op[_LOG_MEL_BANDS], op[_LOG_MEL_COLUMNS], op[_LOG_MEL_FIRST]
    polynomial = _values("i", weights, block, 4 * _LOG2_WORDS)
    place = block + 4 * _LOG2_WORDS
    widths = _values("I", weights, place, 4 * (bands + 1))
    rise = _values("I", weights, place + 4 * (bands + 1), 4 * left)
    used = rest = 0
    logarithms = []
    for band in range(bands + 1):
        held = rest + added
        rest = 0
        for _ in range(max(0, min(widths[band], left - used, bins - at))):
            value, weight = magnitudes[at], rise[used]
            if powers:
                up = value * weight + _HALF >> 30
                down = value - up
            else:
                up, down = value * weight, value * (_ONE - weight & _MASK)
            held += down
            rest += up
            used += 1
            at += 1
        if band:
            logarithms.append(_logarithm(polynomial, held & _MASK64 or 1))
    return logarithms


def _logarithm(polynomial, x):
    # To the base 2 in 2^-24.
    bits = bit_length(x) - 1
    fraction = (x << 63 - bits >> 32) & 0x7FFFFFFF
    value = polynomial[0]
    for i in range(1, _LOG2_WORDS):
        value = _wrap(_high_mul(value, fraction) + polynomial[i])
    return (bits << 24) + (value >> 6)


# generated: kernels (host/midge_host/device/ops, `make generate`)
_KERNELS = {
    0x040750: (_MAGNITUDES_LAYOUT, _check_magnitudes, _magnitudes, True, 0),  # MAGNITUDES, int16
    0x010751: (_CEPSTRUM_LAYOUT, _check_cepstrum, _cepstrum, True, 0),  # CEPSTRUM, int8
    0x040751: (_CEPSTRUM_LAYOUT, _check_cepstrum, _cepstrum, True, 0),  # CEPSTRUM, int16
    0x010752: (_LOG_MEL_LAYOUT, _check_log_mel, _log_mel, True, 0),  # LOG_MEL, int8
    0x040752: (_LOG_MEL_LAYOUT, _check_log_mel, _log_mel, True, 0),  # LOG_MEL, int16
}
# generated: end

check, run = bank(_KERNELS)
