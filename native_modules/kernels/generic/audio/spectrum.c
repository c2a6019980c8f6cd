// SPECTRUM: samples under a window, scaled up to 16 bits, their real FFT in 16 bits, the energy of
// each bin.
//
// Complex numbers are words, the real part in the lower half, so that a load brings both. The
// spectrum is computed where its energies go.

#include "call.h"
#include "table.h"

#define RE(word) ((int32_t)(int16_t)(word))
#define IM(word) ((int32_t)(word) >> 16)
#define WORD_BYTES 4
#define FACTORS_BYTES (3 * WORD_BYTES) // of a butterfly

static inline uint32_t complex_of(int32_t re, int32_t im) {
    return ((uint32_t)re & 0xffff) | (uint32_t)im << 16;
}

// The rest of a sum of products with a factor of 15 bits, halves upwards.
static inline int32_t rounded(uint32_t sum) {
    return (int32_t)(sum + 0x4000) >> 15;
}

static inline int32_t times(int32_t value, int32_t factor) {
    return rounded((uint32_t)(value * factor));
}

// re, im times a complex factor.
static inline int32_t turned_re(int32_t re, int32_t im, uint32_t factor) {
    return (int16_t)rounded((uint32_t)(re * RE(factor)) - (uint32_t)(im * IM(factor)));
}

static inline int32_t turned_im(int32_t re, int32_t im, uint32_t factor) {
    return (int16_t)rounded((uint32_t)(re * IM(factor)) + (uint32_t)(im * RE(factor)));
}

// The word `index` of a window: two values, of which a symmetric one has the first half only.
static inline uint32_t window_at(const midge_spectrum_t *op, const uint8_t *window,
    uint32_t index) {
    const uint32_t words = op->size / 2u;
    if (!(op->flags & MIDGE_SYMMETRIC) || index < words / 2) {
        return midge_word_at(window + index * WORD_BYTES);
    }
    const uint32_t word = midge_word_at(window + (words - 1 - index) * WORD_BYTES);
    return word >> 16 | word << 16;
}

// The magnitude of the largest sample; with the flag PEAK_WRAPS -32768 is the largest until the
// next one, without it does not count.
static int32_t peak(const midge_spectrum_t *op, const int16_t *x, const uint8_t *window) {
    int32_t largest = 0;
    for (uint32_t i = 0; i < op->size; i++) {
        const uint32_t pair = window_at(op, window, i / 2);
        const int16_t value = (int16_t)(x[i] * (i & 1 ? IM(pair) : RE(pair)) >> op->window_shift);
        if (value > largest) {
            largest = value;
        } else if (-value > largest && (value != INT16_MIN || op->flags & MIDGE_PEAK_WRAPS)) {
            largest = (int16_t)-value;
        }
    }
    return largest;
}

// Puts pairs of samples, times the window, where the FFT wants them: its digits to base 4 in
// reverse. Returns by how many bits they can grow.
static uint32_t spread(const midge_spectrum_t *op, const int16_t *x, const uint8_t *window,
    uint32_t *z) {
    const uint32_t pairs = op->size / 2u, shift = op->window_shift;
    int32_t low = 0, high = 0;
    uint32_t place = 0;
    for (uint32_t i = 0; i < op->points; i++) {
        uint32_t word = 0;
        if (i < pairs) {
            const uint32_t pair = window_at(op, window, i);
            const int32_t first = (int16_t)(x[0] * RE(pair) >> shift);
            const int32_t second = (int16_t)(x[1] * IM(pair) >> shift);
            low = first < low ? first : low;
            high = first > high ? first : high;
            low = second < low ? second : low;
            high = second > high ? second : high;
            word = complex_of(first, second);
            x += 2;
        }
        z[place] = word;
        // The next place: one more in the highest digit, with what that carries.
        uint32_t digit = op->points / 4u;
        while ((place & 3 * digit) == 3 * digit && digit > 1) {
            place -= 3 * digit;
            digit = digit > 2 ? digit / 4 : 1;
        }
        place += digit;
    }
    int32_t largest = high > -low ? high : -low;
    if (low == INT16_MIN) {
        largest = peak(op, x - op->size, window);
    }
    uint32_t bits = 15;
    for (uint32_t rest = (uint32_t)largest; rest && bits; rest >>= 1) {
        bits--;
    }
    return bits;
}

static void grow(uint32_t *z, uint32_t points, uint32_t bits) {
    for (uint32_t i = 0; i < points; i++) {
        z[i] = complex_of((int32_t)((uint32_t)RE(z[i]) << bits),
            (int32_t)((uint32_t)IM(z[i]) << bits));
    }
}

