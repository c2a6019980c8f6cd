// Readings in, results out, of tensors of int8: in the bank `core`.

#include "target.h"

#if MIDGE_HAS(MIDGE_BANK_CORE)

#include "bytes.h"
#include "fixed_point.h"
#include "io.h"

// scale * n as float32 bits; |n| <= 255.
static uint32_t multiply(uint32_t scale, int32_t n) {
    if (n == 0) {
        return 0;
    }
    uint32_t sign = n < 0 ? 1u << 31 : 0;
    uint32_t product = ((scale & (MANTISSA - 1)) | MANTISSA) * (uint32_t)(n < 0 ? -n : n);
    return sign | midge_to_float(product, scale >> 23);
}

// Bytes of an element; 0 for a type that is not handled here.
static uint32_t element_bytes(uint32_t type) {
    return type == MIDGE_FLOAT32 ? 4 : type == MIDGE_INT8 || type == MIDGE_UINT8;
}

uint32_t midge_encode(midge_bytes_t descriptor, midge_bytes_t reading, uint32_t type,
    midge_arena_t arena) {
    const midge_tensor_t *tensor = midge_as_tensor(descriptor, arena.bytes, 128);
    uint32_t unit = element_bytes(type);
    if (!unit) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!tensor || reading.bytes != tensor->bytes * unit) {
        return MIDGE_BAD_TENSOR;
    }
    int8_t *to = arena.data + tensor->offset;
    if (type == MIDGE_INT8) {
        for (uint32_t i = 0; i < tensor->bytes; i++) {
            to[i] = (int8_t)reading.data[i];
        }
        return MIDGE_OK;
    }
    const midge_channels_t channels = midge_channels(descriptor);
    const uint8_t *from = reading.data;
    for (uint32_t i = 0, channel = 0; i < tensor->bytes; i++, from += unit) {
        int32_t q;
        if (type == MIDGE_UINT8) {
            q = midge_pixel(tensor, *from);
        } else {
            uint32_t x = midge_uint32_at(from);
            if (IS_NAN(x)) {
                return MIDGE_BAD_READING;
            }
            q = midge_quantized(x, &channels.channels[channel]);
            channel = channel + 1 < channels.count ? channel + 1 : 0;
        }
        to[i] = midge_clamp(q, -128, 127);
    }
    return MIDGE_OK;
}

uint32_t midge_decode(midge_bytes_t descriptor, midge_arena_t arena, uint8_t *out,
    uint32_t out_bytes, uint32_t type) {
    const midge_tensor_t *tensor = midge_as_tensor(descriptor, arena.bytes, 128);
    uint32_t unit = element_bytes(type);
    if (!unit) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!tensor || out_bytes != tensor->bytes * unit) {
        return MIDGE_BAD_TENSOR;
    }
    const int8_t *from = arena.data + tensor->offset;
    for (uint32_t i = 0; i < tensor->bytes; i++) {
        if (type == MIDGE_FLOAT32) {
            midge_store_uint32(out + 4 * i, multiply(tensor->scale, from[i] - tensor->zero_point));
        } else if (type == MIDGE_UINT8) {
            out[i] = (uint8_t)(from[i] + 128);
        } else {
            out[i] = (uint8_t)from[i];
        }
    }
    return MIDGE_OK;
}

#else
typedef int midge_no_empty_file; // C has none
#endif
