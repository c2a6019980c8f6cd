// Fuzz target: readings in and results out, midge_encode and midge_decode, with descriptors of any kind. The answers
// are compared with the compiler's own floating point.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "midge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The input; what follows it is the reading, again and again.
typedef struct {
    midge_tensor_t tensor;
    uint16_t arena_bytes;
    uint8_t decode;
    uint8_t type;
    int8_t more; // bytes that the reading or result has above what the tensor says
    uint8_t skew; // of the reading
    uint16_t reserved;
} edge_t;

static void require(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

static float as_float(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

static int8_t clamped(double q) {
    return (int8_t)(q < -128 ? -128 : q > 127 ? 127 : q);
}

// What an element of a reading must become.
static int8_t expected(const midge_tensor_t *tensor, uint32_t type, const uint8_t *at) {
    if (type == MIDGE_INT8) {
        return (int8_t)*at;
    }
    if (type == MIDGE_UINT8) {
        const int64_t product = (int64_t)*at * tensor->pixel_multiplier + tensor->pixel_offset;
        return clamped((double)((product + 0x8000) >> 16));
    }
    uint32_t bits;
    memcpy(&bits, at, sizeof(bits));
    const float ratio = as_float(bits) / as_float(tensor->scale);
    return clamped((double)roundf(ratio) + tensor->zero_point);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    edge_t edge;
    if (size < sizeof(edge)) {
        return 0;
    }
    memcpy(&edge, data, sizeof(edge));
    data += sizeof(edge);
    size -= sizeof(edge);
    static const uint8_t types[] = "bBfbBfh";
    const uint32_t type = types[edge.type & 7];
    const uint32_t unit = type == MIDGE_FLOAT32 ? 4 : 1;
    const int64_t wanted = (int64_t)(edge.tensor.bytes % 0x10000) * unit + edge.more;
    const uint32_t bytes = (uint32_t)(wanted < 0 ? 0 : wanted);

    midge_tensor_t *tensor = malloc(sizeof(*tensor));
    int8_t *arena_data = malloc(edge.arena_bytes);
    uint8_t *memory = malloc(bytes + (edge.skew & 3));
    uint8_t *other = memory + (edge.skew & 3);
    *tensor = edge.tensor;
    for (uint32_t i = 0; i < bytes; i++) {
        other[i] = size ? data[i % size] : (uint8_t)(i * 37);
    }
    for (uint32_t i = 0; i < edge.arena_bytes; i++) {
        arena_data[i] = (int8_t)(size ? data[i % size] : i);
    }
    const midge_bytes_t descriptor = {(const uint8_t *)tensor, sizeof(*tensor)};
    const midge_arena_t arena = {arena_data, edge.arena_bytes};
    const int usual = tensor->scale > 0x10000000 && tensor->scale < 0x70000000; // as files may have
    if (edge.decode & 1) {
        const uint32_t status = midge_decode(descriptor, arena, other, bytes, type);
        for (uint32_t i = 0; status == MIDGE_OK && usual && i < tensor->bytes; i++) {
            const int32_t q = arena_data[tensor->offset + i];
            if (type == MIDGE_FLOAT32) {
                float got;
                memcpy(&got, other + 4 * i, sizeof(got));
                require(got == as_float(tensor->scale) * (float)(q - tensor->zero_point),
                    "a result is scale * (q - zero_point)");
            } else {
                require(other[i] == (uint8_t)(type == MIDGE_UINT8 ? q + 128 : q), "bytes out");
            }
        }
    } else {
        const midge_bytes_t reading = {other, bytes};
        const uint32_t status = midge_encode(descriptor, reading, type, arena);
        for (uint32_t i = 0; status == MIDGE_OK && usual && i < tensor->bytes; i++) {
            require(arena_data[tensor->offset + i] == expected(tensor, type, other + unit * i),
                "a reading is quantised as TFLM does it");
        }
    }
    free(tensor);
    free(arena_data);
    free(memory);
    return 0;
}
