# Like _portable.py, the audio bank: features of sound.

from ._portable import _clamp, _store, _values, bank

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


# generated: records (host/midge_host/device/ops, `make generate`)
_RECORD = const(72)
_BAD_TENSOR = const(2)
_BAD_WEIGHTS = const(3)
_BAD_PARAMETER = const(4)
_SYMMETRIC = const(1)
_PEAK_WRAPS = const(2)
_CLAMPS = const(1)
_GAIN = const(2)
_LOG_BYTES = const(260)
_LOG_E = const(45426)
_TYPES = const(2)
_FLAGS = const(3)
_BLOCKS = const(4)
_INPUT = const(-7)
_OUTPUT = const(-6)
_BLOCK_BYTES = const(-3)
_SPECTRUM_SIZE = const(5)
_SPECTRUM_POINTS = const(6)
_SPECTRUM_WINDOW_SHIFT = const(7)
_FILTER_BANK_ESTIMATE_BITS = const(5)
_FILTER_BANK_SMOOTHING_BITS = const(6)
_FILTER_BANK_SNR_SHIFT = const(7)
_FILTER_BANK_CORRECTION_BITS = const(8)
_FILTER_BANK_CHANNELS = const(9)
_FILTER_BANK_BINS = const(10)
_FILTER_BANK_COLUMNS = const(11)
_FILTER_BANK_SMOOTHING = const(12)
_FILTER_BANK_ONE_MINUS = const(14)
_FILTER_BANK_REMAINING = const(16)
_FILTER_BANK_LOG_SCALE = const(17)
_FILTER_BANK_LIMIT = const(18)
_FILTER_BANK_OFFSET = const(19)
_FILTER_BANK_SHIFT = const(20)
_FILTER_BANK_MULTIPLIER = const(21)
_FILTER_BANK_ADDEND = const(22)
_FILTER_BANK_INPUT2 = const(23)
_SPECTRUM_LAYOUT = "<BBBBHHHB33xIIIIIII"
_FILTER_BANK_LAYOUT = "<BBBBHBBBBHHH2H2HHHHbBIIIIIIIIII"
# generated: end

_OK = const(0)
_MASK = const(0xFFFFFFFF)
_WEIGHT_MASK = const(0x1FFF)


# generated: checks (host/midge_host/device/ops, `make generate`)
# fmt: off
def _check_spectrum(op, arena_bytes):
    if (
        op[_FLAGS] > 3
        or op[_SPECTRUM_WINDOW_SHIFT] > 15
        or op[_SPECTRUM_POINTS] not in (16, 32, 64, 128, 256, 512, 1024, 2048)
        or not op[_SPECTRUM_SIZE]
        or op[_SPECTRUM_SIZE] % 4
        or op[_SPECTRUM_SIZE] > op[_SPECTRUM_POINTS] * 2
        or op[_INPUT] % 2
        or op[_OUTPUT] % 4
        or op[_BLOCKS] != 1
    ):
        return _BAD_PARAMETER
    if op[_BLOCK_BYTES] < op[_SPECTRUM_POINTS] * 5 + op[_SPECTRUM_SIZE] * (1 if op[_FLAGS] & 1 else 2):
        return _BAD_WEIGHTS
    if op[_INPUT] + op[_SPECTRUM_SIZE] * 2 > arena_bytes or op[_OUTPUT] + (op[_SPECTRUM_POINTS] + 2) * 4 > arena_bytes:
        return _BAD_TENSOR
    return _OK


