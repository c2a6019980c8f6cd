// Readings in, results out, of tensors of float32: in the bank `trees`.

#include "target.h"

#if MIDGE_HAS(MIDGE_BANK_TREES)

#include "bytes.h"
#include "io.h"

// The descriptor in `bytes` of a tensor of float32, or NULL.
static const midge_tensor_t *as_float(midge_bytes_t bytes, uint32_t arena_bytes) {
    const midge_tensor_t *tensor = midge_as_tensor(bytes, arena_bytes, 1);
    const int fits = tensor && tensor->element == MIDGE_DTYPE_FLOAT32
        && !((tensor->offset | tensor->bytes) & 3);
    return fits ? tensor : 0;
}

static int is_float(uint32_t type) {
    return type == MIDGE_FLOAT32 || type == MIDGE_UINT8;
}

uint32_t midge_encode_float(midge_bytes_t descriptor, midge_bytes_t reading, uint32_t type,
    midge_arena_t arena) {
    const midge_tensor_t *tensor = as_float(descriptor, arena.bytes);
    if (!is_float(type)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!tensor || reading.bytes != tensor->bytes) {
        return MIDGE_BAD_TENSOR;
    }
    uint8_t *to = (uint8_t *)arena.data + tensor->offset;
    for (uint32_t i = 0; i < tensor->bytes; i += 4) {
        const uint32_t x = midge_uint32_at(reading.data + i);
        if (IS_NAN(x) && !(tensor->flags & MIDGE_TAKES_NAN)) {
            return MIDGE_BAD_READING;
        }
        midge_store_uint32(to + i, x);
    }
    return MIDGE_OK;
}

uint32_t midge_decode_float(midge_bytes_t descriptor, midge_arena_t arena, uint8_t *out,
    uint32_t out_bytes, uint32_t type) {
    const midge_tensor_t *tensor = as_float(descriptor, arena.bytes);
    if (!is_float(type)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!tensor || out_bytes != tensor->bytes) {
        return MIDGE_BAD_TENSOR;
    }
    for (uint32_t i = 0; i < tensor->bytes; i++) {
        out[i] = (uint8_t)arena.data[tensor->offset + i];
    }
    return MIDGE_OK;
}

#else
typedef int midge_no_empty_file; // C has none
#endif
