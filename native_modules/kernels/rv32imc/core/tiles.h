// Sums of products for several pixels and channels at once.

#ifndef MIDGE_TILES_RV32IMC_H
#define MIDGE_TILES_RV32IMC_H

#define MIDGE_TILE_PIXELS 4
#define MIDGE_TILE_CHANNELS 4
#define MIDGE_DENSE_CHANNELS 8

#ifndef __ASSEMBLER__

#include <stdint.h>

// sums[4 * c + p] = the sum of pixels[4 * k + p] * rows[c][k] over k < depth
void midge_tile(const int8_t *pixels, const int8_t *const *rows, uint32_t depth, uint32_t *sums);

// sums[c] = the sum of x[k] * rows[c][k] over k < depth; 8 rows
void midge_dense(const int8_t *x, const int8_t *const *rows, uint32_t depth, uint32_t *sums);

#endif

#endif
