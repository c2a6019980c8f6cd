// Constants and types of convolutions, for C and assembly.

#ifndef MIDGE_TILES_H
#define MIDGE_TILES_H

#include "lanes.h"

#define MIDGE_TILE 6 // pixels
#define MIDGE_RUN 8 // weights in the longest run
#define MIDGE_STEP 18 // bytes of code for a weight
#define MIDGE_RUN_END ((MIDGE_RUN - 1) * MIDGE_STEP + 2)

#ifndef __ASSEMBLER__

#include "scale.h"

typedef struct {
    uint32_t count; // of tiles
    uint32_t stride; // bytes from an output pixel to the next
    int32_t last_step; // added to the output's address before the last of several tiles
} midge_tiles_t;

void midge_tiles(const uint32_t *pixels, const midge_scale_t *scale, int8_t *out,
    const midge_tiles_t *job);

// Writes runs of the weights row[0..n-1] at `to`: docs at tiles.S. Returns the end, or NULL when
// it would lie behind `limit`.
uint32_t *midge_expand(uint32_t *to, const int8_t *row, uint32_t n, const uint32_t *limit);

// to[3 * i] = a[i] + (b[i] << 16) for i < n. Returns the sum of these words.
uint32_t midge_pack(uint32_t *to, const int8_t *a, const int8_t *b, uint32_t n);

#endif

#endif
