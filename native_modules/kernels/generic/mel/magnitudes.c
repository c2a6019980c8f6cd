// MAGNITUDES: samples under a window, their real FFT in 32 bits, the magnitude or the power of
// each bin. The spectrum is computed where these go.

#include "call.h"
#include "product.h"
#include "root.h"
#include "table.h"
#include "turn.h"

#define WORD_BYTES 4
#define VALUE_BITS (MIDGE_SAMPLE_BITS + MIDGE_GUARD_BITS) // of the largest when it has grown

// cos and -sin of k / (2 points) of a turn, k up to points: of a quarter of a wave.
static midge_complex_t factor(const uint8_t *quarter, uint32_t points, uint32_t k) {
    const uint32_t half = points / 2, from = k <= half ? k : points - k;
    const int32_t cosine = (int32_t)midge_word_at(quarter + WORD_BYTES * from);
    const uint32_t sine = midge_word_at(quarter + WORD_BYTES * (half - from));
    // A quarter later the cosine is less than 0.
    return (midge_complex_t){k <= half ? cosine : (int32_t)-(uint32_t)cosine, (int32_t)-sine};
}

static midge_complex_t turned(midge_complex_t x, midge_complex_t by) {
    const uint32_t re
        = (uint32_t)midge_high_mul(x.re, by.re) - (uint32_t)midge_high_mul(x.im, by.im);
    const uint32_t im
        = (uint32_t)midge_high_mul(x.re, by.im) + (uint32_t)midge_high_mul(x.im, by.re);
    return (midge_complex_t){(int32_t)re, (int32_t)im};
}

