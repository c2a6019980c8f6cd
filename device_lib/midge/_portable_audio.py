# Like _portable.py, the audio bank: features of sound.

from ._portable import _clamp, _store, _values, bank
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
_PEAK_WRAPS = const(1)
_CLAMPS = const(1)
_GAIN = const(2)
_LOG_BYTES = const(258)
_GAIN_BYTES = const(130)
_ESTIMATE_BITS = const(14)
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
_FILTER_BANK_SMOOTHING_BITS = const(5)
_FILTER_BANK_SNR_SHIFT = const(6)
_FILTER_BANK_CORRECTION_BITS = const(7)
_FILTER_BANK_SHIFT = const(8)
_FILTER_BANK_OFFSET = const(9)
_FILTER_BANK_FIRST = const(10)
_FILTER_BANK_CHANNELS = const(11)
_FILTER_BANK_BINS = const(12)
_FILTER_BANK_COLUMNS = const(13)
_FILTER_BANK_UNIT = const(14)
_FILTER_BANK_SMOOTHING = const(15)
_FILTER_BANK_REMAINING = const(17)
_FILTER_BANK_LOG_SCALE = const(18)
_FILTER_BANK_LIMIT = const(19)
_FILTER_BANK_MULTIPLIER = const(20)
_FILTER_BANK_ADDEND = const(21)
_FILTER_BANK_INPUT2 = const(22)
_SPECTRUM_LAYOUT = "<BBBBHHHB33xIIIIIII"
_FILTER_BANK_LAYOUT = "<BBBBHBBBBbBHHHH2HHHH2xIIIIIIIIII"
# generated: end

_OK = const(0)
_MASK = const(0xFFFFFFFF)
_SUM_MASK = const((1 << 60) - 1)


