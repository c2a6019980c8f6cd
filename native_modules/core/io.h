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
// TFLM's QUANTIZE computes. Limited to +-2^23: no zero point brings more back into a type.
__attribute__((noinline, unused)) static int32_t midge_quotient(uint32_t x, uint32_t scale) {
    const int32_t bits = 23;
    int32_t exponent = x >> 23 & 255;
    const int is_infinite = exponent == 255;
    uint32_t rest = (x & (MANTISSA - 1)) | MANTISSA;
    uint32_t divisor = (scale & (MANTISSA - 1)) | MANTISSA;
    uint32_t quotient = 0; // 24 bits, the first of them 1
    if (exponent == 0) {
        return 0; // zero, or subnormal: below half of any scale worth the name
    }
    exponent -= scale >> 23;
    if (rest < divisor) {
        rest <<= 1;
        exponent--;
    }
    if (is_infinite || exponent >= bits) {
        quotient = 1u << bits;
    } else if (exponent >= -2) {
        for (int i = 0; i < 24; i++) {
            quotient <<= 1;
            if (rest >= divisor) {
                rest -= divisor;
                quotient |= 1;
            }
            rest <<= 1;
        }
        quotient += rest + (quotient & 1) > divisor;
        // quotient * 2^(exponent - 23), rounded.
        uint32_t shift = 23 - exponent;
        quotient = (quotient + (1u << (shift - 1))) >> shift;
    }
    return x >> 31 ? -(int32_t)quotient : (int32_t)quotient;
}

// The value of a pixel of 0..255 by the tensor's mapping, before it is limited:
// (pixel * multiplier + offset + 2^15) >> 16, by halves, of which each fits into 32 bits.
static inline int32_t midge_pixel(const midge_tensor_t *tensor, int32_t pixel) {
    const int32_t multiplier = tensor->pixel_multiplier, offset = tensor->pixel_offset;
    uint32_t low = (uint32_t)pixel * (multiplier & 0xFFFF);
    low += (uint32_t)(offset & 0xFFFF) + 0x8000;
    return pixel * (multiplier >> 16) + (offset >> 16) + (int32_t)(low >> 16);
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
        // What is lost, in units of 2^-32; a half goes up where that makes the mantissa even.
        mantissa += (product << (32 - shift)) + (mantissa & 1) > 1u << 31;
    }
    // A mantissa that rounds up to 2^24 carries into the exponent, as it should.
    uint32_t bits = ((exponent + shift - 1) << 23) + mantissa;
    return bits < 0x7f800000u ? bits : 0x7f800000u;
}

// The descriptor in `bytes`, or NULL where it cannot be right: of less than 2^30 bytes, so that as
// many words have less than 2^32. zero_limit: 128 for int8.
static inline const midge_tensor_t *midge_as_tensor(midge_bytes_t bytes, uint32_t arena_bytes,
    int32_t zero_limit) {
    const midge_tensor_t *tensor = (const void *)bytes.data;
    if (((uintptr_t)bytes.data & 3) || bytes.bytes < sizeof(*tensor)
        || !midge_fits(tensor->offset, tensor->bytes, arena_bytes) || tensor->bytes >> 30
        || tensor->zero_point < -zero_limit || tensor->zero_point >= zero_limit
        || !IS_NORMAL(tensor->scale)) {
        return 0;
    }
    return tensor;
}

// Scale and zero point of real values, as a tensor and as each of its channels has them.
typedef struct {
    uint32_t scale; // the bits of a float32
    int32_t zero_point;
} midge_channel_scale_t;

// Of the values of a reading in turn.
typedef struct {
    const midge_channel_scale_t *channels;
    uint32_t count;
} midge_channels_t;

// Those behind a tensor's descriptor in `bytes`, which has passed midge_as_tensor; where there
// are none, the tensor's own.
static inline midge_channels_t midge_channels(midge_bytes_t bytes) {
    const midge_tensor_t *tensor = (const void *)bytes.data;
    const uint32_t behind = bytes.bytes - (uint32_t)sizeof(*tensor);
    const uint32_t count = behind / (uint32_t)sizeof(midge_channel_scale_t);
    const void *first = count ? (const void *)(tensor + 1) : &tensor->scale;
    return (midge_channels_t){first, count ? count : 1};
}

// zero_point + round(x / scale), far beyond any type at most.
static inline int32_t midge_quantized(uint32_t x, const midge_channel_scale_t *channel) {
    const uint32_t q = (uint32_t)midge_quotient(x, channel->scale);
    return (int32_t)(q + (uint32_t)channel->zero_point);
}

#endif
