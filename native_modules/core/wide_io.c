// Readings in, results out, of tensors of int16 and int32: in the bank `wide`.

#include "target.h"

#if MIDGE_HAS(MIDGE_BANK_WIDE)

#include "bytes.h"
#include "fixed_point.h"
#include "io.h"

// The descriptor in `bytes` of a tensor of int16 or int32, or NULL.
static const midge_tensor_t *as_wide(midge_bytes_t bytes, uint32_t arena_bytes) {
    const midge_tensor_t *tensor = midge_as_tensor(bytes, arena_bytes, 1 << 15);
    if (!tensor
        || !(tensor->element == MIDGE_DTYPE_INT16 || tensor->element == MIDGE_DTYPE_INT32)) {
        return 0;
    }
    const uint32_t unit = tensor->element == MIDGE_DTYPE_INT16 ? 2 : 4;
    return (tensor->offset | tensor->bytes) & (unit - 1) ? 0 : tensor;
}

// Bytes of a buffer of that type that a tensor goes into or comes from; 0 for another type.
static uint64_t buffer_bytes(const midge_tensor_t *tensor, uint32_t type) {
    const int is_int16 = tensor->element == MIDGE_DTYPE_INT16;
    if (type == MIDGE_FLOAT32) {
        return is_int16 ? (uint64_t)tensor->bytes * 2 : tensor->bytes;
    }
    return type == (is_int16 ? MIDGE_INT16 : MIDGE_INT32) ? tensor->bytes : 0;
}

static void copy(uint8_t *to, const uint8_t *from, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; i++) {
        to[i] = from[i];
    }
}

// scale * n as float32 bits.
static uint32_t multiply(uint32_t scale, int64_t n) {
    if (n == 0) {
        return 0;
    }
    uint32_t sign = n < 0 ? 1u << 31 : 0;
    uint64_t product = ((scale & (MANTISSA - 1)) | MANTISSA) * (uint64_t)(n < 0 ? -n : n);
    uint32_t exponent = scale >> 23;
    for (; product >> 32; exponent++) {
        product = product >> 1 | (product & 1); // the last bit: whether anything was cut off
    }
    return sign | midge_to_float((uint32_t)product, exponent);
}

uint32_t midge_encode_wide(midge_bytes_t descriptor, midge_bytes_t reading, uint32_t type,
    midge_arena_t arena) {
    const midge_tensor_t *tensor = as_wide(descriptor, arena.bytes);
    if (!tensor) {
        return MIDGE_BAD_TENSOR;
    }
    const uint64_t bytes = buffer_bytes(tensor, type);
    // A number in float32 has fewer bits than one in int32.
    if (!bytes || (type == MIDGE_FLOAT32 && tensor->element == MIDGE_DTYPE_INT32)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (reading.bytes != bytes) {
        return MIDGE_BAD_TENSOR;
    }
    uint8_t *to = (uint8_t *)arena.data + tensor->offset;
    if (type != MIDGE_FLOAT32) {
        copy(to, reading.data, tensor->bytes);
        return MIDGE_OK;
    }
    const midge_channels_t channels = midge_channels(descriptor);
    for (uint32_t i = 0, channel = 0; i < tensor->bytes; i += 2) {
        uint32_t x = midge_uint32_at(reading.data + 2 * i);
        if (IS_NAN(x)) {
            return MIDGE_BAD_READING;
        }
        int32_t q = midge_quantized(x, &channels.channels[channel]);
        channel = channel + 1 < channels.count ? channel + 1 : 0;
        q = q < INT16_MIN ? INT16_MIN : q > INT16_MAX ? INT16_MAX : q;
        to[i] = (uint8_t)q;
        to[i + 1] = (uint8_t)(q >> 8);
    }
    return MIDGE_OK;
}

uint32_t midge_decode_wide(midge_bytes_t descriptor, midge_arena_t arena, uint8_t *out,
    uint32_t out_bytes, uint32_t type) {
    const midge_tensor_t *tensor = as_wide(descriptor, arena.bytes);
    if (!tensor) {
        return MIDGE_BAD_TENSOR;
    }
    const uint64_t bytes = buffer_bytes(tensor, type);
    if (!bytes) {
        return MIDGE_BAD_PARAMETER;
    }
    if (out_bytes != bytes) {
        return MIDGE_BAD_TENSOR;
    }
    const uint8_t *from = (const uint8_t *)arena.data + tensor->offset;
    if (type != MIDGE_FLOAT32) {
        copy(out, from, tensor->bytes);
        return MIDGE_OK;
    }
    const uint32_t unit = tensor->element == MIDGE_DTYPE_INT16 ? 2 : 4;
    for (uint32_t i = 0; i < tensor->bytes; i += unit, out += 4) {
        int32_t q = unit == 2 ? midge_int16_at(from + i) : (int32_t)midge_uint32_at(from + i);
        midge_store_uint32(out, multiply(tensor->scale, (int64_t)q - tensor->zero_point));
    }
    return MIDGE_OK;
}

#else
typedef int midge_no_empty_file; // C has none
#endif