# generated: checks (host/midge_host/device/ops, `make generate`)
# fmt: off
def _check_spectrum(op, arena_bytes):
    if (
        op[_FLAGS] > 1
        or op[_SPECTRUM_WINDOW_SHIFT] > 15
        or op[_SPECTRUM_POINTS] not in (64, 128, 256, 512, 1024, 2048)
        or not op[_SPECTRUM_SIZE]
        or op[_SPECTRUM_SIZE] % 8
        or op[_SPECTRUM_SIZE] > op[_SPECTRUM_POINTS] * 2
        or (op[_INPUT] | op[_OUTPUT]) % 4
        or op[_BLOCKS] != 1
    ):
        return _BAD_PARAMETER
    if op[_BLOCK_BYTES] < 2 * (op[_SPECTRUM_POINTS] + 1) + ((op[_SPECTRUM_SIZE] + 1) // 2):
        return _BAD_WEIGHTS
    if op[_INPUT] + op[_SPECTRUM_SIZE] * 2 > arena_bytes or op[_OUTPUT] + (op[_SPECTRUM_POINTS] + 2) * 4 > arena_bytes:
        return _BAD_TENSOR
    return _OK


def _check_filter_bank(op, arena_bytes):
    if (
        op[_FLAGS] > 3
        or op[_FILTER_BANK_SMOOTHING_BITS] > 16
        or op[_FILTER_BANK_REMAINING] > 16384
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
        if op[_FILTER_BANK_SMOOTHING + i] > 16384:
            return _BAD_PARAMETER
    if (
        op[_BLOCK_BYTES] < (2 * op[_FILTER_BANK_COLUMNS] + op[_FILTER_BANK_CHANNELS] + 259) + (130 if op[_FLAGS] & 2 else 0)
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
    wave = _values("h", weights, block, 2 * (points + 1))
    window = _values("b", weights, block + 2 * len(wave), size // 2)
    x = _values("h", arena, op[_INPUT], 2 * size)
    shift, weight, slope = op[_SPECTRUM_WINDOW_SHIFT], 0, 0
    for i in range(size):
        slope += window[i // 2] >> 4 if i & 1 else (window[i // 2] + 8 & 15) - 8
        weight += slope
        x[i] = _wrap16((x[i] * weight + 0x80000000 & _MASK) - 0x80000000 >> shift)
    bits = _room(x, op[_FLAGS] & _PEAK_WRAPS)
    re, im = [0] * points, [0] * points
    for i, place in enumerate(_places(points)):
        if 2 * i < size:
            re[place], im[place] = _wrap16(x[2 * i] << bits), _wrap16(x[2 * i + 1] << bits)
    _fft(re, im, wave)
    out = _energies(re, im, wave)
    out.append(bits)
    store_words(arena, op[_OUTPUT], out)


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
    return 15 - bit_length(peak)


def _places(points):
    # Where the FFT wants its inputs: digits to base 4 in reverse, the last one to base 2 if it does not come out.
    found, size = [0], points
    while size > 1:
        base = min(4, size)
        size //= base
        found = [at + digit * size for digit in range(base) for at in found]
    return found


def _fft(re, im, wave):
    # In place, of numbers in their places: a fourth is lost at each step of four, a half at a step of two.
    points, size = len(re), 1
    if points & 0xAAAA:
        size = 2
        for values in (re, im):
            for i in range(0, points, 2):
                a, b = _rounded(values[i] * 16383), _rounded(values[i + 1] * 16383)
                values[i], values[i + 1] = _wrap16(a + b), _wrap16(a - b)
    while size < points:
        for k in range(size):
            angle = k * points // (2 * size)
            b_turn, c_turn, d_turn = _turn(wave, angle), _turn(wave, 2 * angle), _turn(wave, 3 * angle)
            for a in range(k, points, 4 * size):
                b, c, d = a + size, a + 2 * size, a + 3 * size
                ar, ai = _rounded(re[a] * 8191), _rounded(im[a] * 8191)
                br, bi = _rounded(re[b] * 8191), _rounded(im[b] * 8191)
                cr, ci = _rounded(re[c] * 8191), _rounded(im[c] * 8191)
                dr, di = _rounded(re[d] * 8191), _rounded(im[d] * 8191)
                if k:
                    br, bi = _turned(br, bi, b_turn)
                    cr, ci = _turned(cr, ci, c_turn)
                    dr, di = _turned(dr, di, d_turn)
                re[a], im[a] = _wrap16(ar + cr + br + dr), _wrap16(ai + ci + bi + di)
                re[c], im[c] = _wrap16(ar + cr - br - dr), _wrap16(ai + ci - bi - di)
                re[b], im[b] = _wrap16(ar - cr + bi - di), _wrap16(ai - ci - br + dr)
                re[d], im[d] = _wrap16(ar - cr - bi + di), _wrap16(ai - ci + br - dr)
        size *= 4


def _turn(wave, angle):
    # e^-ia; the wave is half a turn of cosines.
    half = len(wave) - 1
    return wave[half - abs(angle - half)], wave[half - abs(angle - half // 2)]


def _turned(re, im, turn):
    return _wrap16(_rounded(re * turn[0] - im * turn[1])), _wrap16(_rounded(re * turn[1] + im * turn[0]))


def _energies(re, im, wave):
    # Of the bins of real samples, from the FFT of pairs of them as complex numbers.
    points = len(re)
    a, b = _rounded(re[0] * 16383), _rounded(im[0] * 16383)
    out = [0] * (points + 1)
    out[0], out[points] = _wrap16(a + b) ** 2, _wrap16(a - b) ** 2
    for k in range(1, points // 2 + 1):
        ar, ai = _rounded(re[k] * 16383), _rounded(im[k] * 16383)
        br, bi = _rounded(re[points - k] * 16383), _rounded(_wrap16(-im[points - k]) * 16383)
        tr, ti = _turned(_wrap16(ar - br), _wrap16(ai - bi), _turn(wave, points // 2 + k))
        out[k] = _wrap16(ar + br + tr >> 1) ** 2 + _wrap16(ai + bi + ti >> 1) ** 2
        out[points - k] = _wrap16(ar + br - tr >> 1) ** 2 + _wrap16(ti - ai - bi >> 1) ** 2
    return out


def _filter_bank(op, arena, weights, block, begin, end):
    channels, bins, columns = op[_FILTER_BANK_CHANNELS], op[_FILTER_BANK_BINS], op[_FILTER_BANK_COLUMNS]
    estimates_at, output, start = op[_FILTER_BANK_INPUT2], op[_OUTPUT], op[_FILTER_BANK_FIRST]
    columns_at, at = block, block + 2 * columns
    table = _values("H", weights, at, _LOG_BYTES)
    at += _LOG_BYTES
    gains = None
    if op[_FLAGS] & _GAIN:
        gains = _values("h", weights, at, _GAIN_BYTES)
        at += _GAIN_BYTES
    factors = _values("H", weights, columns_at, 2 * columns)
    source = _values("I", arena, op[_INPUT], 4 * (bins + 1))
    estimates = _values("I", arena, estimates_at, 4 * channels)
    left, used, carry = min(columns, max(bins - start, 0)), 0, 0
    for i in range(channels + 1):
        part, whole = 0, 0
        width = min(weights[at + i] & 255, left - used)
        for k in range(used, used + width):
            part += source[start + k] * factors[k]
            whole += source[start + k]
        used += width
        total = carry + part & _SUM_MASK
        carry = whole * op[_FILTER_BANK_UNIT] - part
        if i:
            signal = _rounded_root(total) >> (source[bins] & 31)
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
    store_words(arena, estimates_at, estimates)


def _without_noise(op, odd, signal, estimate):
    # What is left of a channel, and the estimate of its noise.
    bits, taken = op[_FILTER_BANK_SMOOTHING_BITS], op[_FILTER_BANK_SMOOTHING + odd]
    larger = signal << bits & _MASK
    estimate = larger * taken + estimate * ((1 << _ESTIMATE_BITS) - taken) >> _ESTIMATE_BITS & _MASK
    noise = min(estimate, larger)
    left = max(larger - noise >> bits, signal * op[_FILTER_BANK_REMAINING] >> _ESTIMATE_BITS & _MASK)
    return left, noise if op[_FLAGS] & _CLAMPS else estimate


def _rounded_root(x):
    # The largest one of 16 bits stays below 2^16.
    found = root(x)
    return found + (x - found * found > found and (found != 0xFFFF or x >> 32 > 0))


def _gain(table, x):
    # Of an estimate: values for 0 and 1, and a parabola from each power of two to the next.
    if x < 2:
        return table[x]
    k = bit_length(x)
    first, linear, end = table[2 * k - 2], table[2 * k - 1], table[2 * k]
    fraction = (x << 11 - k if k < 11 else x >> k - 11) & 0x3FF
    slope = ((end - first - linear) * fraction >> 5) + (linear << 5)
    rise = (slope * fraction + 0x4000 + 0x80000000 & _MASK) - 0x80000000 >> 15
    return first + rise


def _shrunk(snr):
    # x^2 / 4 below 2, x - 1 above: 12 bits of fraction become 6.
    return snr * snr >> 20 if snr < 8192 else (snr >> 6) - 64


def _logarithm(table, x, scale):
    # Of x times `scale`, to the base e; straight lines between the table's values.
    if x <= 1:
        return 0
    k = bit_length(x) - 1
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
