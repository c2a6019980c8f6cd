// Fuzz target: the functions of midge_learn, with facts of any kind, in buffers of any size.

#include <stdlib.h>
#include <string.h>

#include "learn/learn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUNCTIONS = 5, BUFFERS = 9 };

// The input; what follows it fills the buffers, again and again.
typedef struct {
    midge_learn_t learn;
    uint16_t bytes[BUFFERS - 1]; // of the buffers behind `learn`
    uint8_t function;
    uint8_t skew; // of the last buffer
} learning_t;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    learning_t in;
    if (size < sizeof(in)) {
        return 0;
    }
    memcpy(&in, data, sizeof(in));
    data += sizeof(in);
    size -= sizeof(in);
    uint8_t *memory[BUFFERS];
    midge_bytes_t r[BUFFERS];
    midge_arena_t w[BUFFERS];
    memory[0] = malloc(sizeof(in.learn));
    memcpy(memory[0], &in.learn, sizeof(in.learn));
    r[0] = (midge_bytes_t){memory[0], sizeof(in.learn)};
    for (uint32_t i = 1; i < BUFFERS; i++) {
        const uint32_t bytes = in.bytes[i - 1], skew = i == BUFFERS - 1 ? in.skew & 1 : 0;
        memory[i] = malloc(bytes + skew + 1);
        for (uint32_t k = 0; k < bytes; k++) {
            memory[i][skew + k] = size ? data[(k + 7 * i) % size] : (uint8_t)(k * 37 + i);
        }
        uint8_t *whole = malloc(bytes + skew + !(bytes + skew)); // no byte more than it says
        memcpy(whole, memory[i], bytes + skew);
        free(memory[i]);
        memory[i] = whole;
        r[i] = (midge_bytes_t){whole + skew, bytes};
        w[i] = (midge_arena_t){(int8_t *)whole + skew, bytes};
    }
    switch (in.function % FUNCTIONS) {
    case 0:
        midge_embed(r[0], r[1], r[2], r[3], w[4]);
        break;
    case 1:
        midge_prototype(r[0], r[1], w[2]);
        break;
    case 2:
        midge_row_distances(r[1], r[2], w[3]);
        break;
    case 3:
        midge_probabilities(r[0], r[1], r[2], r[3], w[4]);
        break;
    default:
        midge_epoch(r[0], r[1], r[2], r[3], w[4], w[5], w[6], w[7], w[8]);
    }
    for (uint32_t i = 0; i < BUFFERS; i++) {
        free(memory[i]);
    }
    return 0;
}
