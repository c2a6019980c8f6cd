// Fixed-point arithmetic of int16 activations: docs/NUMERICS.md, "Rounding".

#ifndef MIDGE_FIXED_POINT_WIDE_H
#define MIDGE_FIXED_POINT_WIDE_H

#include <stdint.h>

// MultiplyByQuantizedMultiplier of a 64-bit sum: x * multiplier / 2^31 * 2^shift with a multiplier
// of 15 bits and one rounding, halves upwards; multiplier >= 0, shift -31 to 7. Overflow wraps.
static inline int32_t midge_rescale_wide(int64_t x, int32_t multiplier, int32_t shift) {
    uint32_t reduced = multiplier < 0x7fff0000 ? ((uint32_t)multiplier + 0x8000) >> 16 : 0x7fff;
    uint32_t right = (uint32_t)(15 - shift);
    uint64_t product = (uint64_t)x * reduced;
    // By halves: few of the cores shift 64 bits by a number that is not constant.
    if (right >= 32) {
        product += (uint64_t)(1u << (right - 32)) << 31;
        return (int32_t)(product >> 32) >> (right - 32);
    }
    product += 1u << (right - 1);
    return (int32_t)((uint32_t)product >> right | (uint32_t)(product >> 32) << (32 - right));
}

static inline int16_t midge_clamp16(int32_t x, int16_t low, int16_t high) {
    return x < low ? low : x > high ? high : (int16_t)x;
}

#endif
