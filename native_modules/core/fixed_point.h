// gemmlowp's fixed-point arithmetic as TensorFlow Lite Micro uses it: docs/NUMERICS.md,
// "Rounding". Overflow wraps, by unsigned arithmetic; >> of a negative number is arithmetic on
// every compiler this is built with.

#ifndef MIDGE_FIXED_POINT_H
#define MIDGE_FIXED_POINT_H

#include <stdint.h>

#include "target.h"

#if defined(MIDGE_OUT_OF_LINE) && !defined(MIDGE_FIXED_POINT_C)

// Code is scarcer than cycles: one copy of each function, in fixed_point.c.
int32_t midge_high_mul(int32_t a, int32_t b);
int32_t midge_rounding_shift(int32_t x, int32_t exponent);
int32_t midge_rescale(int32_t x, int32_t multiplier, int32_t shift);
uint32_t midge_divide(uint32_t a, uint32_t b); // b > 0
__attribute__((const)) uint32_t midge_times(uint32_t a, uint32_t b);

#else

#ifdef MIDGE_FIXED_POINT_C
#define MIDGE_INLINE
#else
#define MIDGE_INLINE static inline
#endif

#ifndef MIDGE_NO_RESCALE

// SaturatingRoundingDoublingHighMul: round(a * b / 2^31), halves upwards. Never called with the
// one pair that saturates, INT32_MIN twice.
MIDGE_INLINE int32_t midge_high_mul(int32_t a, int32_t b) {
#ifdef MIDGE_SHORT_PRODUCTS
    const uint32_t a0 = (uint16_t)a, b0 = (uint16_t)b;
    const int32_t a1 = a >> 16, b1 = b >> 16;
    // In 2^16, with half of the result's unit.
    const int32_t middle = a1 * (int32_t)b0 + (int32_t)(a0 * b0 >> 16) + (1 << 14);
    const int32_t rest = (int32_t)a0 * b1 + (uint16_t)middle;
    return (int32_t)(2 * (uint32_t)(a1 * b1 + (middle >> 16)) + (uint32_t)(rest >> 15));
#else
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
#endif
}

// RoundingDivideByPOT: round(x / 2^exponent), halves away from zero; exponent 0 to 31.
MIDGE_INLINE int32_t midge_rounding_shift(int32_t x, int32_t exponent) {
    uint32_t mask = (1u << exponent) - 1;
    uint32_t threshold = (mask >> 1) + (x < 0);
    return (x >> exponent) + (((uint32_t)x & mask) > threshold);
}

// MultiplyByQuantizedMultiplier: x * multiplier / 2^31 * 2^shift; multiplier >= 0, shift -31 to
// 30.
MIDGE_INLINE int32_t midge_rescale(int32_t x, int32_t multiplier, int32_t shift) {
    if (shift > 0) {
        return midge_high_mul((int32_t)((uint32_t)x << shift), multiplier);
    }
    return midge_rounding_shift(midge_high_mul(x, multiplier), -shift);
}

#endif

// a * b, or UINT32_MAX: sizes in files, of which none is so large.
MIDGE_INLINE uint32_t midge_times(uint32_t a, uint32_t b) {
    uint64_t product = (uint64_t)a * b;
    return product > UINT32_MAX ? UINT32_MAX : (uint32_t)product;
}

#ifndef MIDGE_FIXED_POINT_C
// a / b, b > 0: for what happens once for an operator, or for an output at most.
static inline uint32_t midge_divide(uint32_t a, uint32_t b) {
    return a / b;
}
#endif

#endif

static inline int midge_is_rescale(int32_t multiplier, int32_t shift) {
    return multiplier >= 0 && shift >= -31 && shift <= 30;
}

static inline int8_t midge_clamp(int32_t x, int8_t low, int8_t high) {
    return x < low ? low : x > high ? high : (int8_t)x;
}

#endif
