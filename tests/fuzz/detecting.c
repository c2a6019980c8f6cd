// Fuzz target: midge_detect, with a section of any kind, in buffers of any size.

#include <stdlib.h>
#include <string.h>

#include "detect/detect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BUFFERS = 4, MOST = 1 << 16 };

// The input; the section follows, and what follows that fills the arena, again and again.
typedef struct {
    uint32_t bytes[BUFFERS]; // of section, arena, found and order
} detecting_t;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    detecting_t in;
    if (size < sizeof(in)) {
        return 0;
    }
    memcpy(&in, data, sizeof(in));
    data += sizeof(in);
    size -= sizeof(in);
    uint8_t *memory[BUFFERS];
    for (uint32_t i = 0; i < BUFFERS; i++) {
        in.bytes[i] %= MOST;
        memory[i] = malloc(in.bytes[i] + !in.bytes[i]); // no byte more than it says
        for (uint32_t k = 0; k < in.bytes[i]; k++) {
            memory[i][k] = size ? data[(i ? in.bytes[0] + k : k) % size] : 0;
        }
    }
    midge_find((midge_bytes_t){memory[0], in.bytes[0]}, (midge_bytes_t){memory[1], in.bytes[1]},
        (midge_arena_t){(int8_t *)memory[2], in.bytes[2]},
        (midge_arena_t){(int8_t *)memory[3], in.bytes[3]});
    for (uint32_t i = 0; i < BUFFERS; i++) {
        free(memory[i]);
    }
    return 0;
}
