// Readings in, results out. float32 is handled as bits, in integers: the core runs on cores and
// links with toolchains that have no floating point.

#include "midge.h"
#include "fixed_point.h"
#include "operators.h"

#define MANTISSA (1u << 23)
// Positive, neither subnormal nor infinite.
#define IS_NORMAL(bits) ((bits) - MANTISSA < 0x7f000000u)

// roundf(x / scale), halves away from zero, with the quotient rounded to float32 first: what
// TFLM's QUANTIZE computes. Limited to +-512.
static int32_t divide(uint32_t x, uint32_t scale) {
    int32_t sign = x >> 31 ? -1 : 1;
    int32_t exponent = x >> 23 & 255;
    uint32_t rest = x & (MANTISSA - 1);
    if (exponent == 0) {
        return 0; // zero, or subnormal: below half of any scale worth the name
    }
    if (exponent == 255) {
        return 512 * sign;
    }
    rest |= MANTISSA;
    exponent -= scale >> 23;
    uint32_t divisor = (scale & (MANTISSA - 1)) | MANTISSA;
    if (rest < divisor) {
        rest <<= 1;
        exponent--;
    }
    if (exponent > 8) {
        return 512 * sign;
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

// scale * n as float32 bits, rounded to nearest, ties to even; |n| <= 255.
static uint32_t multiply(uint32_t scale, int32_t n) {
    if (n == 0) {
        return 0;
    }
    uint32_t sign = n < 0 ? 1u << 31 : 0;
    uint32_t product = ((scale & (MANTISSA - 1)) | MANTISSA) * (uint32_t)(n < 0 ? -n : n);
    uint32_t exponent = scale >> 23;
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
    return sign | (bits < 0x7f800000u ? bits : 0x7f800000u);
}

// The descriptor in `bytes`, or NULL where it cannot be right.
static const midge_tensor_t *as_tensor(midge_bytes_t bytes, uint32_t arena_bytes) {
    const midge_tensor_t *tensor = (const void *)bytes.data;
    if (((uintptr_t)bytes.data & 3) || bytes.bytes < sizeof(*tensor)
        || !midge_fits(tensor->offset, tensor->bytes, arena_bytes) || tensor->zero_point < -128
        || tensor->zero_point > 127 || !IS_NORMAL(tensor->scale)) {
        return 0;
    }
    return tensor;
}

// Bytes of an element; 0 for a type that is not handled here.
static uint32_t element_bytes(uint32_t type) {
    return type == MIDGE_FLOAT32 ? 4 : type == MIDGE_INT8 || type == MIDGE_UINT8;
}

// float32 elements may lie at any address.
static uint32_t load_word(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void store_word(uint8_t *p, uint32_t word) {
    for (int i = 0; i < 4; i++, word >>= 8) {
        p[i] = (uint8_t)word;
    }
}

uint32_t midge_encode(midge_bytes_t descriptor, midge_bytes_t reading, uint32_t type,
    midge_arena_t arena) {
    const midge_tensor_t *tensor = as_tensor(descriptor, arena.bytes);
    uint32_t unit = element_bytes(type);
    if (!unit) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!tensor || reading.bytes != (uint64_t)tensor->bytes * unit) {
        return MIDGE_BAD_TENSOR;
    }
    int8_t *to = arena.data + tensor->offset;
    if (type == MIDGE_INT8) {
        for (uint32_t i = 0; i < tensor->bytes; i++) {
            to[i] = (int8_t)reading.data[i];
        }
        return MIDGE_OK;
    }
    for (uint32_t i = 0; i < tensor->bytes; i++) {
        int32_t q;
        if (type == MIDGE_UINT8) {
            // (pixel * multiplier + offset + 2^15) >> 16, by halves: each fits into 32 bits.
            const int32_t pixel = reading.data[i];
            const int32_t multiplier = tensor->pixel_multiplier, offset = tensor->pixel_offset;
            uint32_t low = (uint32_t)pixel * (multiplier & 0xFFFF);
            low += (uint32_t)(offset & 0xFFFF) + 0x8000;
            q = pixel * (multiplier >> 16) + (offset >> 16) + (int32_t)(low >> 16);
        } else {
            uint32_t x = load_word(reading.data + 4 * i);
            if ((x & 0x7fffffff) > 0x7f800000) {
                return MIDGE_BAD_READING;
            }
            q = divide(x, tensor->scale) + tensor->zero_point;
        }
        to[i] = midge_clamp(q, -128, 127);
    }
    return MIDGE_OK;
}

uint32_t midge_decode(midge_bytes_t descriptor, midge_arena_t arena, uint8_t *out,
    uint32_t out_bytes, uint32_t type) {
    const midge_tensor_t *tensor = as_tensor(descriptor, arena.bytes);
    uint32_t unit = element_bytes(type);
    if (!unit) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!tensor || out_bytes != (uint64_t)tensor->bytes * unit) {
        return MIDGE_BAD_TENSOR;
    }
    const int8_t *from = arena.data + tensor->offset;
    for (uint32_t i = 0; i < tensor->bytes; i++) {
        if (type == MIDGE_FLOAT32) {
            store_word(out + 4 * i, multiply(tensor->scale, from[i] - tensor->zero_point));
        } else if (type == MIDGE_UINT8) {
            out[i] = (uint8_t)(from[i] + 128);
        } else {
            out[i] = (uint8_t)from[i];
        }
    }
    return MIDGE_OK;
}