// Steps of two: each number loses a half.
static void halve(uint32_t *z, uint32_t points) {
    for (uint32_t i = 0; i < points; i += 2) {
        const int32_t ar = times(RE(z[i]), 16383), ai = times(IM(z[i]), 16383);
        const int32_t br = times(RE(z[i + 1]), 16383), bi = times(IM(z[i + 1]), 16383);
        z[i] = complex_of(ar + br, ai + bi);
        z[i + 1] = complex_of(ar - br, ai - bi);
    }
}

// A step of four of numbers that are `size` apart: each loses a fourth. `factors`: by which the
// later three are turned, or NULL for none.
static inline void butterfly(uint32_t *z, uint32_t size, const uint32_t *factors) {
    const uint32_t a = z[0], b = z[size], c = z[2 * size], d = z[3 * size];
    int32_t br = times(RE(b), 8191), bi = times(IM(b), 8191);
    int32_t dr = times(RE(d), 8191), di = times(IM(d), 8191);
    int32_t cr = times(RE(c), 8191), ci = times(IM(c), 8191);
    if (factors) {
        const int32_t b0 = br, c0 = cr, d0 = dr;
        br = turned_re(b0, bi, factors[0]);
        bi = turned_im(b0, bi, factors[0]);
        cr = turned_re(c0, ci, factors[1]);
        ci = turned_im(c0, ci, factors[1]);
        dr = turned_re(d0, di, factors[2]);
        di = turned_im(d0, di, factors[2]);
    }
    const int32_t ar = times(RE(a), 8191), ai = times(IM(a), 8191);
    z[0] = complex_of(ar + cr + br + dr, ai + ci + bi + di);
    z[2 * size] = complex_of(ar + cr - br - dr, ai + ci - bi - di);
    z[size] = complex_of(ar - cr + bi - di, ai - ci - br + dr);
    z[3 * size] = complex_of(ar - cr - bi + di, ai - ci + br - dr);
}

// All butterflies of numbers that are `size` apart.
static void quarter(uint32_t *z, uint32_t points, uint32_t size, const uint8_t *factors) {
    for (uint32_t i = 0; i < points; i += 4 * size) {
        butterfly(z + i, size, 0);
    }
    const uint32_t step = points / (4 * size) * FACTORS_BYTES;
    for (uint32_t k = 1; k < size; k++) {
        const uint8_t *from = factors + k * step;
        const uint32_t turns[] = {midge_word_at(from), midge_word_at(from + WORD_BYTES),
            midge_word_at(from + 2 * WORD_BYTES)};
        for (uint32_t i = k; i < points; i += 4 * size) {
            butterfly(z + i, size, turns);
        }
    }
}

static inline uint32_t energy(int32_t re, int32_t im) {
    return (uint32_t)((int16_t)re * (int16_t)re) + (uint32_t)((int16_t)im * (int16_t)im);
}

// From the FFT of pairs of samples as complex numbers to the energies of the samples' spectrum, in
// place: a bin and its mirror image come of the same two numbers.
static void energies(uint32_t *z, uint32_t points, const uint8_t *factors) {
    const int32_t even = times(RE(z[0]), 16383), odd = times(IM(z[0]), 16383);
    z[0] = energy(even + odd, 0);
    z[points] = energy(even - odd, 0);
    for (uint32_t k = 1; k <= points / 2; k++, factors += WORD_BYTES) {
        const uint32_t a = z[k], b = z[points - k], factor = midge_word_at(factors);
        const int32_t ar = times(RE(a), 16383), ai = times(IM(a), 16383);
        const int32_t br = times(RE(b), 16383), bi = times((int16_t)-IM(b), 16383);
        const int32_t re = (int16_t)(ar - br), im = (int16_t)(ai - bi);
        const int32_t tr = turned_re(re, im, factor), ti = turned_im(re, im, factor);
        z[k] = energy((ar + br + tr) >> 1, (ai + bi + ti) >> 1);
        z[points - k] = energy((ar + br - tr) >> 1, (ti - ai - bi) >> 1);
    }
}

void midge_spectrum(const midge_call_t *call) {
    const midge_spectrum_t *op = call->op;
    const uint32_t points = op->points;
    const uint8_t *last = call->weights + points / 4 * FACTORS_BYTES;
    const uint8_t *window = last + points / 2 * WORD_BYTES;
    const int16_t *x = (const int16_t *)(const void *)(call->arena + op->input);
    uint32_t *z = (uint32_t *)(void *)(call->arena + op->output);
    const uint32_t bits = spread(op, x, window, z);
    grow(z, points, bits);
    uint32_t size = 1;
    if (points & 0xaaaaaaaa) { // an odd power of two
        halve(z, points);
        size = 2;
    }
    for (; size < points; size *= 4) {
        quarter(z, points, size, call->weights);
    }
    energies(z, points, last);
    z[points + 1] = bits;
}
