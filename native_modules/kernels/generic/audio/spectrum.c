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
    return rounded((uint32_t)(re * RE(factor)) - (uint32_t)(im * IM(factor)));
}

static inline int32_t turned_im(int32_t re, int32_t im, uint32_t factor) {
    return rounded((uint32_t)(re * IM(factor)) + (uint32_t)(im * RE(factor)));
}

static inline int16_t weighted(int32_t value, int32_t weight, uint32_t shift) {
    return (int16_t)(value * weight >> shift);
}

// By how many bits numbers can grow, the largest of which has this magnitude. With the flag
// PEAK_WRAPS those of none do not.
static uint32_t room(const midge_spectrum_t *op, int32_t largest) {
    if (largest <= 0 && op->flags & MIDGE_PEAK_WRAPS) {
        return 0;
    }
    uint32_t bits = 15;
    for (; largest > 0; largest >>= 1) {
        bits--;
    }
    return bits;
}

// The same of samples of which one is -32768. With the flag PEAK_WRAPS that is the largest until
// the next one, without it does not count.
static uint32_t room_beside_lowest(const midge_spectrum_t *op, const int16_t *x,
    const uint8_t *window) {
    const uint32_t half = op->flags & MIDGE_SYMMETRIC ? op->size / 2u : op->size;
    int32_t largest = 0;
    for (uint32_t i = 0; i < op->size; i++) {
        const uint32_t at = 2 * (i < half ? i : op->size - 1 - i);
        const int16_t value = weighted(x[i], midge_int16_at(window + at), op->window_shift);
        if (value > largest) {
            largest = value;
        } else if (-value > largest && (value != INT16_MIN || op->flags & MIDGE_PEAK_WRAPS)) {
            largest = (int16_t)-value;
        }
    }
    return room(op, largest);
}

// Puts pairs of samples, times the window, where the FFT wants them: its digits to base 4 in
// reverse. Returns by how many bits they can grow.
static uint32_t spread(const midge_spectrum_t *op, const int16_t *x, const uint8_t *window,
    uint32_t *z) {
    const uint32_t pairs = op->size / 2u, shift = op->window_shift, highest = op->points / 4u;
    const uint32_t half = op->flags & MIDGE_SYMMETRIC ? pairs / 2 : pairs;
    const uint8_t *next = window;
    uint32_t place = 0, magnitudes = 0;
    for (uint32_t i = 0; i < op->points;) {
        // The highest digit of the place is the lowest one of i.
        for (uint32_t *to = z + place; to < z + op->points; to += highest, i++) {
            uint32_t word = 0;
            if (i < pairs) {
                // Of the window, the second half is the first one's mirror image.
                uint32_t pair;
                if (i < half) {
                    pair = midge_word_at(next);
                    next += WORD_BYTES;
                } else {
                    next -= WORD_BYTES;
                    pair = midge_word_at(next);
                    pair = pair >> 16 | pair << 16;
                }
                const int32_t first = weighted(x[0], RE(pair), shift);
                const int32_t second = weighted(x[1], IM(pair), shift);
                magnitudes |= (uint32_t)(first < 0 ? -first : first);
                magnitudes |= (uint32_t)(second < 0 ? -second : second);
                word = complex_of(first, second);
                x += 2;
            }
            *to = word;
        }
        // The next place: one more in the next digit, with what that carries.
        uint32_t digit = highest / 4;
        while (digit > 1 && (place & 3 * digit) == 3 * digit) {
            place -= 3 * digit;
            digit = digit > 2 ? digit / 4 : 1;
        }
        place += digit;
    }
    if (magnitudes >> 15) {
        return room_beside_lowest(op, x - op->size, window);
    }
    return room(op, (int32_t)magnitudes);
}

static void grow(uint32_t *z, uint32_t points, uint32_t bits) {
    for (uint32_t *end = z + points; z < end; z++) {
        *z = (*z << bits & 0xffff) | (*z >> 16 << bits) << 16;
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
    uint32_t *const second = z + size, *const third = second + size, *const fourth = third + size;
    int32_t br = times(RE(*second), 8191), bi = times(IM(*second), 8191);
    int32_t dr = times(RE(*fourth), 8191), di = times(IM(*fourth), 8191);
    if (factors) {
        const int32_t b = br, d = dr;
        br = turned_re(b, bi, factors[0]);
        bi = turned_im(b, bi, factors[0]);
        dr = turned_re(d, di, factors[2]);
        di = turned_im(d, di, factors[2]);
    }
    const int32_t sum_re = br + dr, sum_im = bi + di, turn_re = bi - di, turn_im = br - dr;
    int32_t cr = times(RE(*third), 8191), ci = times(IM(*third), 8191);
    if (factors) {
        const int32_t c = cr;
        cr = turned_re(c, ci, factors[1]);
        ci = turned_im(c, ci, factors[1]);
    }
    const int32_t ar = times(RE(*z), 8191), ai = times(IM(*z), 8191);
    *z = complex_of(ar + cr + sum_re, ai + ci + sum_im);
    *third = complex_of(ar + cr - sum_re, ai + ci - sum_im);
    *second = complex_of(ar - cr + turn_re, ai - ci - turn_im);
    *fourth = complex_of(ar - cr - turn_re, ai - ci + turn_im);
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
        const int32_t tr = (int16_t)turned_re(re, im, factor);
        const int32_t ti = (int16_t)turned_im(re, im, factor);
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