static inline int32_t plus(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline int32_t minus(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a - (uint32_t)b);
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

// Of which 32 bits are left, with `shift` less than 32.
static int32_t shifted(uint64_t x, uint32_t shift) {
    const uint32_t high = (uint32_t)(x >> 32);
    return (int32_t)(high << 1 << (31 - shift) | (uint32_t)x >> shift);
}

static int64_t windowed(const int16_t *x, const uint8_t *window, uint32_t i) {
    return midge_product(x[i], (int32_t)midge_word_at(window + WORD_BYTES * i));
}

// By how many bits samples times the window can grow.
static uint32_t windowed_room(const int16_t *x, const uint8_t *window, uint32_t size) {
    uint64_t magnitudes = 0;
    uint32_t bits = MIDGE_SPARE_BITS;
    for (uint32_t i = 0; i < size; i++) {
        const int64_t value = windowed(x, window, i);
        magnitudes |= (uint64_t)(value < 0 ? ~value : value);
    }
    for (; magnitudes >> VALUE_BITS && bits; magnitudes >>= 1) {
        bits--;
    }
    return bits;
}

// Pairs of samples, times the window, where the FFT wants them: their bits in reverse.
static void spread(const midge_magnitudes_t *op, const int16_t *x, const uint8_t *window,
    uint32_t grown, midge_complex_t *z) {
    const uint32_t shift = MIDGE_SPARE_BITS - grown, half = (1u << shift) / 2;
    uint32_t place = 0;
    for (uint32_t i = 0; i < op->points; i++) {
        midge_complex_t *to = z + place;
        *to = (midge_complex_t){0, 0};
        if (2 * i < op->size) {
            to->re = shifted((uint64_t)windowed(x, window, 2 * i) + half, shift);
            to->im = shifted((uint64_t)windowed(x, window, 2 * i + 1) + half, shift);
        }
        // The next place: one more, from the highest bit on.
        uint32_t bit = op->points / 2u;
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
        const midge_complex_t x = turned(*b, *by);
        *b = (midge_complex_t){plus(minus(a->re, x.re), 1) >> 1,
            plus(minus(a->im, x.im), 1) >> 1};
        *a = (midge_complex_t){plus(plus(a->re, x.re), 1) >> 1,
            plus(plus(a->im, x.im), 1) >> 1};
    }
}

#endif

// Scales values up as far as they have room, by `most` bits at most. Returns by how many.
static uint32_t grow(midge_complex_t *z, uint32_t points, uint32_t most) {
    const midge_complex_t *const end = z + points;
    uint32_t magnitudes = 0, bits = 0;
    for (const midge_complex_t *at = z; most && at < end; at++) {
        magnitudes |= (uint32_t)(at->re < 0 ? ~at->re : at->re);
        magnitudes |= (uint32_t)(at->im < 0 ? ~at->im : at->im);
    }
    for (; !(magnitudes >> (VALUE_BITS - 1)) && bits < most; magnitudes <<= 1) {
        bits++;
    }
    for (; bits && z < end; z++) {
        z->re = (int32_t)((uint32_t)z->re << bits);
        z->im = (int32_t)((uint32_t)z->im << bits);
    }
    return bits;
}

// Values were scaled up by `grown` bits, and are so again up to `most`. Returns by how many.
static uint32_t transform(midge_complex_t *z, uint32_t points, const uint8_t *quarter,
    uint32_t grown, uint32_t most) {
    for (uint32_t size = 1; size < points; size *= 2) {
        grown += grow(z, points, most - grown);
        for (uint32_t j = 0; j < size; j++) {
            const midge_complex_t by = factor(quarter, points, j * (points / size));
            midge_turn(z + j, z + points, size, &by);
        }
    }
    return grown + grow(z, points, most - grown);
}

static uint64_t square(int32_t x) {
    return (uint64_t)midge_product(x, x);
}

// Of bin k of real samples, from the FFT of pairs of them as complex numbers: a magnitude, or a
// power in two words.
static midge_complex_t measured(midge_complex_t x, midge_complex_t mirrored, midge_complex_t by,
    int is_power) {
    const midge_complex_t odd
        = turned((midge_complex_t){plus(x.im, mirrored.im), minus(mirrored.re, x.re)}, by);
    const int32_t re = plus(plus(x.re, mirrored.re), odd.re) >> 1;
    const int32_t im = plus(minus(x.im, mirrored.im), odd.im) >> 1;
    const uint64_t power = square(re) + square(im);
    if (is_power) {
        const uint64_t kept = power >> MIDGE_POWER_BITS;
        return (midge_complex_t){(int32_t)(uint32_t)kept, (int32_t)(uint32_t)(kept >> 32)};
    }
    uint32_t rest;
    return (midge_complex_t){(int32_t)midge_root(power, &rest), 0};
}

void midge_magnitudes(const midge_call_t *call) {
    const midge_magnitudes_t *op = call->op;
    const uint32_t points = op->points, bins = op->bins, is_power = op->is_power;
    const uint8_t *quarter = call->weights;
    const uint8_t *window = quarter + WORD_BYTES * (points / 2u + 1);
    const int16_t *x = (const int16_t *)(const void *)(call->arena + op->input);
    uint32_t *out = (uint32_t *)(void *)(call->arena + op->output);
    midge_complex_t *z = (midge_complex_t *)(void *)out;
    uint32_t grown = is_power ? windowed_room(x, window, op->size) : room(x, op->size);
    spread(op, x, window, grown, z);
    grown = transform(z, points, quarter, grown, is_power ? MIDGE_MOST_GROWN : grown);
    // Bins k and points - k need the same two numbers, and leave there what they are.
    midge_complex_t last = {0, 0};
    for (uint32_t k = 0; k <= points / 2; k++) {
        const uint32_t m = points - k;
        const midge_complex_t a = z[k], b = z[k ? m : 0];
        if (k < bins) {
            z[k] = measured(a, b, factor(quarter, points, k), is_power);
        }
        if (m < bins) {
            *(k ? z + m : &last) = measured(b, a, factor(quarter, points, m), is_power);
        }
    }
    if (is_power && bins > points) {
        z[points] = last;
    }
    uint32_t i = is_power ? 2 * bins : 0;
    for (; i < bins && i < points; i++) {
        out[i] = out[2 * i];
    }
    if (i < bins) {
        out[i++] = (uint32_t)last.re;
    }
    out[i++] = grown;
    for (; i < 2 * points + 3 * is_power; i++) {
        out[i] = 0;
    }
}
