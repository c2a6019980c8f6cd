// Fuzz target: readings in and results out, midge_encode and midge_decode and those of wide tensors, with descriptors
// of any kind. The answers are compared with the compiler's own floating point.

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
    uint8_t call; // bit 0: decode; bit 1: as a wide tensor
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

static int32_t load(const void *at, uint32_t unit) {
    int32_t word = 0;
    memcpy(&word, at, unit);
    return unit == 1 ? (int8_t)word : unit == 2 ? (int16_t)word : word;
}

static int32_t clamped(double q, uint32_t unit) {
    const double most = unit == 1 ? INT8_MAX : INT16_MAX;
    return (int32_t)(q < -most - 1 ? -most - 1 : q > most ? most : q);
}

// What an element of a reading must become; `unit`: the bytes of the tensor's.
static int32_t expected(const midge_tensor_t *tensor, uint32_t type, const uint8_t *at,
    uint32_t unit) {
    if (type == MIDGE_UINT8) {
        const int64_t product = (int64_t)*at * tensor->pixel_multiplier + tensor->pixel_offset;
        return clamped((double)((product + 0x8000) >> 16), unit);
    }
    if (type == MIDGE_FLOAT32) {
        uint32_t bits;
        memcpy(&bits, at, sizeof(bits));
        const float ratio = as_float(bits) / as_float(tensor->scale);
        return clamped((double)roundf(ratio) + tensor->zero_point, unit);
    }
    return load(at, unit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    edge_t edge;
    if (size < sizeof(edge)) {
        return 0;
    }
    memcpy(&edge, data, sizeof(edge));
    data += sizeof(edge);
    size -= sizeof(edge);
    static const uint8_t types[] = "bBfhifH";
    const uint32_t type = types[edge.type & 7];
    const int wide = edge.call & 2;
    const uint32_t own = !wide ? 1 : edge.tensor.element == MIDGE_DTYPE_INT16 ? 2 : 4;
    const uint32_t unit = type == MIDGE_FLOAT32 ? 4 : own;
    const int64_t wanted = (int64_t)(edge.tensor.bytes % 0x10000 / own) * unit + edge.more;
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
    uint32_t status;
    if (edge.call & 1) {
        status = (wide ? midge_decode_wide : midge_decode)(descriptor, arena, other, bytes, type);
    } else {
        const midge_bytes_t reading = {other, bytes};
        status = (wide ? midge_encode_wide : midge_encode)(descriptor, reading, type, arena);
    }
    for (uint32_t i = 0; status == MIDGE_OK && usual && i < tensor->bytes / own; i++) {
        const int32_t q = load(arena_data + tensor->offset + i * own, own);
        const uint8_t *value = other + i * unit;
        if (!(edge.call & 1)) {
            require(q == expected(tensor, type, value, own),
                "a reading is quantised as TFLM does it");
        } else if (type == MIDGE_FLOAT32) {
            const double real = (double)as_float(tensor->scale) * ((double)q - tensor->zero_point);
            float got;
            memcpy(&got, value, sizeof(got));
            // int32 times float32 may have more bits than double holds.
            require(own == 4 ? fabs(got - real) <= fabs(real) * 1e-7 : got == (float)real,
                "a result is scale * (q - zero_point)");
        } else {
            require(load(value, unit) == (type == MIDGE_UINT8 ? (int8_t)(q + 128) : q), "bytes out");
        }
    }
    free(tensor);
    free(arena_data);
    free(memory);
    return 0;
}
