// The function that is called and counted: it runs one layer by the core's own entry.

#include <stddef.h>

#include "midge.h"

// Compilers may call these for copies and structs. (volatile: else the loop becomes a call of
// memset.)
void *memset(void *to, int value, size_t n) {
    for (volatile uint8_t *p = to; n > 0; n--) {
        *p++ = (uint8_t)value;
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t n) {
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    }
    return to;
}

// host: bench/counting/layers.py
typedef struct {
    midge_bytes_t program; // one record
    midge_arena_t arena;
    midge_weights_t weights;
    midge_share_t share;
} layer_t;

uint32_t run_layer(const layer_t *layer) {
    return midge_run(layer->program, 0, 1, layer->arena, layer->weights, &layer->share);
}
