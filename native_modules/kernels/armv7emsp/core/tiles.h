// Sums of products for four pixels and two channels at once.
//
// Values have 16 bits each here, two to a word: of four neighbours the first and the third, then
// the second and the fourth. Behind the last of each line of a window, and of its weights, follow
// zeros up to a multiple of four.

#ifndef MIDGE_TILES_ARMV7EMSP_H
#define MIDGE_TILES_ARMV7EMSP_H

#define MIDGE_TILE_PIXELS 4
#define MIDGE_TILE_CHANNELS 2
#define MIDGE_TILE_STEPS 12 // unrolled; of two products each, for a pixel and a channel

#ifndef __ASSEMBLER__

#include "lanes.h"

// What stands before and behind the weights of a group of channels, which lie by turns: a word of
// the first channel, a word of the second.
typedef struct {
    int32_t bias[MIDGE_TILE_CHANNELS];
} midge_group_head_t;

typedef struct {
    struct {
        int32_t multiplier, offset, shift;
    } scale[MIDGE_TILE_CHANNELS];
} midge_group_tail_t;

// Four pixels' windows lie by turns, a word of each. tiles.S works in this order.
typedef struct {
    const uint32_t *pixels;
    const uint32_t *end;
    const uint32_t *groups;
    const uint32_t *groups_end; // behind the last group; at least one
    int8_t *out; // of the first pixel and channel
    uint32_t out_step; // bytes from an output pixel to the next
    uint32_t skipped; // steps that the first of the rounds of MIDGE_TILE_STEPS leaves out
} midge_tile_t;

void midge_tile(const midge_tile_t *tile);

// `lines` times `count` values, 1 at least each, to every fourth word from `to` on; `pitch` bytes
// from a line to the next.
void midge_widen_pixel(uint32_t *to, const int8_t *from, uint32_t count, uint32_t lines,
    uint32_t pitch);

// Twice the values, to every second word.
void midge_widen_row(uint32_t *to, const int8_t *from, uint32_t count, uint32_t lines,
    uint32_t pitch);

#endif

#endif
