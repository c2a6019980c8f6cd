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
    uint8_t call; // bit 0: decode, bit 1: int16 and int32
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

static int64_t limited(double q, int64_t low, int64_t high) {
    return q < (double)low ? low : q > (double)high ? high : (int64_t)q;
}

// An element of the arena.
static int32_t element(const int8_t *at, uint32_t unit) {
    int16_t half = 0;
    int32_t word = 0;
    memcpy(&half, at, unit == 2 ? 2 : 0);
    memcpy(&word, at, unit == 4 ? 4 : 0);
    return unit == 1 ? *at : unit == 2 ? half : word;
}

// The expected value of an element of a reading.
static int64_t expected(const midge_tensor_t *tensor, uint32_t unit, uint32_t type,
    const uint8_t *at) {
    if (type == MIDGE_UINT8) {
        const int64_t product = (int64_t)*at * tensor->pixel_multiplier + tensor->pixel_offset;
        return limited((double)((product + 0x8000) >> 16), INT8_MIN, INT8_MAX);
    }
    if (type != MIDGE_FLOAT32) {
        return element((const int8_t *)at, unit);
    }
    uint32_t bits;
    memcpy(&bits, at, sizeof(bits));
    const double q = (double)roundf(as_float(bits) / as_float(tensor->scale));
    const int64_t high = unit == 1 ? INT8_MAX : INT16_MAX;
    return limited(q + tensor->zero_point, -high - 1, high);
}

static void check_results(const midge_tensor_t *tensor, uint32_t unit, uint32_t type,
    const int8_t *from, const uint8_t *out) {
    for (uint32_t i = 0; i < tensor->bytes / unit; i++) {
        const int32_t q = element(from + i * unit, unit);
        if (type == MIDGE_FLOAT32) {
            uint32_t bits;
            memcpy(&bits, out + 4 * i, sizeof(bits));
            const int64_t steps = (int64_t)q - tensor->zero_point;
            // Exact in a long double: one rounding.
            const float value = (float)((long double)as_float(tensor->scale) * steps);
            require(as_float(bits) == value, "a result is scale * (q - zero_point)");
        } else if (type == MIDGE_UINT8) {
            require(out[i] == (uint8_t)(q + 128), "a pixel is q + 128");
        } else {
            require(element((const int8_t *)out + i * unit, unit) == q, "numbers as they are");
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    edge_t edge;
    if (size < sizeof(edge)) {
        return 0;
    }
    memcpy(&edge, data, sizeof(edge));
    data += sizeof(edge);
    size -= sizeof(edge);
    static const uint8_t types[] = "bBfhifd";
    const uint32_t type = types[edge.type & 7];
    const int is_wide = edge.call >> 1 & 1;
    const uint32_t unit = !is_wide ? 1 : edge.tensor.element == MIDGE_DTYPE_INT16 ? 2 : 4;
    const uint32_t elements = edge.tensor.bytes % 0x10000 / unit;
    const uint32_t of_type = type == MIDGE_FLOAT32 || type == MIDGE_INT32 ? 4
        : type == MIDGE_INT16                                            ? 2
                                                                         : 1;
    const int64_t wanted = (int64_t)elements * of_type + edge.more;
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
    const midge_bytes_t reading = {other, bytes};
    uint32_t status;
    if (edge.call & 1) {
        status = is_wide ? midge_decode_wide(descriptor, arena, other, bytes, type)
                         : midge_decode(descriptor, arena, other, bytes, type);
    } else {
        status = is_wide ? midge_encode_wide(descriptor, reading, type, arena)
                         : midge_encode(descriptor, reading, type, arena);
    }
    // Scales beyond these no file may have.
    if (status == MIDGE_OK && tensor->scale > 0x10000000 && tensor->scale < 0x70000000) {
        const int8_t *at = arena_data + tensor->offset;
        if (edge.call & 1) {
            check_results(tensor, unit, type, at, other);
        } else {
            for (uint32_t i = 0; i < tensor->bytes / unit; i++) {
                require(element(at + i * unit, unit)
                        == expected(tensor, unit, type, other + of_type * i),
                    "a reading is quantised as TFLM does it");
            }
        }
    }
    free(tensor);
    free(arena_data);
    free(memory);
    return 0;
}
