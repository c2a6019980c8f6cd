// Functions of gemmlowp in fixed point; QI.F names I integer and F fractional bits.

#ifndef MIDGE_EXPONENTIAL_H
#define MIDGE_EXPONENTIAL_H

#include "fixed_point.h"

// exp(a) for a <= 0 with `integer_bits` integer bits, at most 5; the result is Q0.31.
static inline int32_t midge_exp_on_negative(int32_t a, uint32_t integer_bits) {
    if (a == 0) {
        return INT32_MAX;
    }
    const int32_t quarter = 1 << (29 - integer_bits);
    int32_t fraction = (a & (quarter - 1)) - quarter; // [-1/4, 0)
    uint32_t remainder = (uint32_t)fraction - (uint32_t)a;

    // exp(-1/8 + x) by its Taylor series of degree 4, x in [-1/8, 1/8), Q0.31.
    const int32_t exp_eighth = 1895147668; // exp(-1/8)
    int32_t x = fraction * (1 << integer_bits) + (1 << 28);
    int32_t x2 = midge_high_mul(x, x);
    int32_t x3 = midge_high_mul(x, x2);
    int32_t x4 = midge_high_mul(x2, x2);
    int32_t tail = midge_rounding_shift(x4, 2) + x3;
    tail = midge_rounding_shift(midge_high_mul(tail, 715827883) + x2, 1); // 1/3
    int32_t result = exp_eighth + midge_high_mul(x + tail, exp_eighth);

    // Multiplied by exp(-2^i) for every bit of the rest, from i = -2.
    static const int32_t factors[] = {
        1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242,
    };
    for (uint32_t i = 0; i < integer_bits + 2; i++) {
        if (remainder >> (29 - integer_bits + i) & 1) {
            result = midge_high_mul(result, factors[i]);
        }
    }
    return result;
}

// 1 / (1 + a) for a in [0, 1), both Q0.31, by three Newton-Raphson steps.
static inline int32_t midge_reciprocal(int32_t a) {
    int32_t half = (int32_t)(((int64_t)a + INT32_MAX + 1) >> 1);
    int32_t x = 1515870810 + midge_high_mul(-1010580540, half); // 48/17 - 32/17 * half, Q2.29
    for (int i = 0; i < 3; i++) {
        int32_t error = (1 << 29) - midge_high_mul(x, half);
        // Q4.27 back to Q2.29; the error is at most 1/17, so that nothing saturates.
        x += midge_high_mul(x, error) * 4;
    }
    int64_t doubled = (int64_t)x * 2;
    return doubled > INT32_MAX ? INT32_MAX : (int32_t)doubled;
}

#endif
