// IEEE 754 double precision in integers: the same bits on every processor. A number is its bits.
//
// Results are rounded to nearest, ties to even. What is below 2^-1022 in magnitude counts as zero,
// in operands and results. Every NaN that comes out is MIDGE_DOUBLE_NAN.

#ifndef MIDGE_DOUBLE_H
#define MIDGE_DOUBLE_H

#include <stdint.h>

#define MIDGE_DOUBLE_SIGN (1ull << 63)
#define MIDGE_DOUBLE_INFINITY 0x7ff0000000000000ull
#define MIDGE_DOUBLE_NAN 0x7ff8000000000000ull

uint64_t midge_double_add(uint64_t a, uint64_t b);
uint64_t midge_double_multiply(uint64_t a, uint64_t b);
uint64_t midge_double_divide(uint64_t a, uint64_t b);
// The square root of what is not negative.
uint64_t midge_double_root(uint64_t a);
// e^x for x <= 0, to 2^-30 of its value; 0 below -700, 1 above 0.
uint64_t midge_double_exp(uint64_t x);

uint64_t midge_double_of_float(uint32_t bits);
uint64_t midge_double_of_int(int32_t value);
uint32_t midge_double_to_float(uint64_t bits);

// Integers in the order of the numbers; NaN is above all.
static inline int64_t midge_double_order(uint64_t bits) {
    const int64_t magnitude = (int64_t)(bits & ~MIDGE_DOUBLE_SIGN);
    if (magnitude > (int64_t)MIDGE_DOUBLE_INFINITY) {
        return INT64_MAX;
    }
    return bits >> 63 ? -magnitude : magnitude;
}

static inline int midge_double_is_nan(uint64_t bits) {
    return (bits & ~MIDGE_DOUBLE_SIGN) > MIDGE_DOUBLE_INFINITY;
}

// Numbers in the arena, where they are aligned to 4.
static inline uint64_t midge_double_at(const uint32_t *words) {
    return words[0] | (uint64_t)words[1] << 32;
}

static inline void midge_store_double(uint32_t *words, uint64_t bits) {
    words[0] = (uint32_t)bits;
    words[1] = (uint32_t)(bits >> 32);
}

#endif
