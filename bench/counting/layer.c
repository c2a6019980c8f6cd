// The function that is called and counted: it runs one layer by the core's own entry.

#include <stddef.h>

#include "midge.h"

// Compilers may call it for struct copies.
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
