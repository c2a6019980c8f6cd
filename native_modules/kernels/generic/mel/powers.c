// Powers of bins: numbers of 48 bits, since in 32 little is left of what is far below the loudest
// bin.

#include "mel/turn.h"
#include "call.h"
#include "product.h"

#define LOW_HALF (1 << (MIDGE_LOW_BITS - 1))
#define MOST_GROWN MIDGE_LOW_BITS

#ifndef MIDGE_TUNED_TURN

// To `a` half of it and of a product, to `b` the difference.
static void put_halves(midge_wide_t *a, midge_wide_t *b, uint32_t part, uint64_t product,
    int64_t lower) {
    const int64_t half = ((int64_t)product >> MIDGE_LOW_BITS) + (lower >> MIDGE_LOW_BITS) + 1;
    const int64_t from = (int64_t)(int32_t)a->upper[part] * LOW_HALF + (a->lower[part] >> 1);
    midge_put_wide(a, part, from + half);
    midge_put_wide(b, part, from - half);
}

void midge_turn_wide(midge_wide_t *a, const midge_wide_t *end, uint32_t size,
    const midge_complex_t *by) {
    const int32_t cosine = (int32_t)by->re, sine = (int32_t)by->im;
    const int64_t low_cosine = ((int64_t)cosine + LOW_HALF) >> MIDGE_LOW_BITS;
    const int64_t low_sine = ((int64_t)sine + LOW_HALF) >> MIDGE_LOW_BITS;
    for (; a < end; a += 2 * size) {
        midge_wide_t *const b = a + size;
        const int32_t re = (int32_t)b->upper[0], im = (int32_t)b->upper[1];
        const int64_t re_low = b->lower[0], im_low = b->lower[1];
        put_halves(a, b, 0,
            (uint64_t)midge_product(re, cosine) - (uint64_t)midge_product(im, sine),
            re_low * low_cosine - im_low * low_sine);
        put_halves(a, b, 1,
            (uint64_t)midge_product(re, sine) + (uint64_t)midge_product(im, cosine),
            re_low * low_sine + im_low * low_cosine);
    }
}

#endif

// Or one less.
static uint32_t magnitude(uint32_t x) {
    return (int32_t)x < 0 ? ~x : x;
}

static void grow(midge_wide_t *z, uint32_t part, uint32_t bits) {
    midge_put_parts(z, part, z->upper[part] << bits, z->lower[part] * (1 << bits));
}

uint32_t midge_grow(midge_wide_t *z, uint32_t points) {
    const midge_wide_t *const end = z + points;
    uint32_t magnitudes = 0, bits = 0;
    for (const midge_wide_t *at = z; at < end; at++) {
        magnitudes |= magnitude(at->upper[0]);
        magnitudes |= magnitude(at->upper[1]);
    }
    for (; !(magnitudes >> (MIDGE_WIDE_BITS - 1)) && bits < MOST_GROWN; magnitudes <<= 1) {
        bits++;
    }
    for (; bits && z < end; z++) {
        grow(z, 0, bits);
        grow(z, 1, bits);
    }
    return bits;
}

// Of a part of x and `sign` times y.
static void put_sum(midge_wide_t *z, uint32_t to, const midge_wide_t *x, const midge_wide_t *y,
    uint32_t part, int32_t sign) {
    midge_put_parts(z, to, x->upper[part] + (uint32_t)sign * y->upper[part],
        x->lower[part] + sign * y->lower[part]);
}

static uint64_t square(const midge_wide_t *z, uint32_t part) {
    const int32_t x = (int32_t)z->upper[part];
    return (uint64_t)midge_product(x, x)
        + (uint64_t)(midge_product(x, z->lower[part]) >> (MIDGE_LOW_BITS - 1));
}

static void put_power(uint32_t *out, const midge_wide_t *z) {
    const uint64_t power = (square(z, 0) + square(z, 1)) >> MIDGE_POWER_BITS;
    out[0] = (uint32_t)power;
    out[1] = (uint32_t)(power >> 32);
}

void midge_powers(const midge_wide_t *x, const midge_wide_t *mirrored, const midge_complex_t *by,
    uint32_t *power, uint32_t *mirrored_power) {
    // Half of the sum and of the difference of two numbers are both bins, but for the sign of the
    // second one's imaginary part.
    midge_wide_t pair[2];
    put_sum(pair, 0, x, mirrored, 0, 1);
    put_sum(pair, 1, x, mirrored, 1, -1);
    put_sum(pair + 1, 0, x, mirrored, 1, 1);
    put_sum(pair + 1, 1, mirrored, x, 0, -1);
    midge_turn_wide(pair, pair + 1, 1, by);
    put_power(power, pair);
    put_power(mirrored_power, pair + 1);
}