def _check_filter_bank(op, arena_bytes):
    if (
        op[_FLAGS] > 3
        or op[_FILTER_BANK_ESTIMATE_BITS] > 16
        or op[_FILTER_BANK_SMOOTHING_BITS] > 16
        or op[_FILTER_BANK_SNR_SHIFT] > 16
        or op[_FILTER_BANK_CORRECTION_BITS] > 16
        or not op[_FILTER_BANK_CHANNELS]
        or op[_FILTER_BANK_SHIFT] > 31
        or op[_BLOCKS] != 1
        or (op[_INPUT] | op[_FILTER_BANK_INPUT2]) % 4
        or op[_OUTPUT] % (2 if op[_TYPES] & 15 != 1 else 1)
    ):
        return _BAD_PARAMETER
    for i in range(2):
        if (op[_FILTER_BANK_SMOOTHING + i] + op[_FILTER_BANK_ONE_MINUS + i]) > 65536:
            return _BAD_PARAMETER
    if (
        op[_BLOCK_BYTES] < (4 * (op[_FILTER_BANK_CHANNELS] + 1 + op[_FILTER_BANK_COLUMNS]) + 260) + (250 if op[_FLAGS] & 2 else 0)
    ):
        return _BAD_WEIGHTS
    if (
        op[_INPUT] + (op[_FILTER_BANK_BINS] + 1) * 4 > arena_bytes
        or op[_FILTER_BANK_INPUT2] + op[_FILTER_BANK_CHANNELS] * 4 > arena_bytes
        or op[_OUTPUT] + op[_FILTER_BANK_CHANNELS] * (2 if op[_TYPES] & 15 != 1 else 1) > arena_bytes
    ):
        return _BAD_TENSOR
    return _OK
# fmt: on
# generated: end


