// What is called and counted: one layer, by the core's own entry.

#include "midge.h"

// host: bench/counting/layers.py
typedef struct {
    midge_bytes_t program; // one record
    midge_arena_t arena;
    midge_weights_t weights;
    uint32_t begin; // weight blocks
    uint32_t end;
} layer_t;

uint32_t run_layer(const layer_t *layer) {
    return midge_run(layer->program, 0, 1, layer->arena, layer->weights, layer->begin, layer->end);
}
