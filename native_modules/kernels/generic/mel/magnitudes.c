// MAGNITUDES: samples under a window, their real FFT, and of each bin the magnitude, of 32 bits,
// or the power, of numbers of 48. The spectrum is computed where these go.

#include "call.h"
#include "product.h"
#include "root.h"
#include "table.h"
#include "turn.h"

#define WORD_BYTES 4

// cos and -sin of k / (2 points) of a turn, k up to points: of a quarter of a wave.
static midge_complex_t factor(const uint8_t *quarter, uint32_t points, uint32_t k) {
    const uint32_t half = points / 2, from = k <= half ? k : points - k;
    const uint32_t cosine = midge_word_at(quarter + WORD_BYTES * from);
    const uint32_t sine = midge_word_at(quarter + WORD_BYTES * (half - from));
    // A quarter later the cosine is less than 0.
    return (midge_complex_t){k <= half ? cosine : -cosine, -sine};
}

static midge_complex_t turned(uint32_t x, uint32_t y, const midge_complex_t *by) {
    const int32_t re = (int32_t)x, im = (int32_t)y;
    const int32_t cosine = (int32_t)by->re, sine = (int32_t)by->im;
    return (midge_complex_t){
        (uint32_t)midge_high_mul(re, cosine) - (uint32_t)midge_high_mul(im, sine),
        (uint32_t)midge_high_mul(re, sine) + (uint32_t)midge_high_mul(im, cosine)};
}

// By how many bits the samples can grow.
static uint32_t room(const int16_t *x, uint32_t size) {
    uint32_t magnitudes = 1, bits = MIDGE_SAMPLE_BITS;
    for (uint32_t i = 0; i < size; i++) {
        magnitudes |= (uint32_t)(x[i] < 0 ? -x[i] : x[i]);
    }
    for (; magnitudes && bits; magnitudes >>= 1) {
        bits--;
    }
    return bits;
}

static uint32_t half(uint32_t x) {
    return (uint32_t)((int32_t)(x + 1) >> 1);
}

// Half of x >> shift, of which 32 bits are left, with `shift` less than 32.
static uint32_t half_shifted(int64_t x, uint32_t shift) {
    return half((uint32_t)(x >> 32) << 1 << (31 - shift) | (uint32_t)x >> shift);
}

static int64_t windowed(const int16_t *x, const uint8_t *window, uint32_t i) {
    return midge_product(x[i], (int32_t)midge_word_at(window + WORD_BYTES * i));
}

// Pairs of samples, times the window, where the FFT wants them: their bits in reverse. Of 48 bits
// if is_power; else scaled up by `grown` bits.
static void spread(const midge_magnitudes_t *op, const int16_t *x, const uint8_t *window,
    uint32_t grown, uint32_t *out) {
    const uint32_t points = op->points, size = op->size, shift = MIDGE_SPARE_BITS - 1 - grown;
    uint32_t place = 0;
    for (uint32_t i = 0; i < 2 * points; i += 2) {
        int64_t re = 0, im = 0;
        if (i < size) {
            re = windowed(x, window, i);
            im = windowed(x, window, i + 1);
        }
        if (op->is_power) {
            midge_wide_t *const z = (midge_wide_t *)(void *)out + place;
            midge_put_wide(z, 0, re >> MIDGE_HEAD_BITS);
            midge_put_wide(z, 1, im >> MIDGE_HEAD_BITS);
        } else {
            out[2 * place] = half_shifted(re, shift);
            out[2 * place + 1] = half_shifted(im, shift);
        }
        // The next place: one more, from the highest bit on.
        uint32_t bit = points / 2;
        for (; place & bit; bit /= 2) {
            place ^= bit;
        }
        place |= bit;
    }
}

#ifndef MIDGE_TUNED_TURN

