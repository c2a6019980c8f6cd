// Sums of products for several pixels and channels at once.

#ifndef MIDGE_TILES_RV32IMC_H
#define MIDGE_TILES_RV32IMC_H

#define MIDGE_TILE_PIXELS 4
#define MIDGE_TILE_CHANNELS 4
#define MIDGE_TILE_STEPS 4 // unrolled
#define MIDGE_DENSE_CHANNELS 8
#define MIDGE_DENSE_STEPS 4

#ifndef __ASSEMBLER__

#include "lanes.h"

// Four pixels' windows, value by value: pixels[4 * k + p]. tiles.S works in this order.
typedef struct {
    const int8_t *pixels;
    const int8_t *whole; // end of the steps that are taken MIDGE_TILE_STEPS at a time
    const int8_t *end;
    const midge_lane_t *lanes; // four for each group
    int8_t *out; // of the first pixel and channel
    uint32_t out_step; // bytes from an output pixel to the next
    int32_t zero, low, high; // of the output
    uint32_t groups; // of channels; 1 at least
} midge_tile_t;

// Steps `lanes`, `out` and `groups` to their ends.
void midge_tile(midge_tile_t *tile);

// sums[c] = the sum of x[k] * rows[c][k] over k < depth; 8 rows
void midge_dense(const int8_t *x, const int8_t *const *rows, uint32_t depth, uint32_t *sums);

#endif

#endif