def _spectrum(op, arena, weights, block, begin, end):
    size, points = op[_SPECTRUM_SIZE], op[_SPECTRUM_POINTS]
    words = points // 4 * 3
    factors = _values("h", weights, block, 4 * (words + points // 2))
    at, symmetric = block + 2 * len(factors), op[_FLAGS] & _SYMMETRIC
    window = _values("h", weights, at, size if symmetric else 2 * size)
    x = _values("h", arena, op[_INPUT], 2 * size)
    shift = op[_SPECTRUM_WINDOW_SHIFT]
    for i in range(size):
        x[i] = _wrap16(x[i] * window[size - 1 - i if symmetric and 2 * i >= size else i] >> shift)
    bits = _room(x, op[_FLAGS] & _PEAK_WRAPS)
    re, im = [0] * points, [0] * points
    for i, place in enumerate(_places(points)):
        if 2 * i < size:
            re[place], im[place] = _wrap16(x[2 * i] << bits), _wrap16(x[2 * i + 1] << bits)
    _fft(re, im, factors)
    out = _energies(re, im, factors, 2 * words)
    out.append(bits)
    _store_words(arena, op[_OUTPUT], out)


def _wrap16(x):
    return (x + 32768 & 0xFFFF) - 32768


def _rounded(x):
    # The rest of a product with a factor of 15 bits, halves upwards.
    return x + 16384 >> 15


def _room(samples, wraps):
    # By how many bits samples can grow. -32768 does not count, or is the largest until the next sample.
    peak = 0
    for value in samples:
        if value > peak:
            peak = value
        elif -value > peak and (wraps or value != -32768):
            peak = _wrap16(-value)
    if peak <= 0 and wraps:
        return 0
    return 15 - _bit_length(peak)


def _places(points):
    # Where the FFT wants its inputs: digits to base 4 in reverse, the last one to base 2 if it does not come out.
    found, size = [0], points
    while size > 1:
        base = min(4, size)
        size //= base
        found = [at + digit * size for digit in range(base) for at in found]
    return found


def _fft(re, im, factors):
    # In place, of numbers in their places: a fourth is lost at each step of four, a half at a step of two.
    points, size = len(re), 1
    if points & 0xAAAA:
        size = 2
        for values in (re, im):
            for i in range(0, points, 2):
                a, b = _rounded(values[i] * 16383), _rounded(values[i + 1] * 16383)
                values[i], values[i + 1] = _wrap16(a + b), _wrap16(a - b)
    while size < points:
        step = points // (4 * size)
        for k in range(size):
            at = 6 * k * step
            for a in range(k, points, 4 * size):
                b, c, d = a + size, a + 2 * size, a + 3 * size
                ar, ai = _rounded(re[a] * 8191), _rounded(im[a] * 8191)
                br, bi = _rounded(re[b] * 8191), _rounded(im[b] * 8191)
                cr, ci = _rounded(re[c] * 8191), _rounded(im[c] * 8191)
                dr, di = _rounded(re[d] * 8191), _rounded(im[d] * 8191)
                if k:
                    br, bi = _turned(br, bi, factors, at)
                    cr, ci = _turned(cr, ci, factors, at + 2)
                    dr, di = _turned(dr, di, factors, at + 4)
                re[a], im[a] = _wrap16(ar + cr + br + dr), _wrap16(ai + ci + bi + di)
                re[c], im[c] = _wrap16(ar + cr - br - dr), _wrap16(ai + ci - bi - di)
                re[b], im[b] = _wrap16(ar - cr + bi - di), _wrap16(ai - ci - br + dr)
                re[d], im[d] = _wrap16(ar - cr - bi + di), _wrap16(ai - ci + br - dr)
        size *= 4


def _turned(re, im, factors, at):
    fr, fi = factors[at], factors[at + 1]
    return _wrap16(_rounded(re * fr - im * fi)), _wrap16(_rounded(re * fi + im * fr))


def _energies(re, im, factors, at):
    # Of the bins of real samples, from the FFT of pairs of them as complex numbers.
    points = len(re)
    a, b = _rounded(re[0] * 16383), _rounded(im[0] * 16383)
    out = [0] * (points + 1)
    out[0], out[points] = _wrap16(a + b) ** 2, _wrap16(a - b) ** 2
    for k in range(1, points // 2 + 1):
        ar, ai = _rounded(re[k] * 16383), _rounded(im[k] * 16383)
        br, bi = _rounded(re[points - k] * 16383), _rounded(_wrap16(-im[points - k]) * 16383)
        tr, ti = _turned(_wrap16(ar - br), _wrap16(ai - bi), factors, at)
        at += 2
        out[k] = _wrap16(ar + br + tr >> 1) ** 2 + _wrap16(ai + bi + ti >> 1) ** 2
        out[points - k] = _wrap16(ar + br - tr >> 1) ** 2 + _wrap16(ti - ai - bi >> 1) ** 2
    return out


def _store_words(arena, at, values):
    for i, value in enumerate(values):
        _store(arena, at + 4 * i, (value & 255, value >> 8 & 255, value >> 16 & 255, value >> 24))


def _filter_bank(op, arena, weights, block, begin, end):
    channels, bins, columns = op[_FILTER_BANK_CHANNELS], op[_FILTER_BANK_BINS], op[_FILTER_BANK_COLUMNS]
    estimates_at, output = op[_FILTER_BANK_INPUT2], op[_OUTPUT]
    rows = _values("H", weights, block, 4 * (channels + 1))
    at = block + 2 * len(rows)
    pairs = _values("H", weights, at, 4 * columns)
    at += 2 * len(pairs)
    table = _values("H", weights, at, _LOG_BYTES)
    gains = _values("h", weights, at + _LOG_BYTES, 250) if op[_FLAGS] & _GAIN else None
    source = _values("I", arena, op[_INPUT], 4 * (bins + 1))
    estimates = _values("I", arena, estimates_at, 4 * channels)
    used, carry = 0, 0
    for i in range(channels + 1):
        start = rows[2 * i]
        width = min(rows[2 * i + 1] & 255, columns - used, max(bins - start, 0))
        total, following = carry, 0
        for k in range(width):
            energy = source[start + k]
            total += energy * (pairs[2 * (used + k)] & _WEIGHT_MASK)
            following += energy * (pairs[2 * (used + k) + 1] & _WEIGHT_MASK)
        used += width
        carry = following
        if i:
            signal = _root(total) >> (source[bins] & 31)
            value, estimates[i - 1] = _without_noise(op, i - 1 & 1, signal, estimates[i - 1])
            if gains:
                gain = _gain(gains, estimates[i - 1]) & 0xFFFF
                value = _shrunk((value * gain >> op[_FILTER_BANK_SNR_SHIFT]) & _MASK)
            value = _logarithm(table, value << op[_FILTER_BANK_CORRECTION_BITS] & _MASK, op[_FILTER_BANK_LOG_SCALE])
            if op[_TYPES] & 15 == 1:
                value = min(value, op[_FILTER_BANK_LIMIT]) * op[_FILTER_BANK_MULTIPLIER] + op[_FILTER_BANK_ADDEND]
                value = ((value & _MASK) >> op[_FILTER_BANK_SHIFT]) + op[_FILTER_BANK_OFFSET]
                arena[output + i - 1] = _clamp(value, -128, 127) & 255
            else:
                _store(arena, output + 2 * i - 2, (value & 255, value >> 8))
    _store_words(arena, estimates_at, estimates)


def _without_noise(op, odd, signal, estimate):
    # What is left of a channel, and the estimate of its noise.
    bits, larger = op[_FILTER_BANK_ESTIMATE_BITS], signal << op[_FILTER_BANK_SMOOTHING_BITS] & _MASK
    estimate = larger * op[_FILTER_BANK_SMOOTHING + odd] + estimate * op[_FILTER_BANK_ONE_MINUS + odd] >> bits
    estimate &= _MASK
    noise = min(estimate, larger)
    left = max(larger - noise >> op[_FILTER_BANK_SMOOTHING_BITS], signal * op[_FILTER_BANK_REMAINING] >> bits & _MASK)
    return left, noise if op[_FLAGS] & _CLAMPS else estimate


def _bit_length(x):
    bits = 0
    while x:
        x >>= 1
        bits += 1
    return bits


def _root(x):
    # Rounded; the largest one of 16 bits stays below 2^16.
    root, rest = 0, x
    bit = 1 << 62
    while bit > x:
        bit >>= 2
    while bit:
        root += bit
        if rest >= root:
            rest -= root
            root += bit
        else:
            root -= bit
        root >>= 1
        bit >>= 2
    return root + (rest > root and (root != 0xFFFF or x >> 32 > 0))


def _gain(table, x):
    # Of an estimate: values for 0, 1 and 2, and a parabola from each power of two to the next.
    if x <= 2:
        return table[x]
    k = _bit_length(x)
    at = 4 * k - 6
    fraction = (x << 11 - k if k < 11 else x >> k - 11) & 0x3FF
    slope = (table[at + 2] * fraction >> 5) + (table[at + 1] << 5)
    rise = (slope * fraction + 0x4000 + 0x80000000 & _MASK) - 0x80000000 >> 15
    return table[at] + rise


def _shrunk(snr):
    # x^2 / 4 below 2, x - 1 above: 12 bits of fraction become 6.
    return snr * snr >> 20 if snr < 8192 else (snr >> 6) - 64


def _logarithm(table, x, scale):
    # Of x times `scale`, to the base e; straight lines between the table's values.
    if x <= 1:
        return 0
    k = _bit_length(x) - 1
    fraction = (x << 16 - k if k < 16 else x >> k - 16) & 0xFFFF
    low, high = table[fraction >> 9], table[(fraction >> 9) + 1]
    base_2 = (k << 16) + fraction + low + ((high - low) * (fraction & 511) >> 16)
    base_e = _LOG_E * base_2 + 0x8000 >> 16
    return min((base_e * scale + 0x8000 & _MASK) >> 16, 0x7FFF)


# generated: kernels (host/midge_host/device/ops, `make generate`)
_KERNELS = {
    0x040648: (_SPECTRUM_LAYOUT, _check_spectrum, _spectrum, True, 0),  # SPECTRUM, int16
    0x010649: (_FILTER_BANK_LAYOUT, _check_filter_bank, _filter_bank, True, 0),  # FILTER_BANK, int8
    0x040649: (_FILTER_BANK_LAYOUT, _check_filter_bank, _filter_bank, True, 0),  # FILTER_BANK, int16
}
# generated: end

check, run = bank(_KERNELS)