void midge_turn(midge_complex_t *a, const midge_complex_t *end, uint32_t size,
    const midge_complex_t *by) {
    for (; a < end; a += 2 * size) {
        midge_complex_t *const b = a + size;
        const midge_complex_t x = turned(b->re, b->im, by);
        *b = (midge_complex_t){half(a->re - x.re), half(a->im - x.im)};
        *a = (midge_complex_t){half(a->re + x.re), half(a->im + x.im)};
    }
}

#endif

static void transform(uint32_t *out, uint32_t points, const uint8_t *quarter,
    uint32_t is_power) {
    midge_complex_t *z = (midge_complex_t *)(void *)out;
    midge_wide_t *wide = (midge_wide_t *)(void *)out;
    for (uint32_t size = 1; size < points; size *= 2) {
        for (uint32_t j = 0; j < size; j++) {
            const midge_complex_t by = factor(quarter, points, j * (points / size));
            if (is_power) {
                midge_turn_wide(wide + j, wide + points, size, &by);
            } else {
                midge_turn(z + j, z + points, size, &by);
            }
        }
    }
}

// The magnitude of bin k of real samples, from the FFT of pairs of them as complex numbers.
static uint32_t measured(const midge_complex_t *x, const midge_complex_t *mirrored,
    const midge_complex_t *by) {
    const midge_complex_t odd = turned(x->im + mirrored->im, mirrored->re - x->re, by);
    const int32_t re = (int32_t)(x->re + mirrored->re + odd.re) >> 1;
    const int32_t im = (int32_t)(x->im - mirrored->im + odd.im) >> 1;
    uint32_t rest;
    return midge_root((uint64_t)midge_product(re, re) + (uint64_t)midge_product(im, im), &rest);
}

// Of the first bins, in the place of the FFT.
static void measure(uint32_t *out, uint32_t points, uint32_t bins, const uint8_t *quarter,
    uint32_t is_power) {
    const uint32_t words = 2 + is_power;
    uint32_t last[2] = {0, 0};
    // Bins k and points - k need the same two numbers, and leave there what they are.
    for (uint32_t k = 0; k <= points / 2; k++) {
        const uint32_t m = points - k;
        uint32_t *const x = out + words * k, *const y = k ? out + words * m : x;
        uint32_t *const to = k ? y : last;
        midge_complex_t by = factor(quarter, points, k);
        if (is_power) {
            midge_powers((midge_wide_t *)(void *)x, (midge_wide_t *)(void *)y, &by, x, to);
        } else {
            const midge_complex_t a = {x[0], x[1]}, b = {y[0], y[1]};
            *x = measured(&a, &b, &by);
            if (m < bins && m != k) {
                by.re = -by.re;
                *to = measured(&b, &a, &by);
            }
        }
    }
    for (uint32_t i = 0; i < bins; i++) {
        const uint32_t *from = i < points ? out + words * i : last;
        const uint32_t low = from[0];
        if (is_power) {
            out[2 * i + 1] = from[1];
        }
        out[i << is_power] = low;
    }
}

void midge_magnitudes(const midge_call_t *call) {
    const midge_magnitudes_t *op = call->op;
    const uint32_t points = op->points, bins = op->bins, is_power = op->is_power;
    const uint8_t *quarter = call->weights;
    const uint8_t *window = quarter + WORD_BYTES * (points / 2u + 1);
    const int16_t *x = (const int16_t *)(const void *)(call->arena + op->input);
    uint32_t *out = (uint32_t *)(void *)(call->arena + op->output);
    midge_wide_t *wide = (midge_wide_t *)(void *)out;
    uint32_t grown = is_power ? 0 : room(x, op->size);
    spread(op, x, window, grown, out);
    if (is_power) {
        grown = midge_grow(wide, points);
    }
    transform(out, points, quarter, is_power);
    if (is_power) {
        grown += midge_grow(wide, points);
    }
    measure(out, points, bins, quarter, is_power);
    uint32_t i = bins << is_power;
    for (out[i++] = grown; i < (2 + is_power) * points; i++) {
        out[i] = 0;
    }
}
