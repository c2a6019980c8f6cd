// Common to readings and results of any element type. float32 is handled as bits, in
// integers: the core runs on cores and links with toolchains that have no floating point.

#ifndef MIDGE_IO_H
#define MIDGE_IO_H

#include "call.h"

#define MANTISSA (1u << 23)
// Positive, neither subnormal nor infinite.
#define IS_NORMAL(bits) ((bits) - MANTISSA < 0x7f000000u)
#define IS_NAN(bits) (((bits) & 0x7fffffff) > 0x7f800000)

// roundf(x / scale), halves away from zero, with the quotient rounded to float32 first: what
// TFLM's QUANTIZE computes. Limited to +-2^bits, bits 2 to 22.
static inline int32_t midge_quotient(uint32_t x, uint32_t scale, int32_t bits) {
    int32_t sign = x >> 31 ? -1 : 1;
    int32_t exponent = x >> 23 & 255;
    uint32_t rest = x & (MANTISSA - 1);
    if (exponent == 0) {
        return 0; // zero, or subnormal: below half of any scale worth the name
    }
    if (exponent == 255) {
        return (1 << bits) * sign;
    }
    rest |= MANTISSA;
    exponent -= scale >> 23;
    uint32_t divisor = (scale & (MANTISSA - 1)) | MANTISSA;
    if (rest < divisor) {
        rest <<= 1;
        exponent--;
    }
    if (exponent >= bits) {
        return (1 << bits) * sign;
    }
    uint32_t quotient = 0; // 24 bits, the first of them 1
    for (int i = 0; i < 24; i++) {
        quotient <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            quotient |= 1;
        }
        rest <<= 1;
    }
    quotient += rest > divisor || (rest == divisor && (quotient & 1));
    if (exponent < -2) {
        return 0;
    }
    // quotient * 2^(exponent - 23), rounded.
    uint32_t shift = 23 - exponent;
    return (int32_t)((quotient + (1u << (shift - 1))) >> shift) * sign;
}

// product * 2^(exponent - 150) as float32 bits, rounded to nearest, ties to even;
// product >= 2^23, exponent >= 1.
static inline uint32_t midge_to_float(uint32_t product, uint32_t exponent) {
    uint32_t shift = 0;
    while (product >> shift >= 2 * MANTISSA) {
        shift++;
    }
    uint32_t mantissa = product >> shift;
    if (shift) {
        uint32_t half = 1u << (shift - 1);
        uint32_t rest = product & ((1u << shift) - 1);
        mantissa += rest > half || (rest == half && (mantissa & 1));
    }
    // A mantissa that rounds up to 2^24 carries into the exponent, as it should.
    uint32_t bits = ((exponent + shift - 1) << 23) + mantissa;
    return bits < 0x7f800000u ? bits : 0x7f800000u;
}

// The descriptor in `bytes`, or NULL where it cannot be right. zero_limit: 128 for int8.
static inline const midge_tensor_t *midge_as_tensor(midge_bytes_t bytes, uint32_t arena_bytes,
    int32_t zero_limit) {
    const midge_tensor_t *tensor = (const void *)bytes.data;
    if (((uintptr_t)bytes.data & 3) || bytes.bytes < sizeof(*tensor)
        || !midge_fits(tensor->offset, tensor->bytes, arena_bytes)
        || tensor->zero_point < -zero_limit || tensor->zero_point >= zero_limit
        || !IS_NORMAL(tensor->scale)) {
        return 0;
    }
    return tensor;
}

#endif
