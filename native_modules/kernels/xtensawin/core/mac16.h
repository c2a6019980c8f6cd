// What the assembly in mac16.S does: sums of 16-bit products by MAC16, one instruction each.

#ifndef MIDGE_MAC16_H
#define MIDGE_MAC16_H

#include "scale.h"

#define MIDGE_SUMS_AT 12 // offsets of midge_columns_t that the assembly reads
#define MIDGE_STEP_AT 16
#define MIDGE_COLUMN_AT 28
#define MIDGE_WEIGHTS_AT 52

#ifndef __ASSEMBLER__

// CONFIGID0, the processor's configuration, which any core tells.
uint32_t midge_core_id(void);

int midge_has_mac16(void); // with hardware loops; all that follows needs both

// `count` values to 16 bits.
void midge_expand(int16_t *to, const int8_t *from, uint32_t count);

// The same for a multiple of 4, in the order 0, 2, 1, 3.
void midge_expand_crosswise(int16_t *to, const int8_t *from, uint32_t quads);

// out[i] = the output of pixel . weights for `count` channels: slots of a midge_scale_t and
// 4 * quads weights. A word behind the pixel and behind the last slot is read, too.
void midge_mac_channels(const int16_t *pixel, const midge_scale_t *slots, uint32_t quads,
    int8_t *out, uint32_t count);

// Sum of x * w for 4 * quads weights at an aligned address, x crosswise and a word longer.
int32_t midge_mac_bytes(const int16_t *x, const int8_t *w, uint32_t quads);

// Windows of 3x3 that lie side by side, of one channel: down the columns.
typedef struct {
    const int8_t *line[3]; // where the next column begins
    int32_t *sums;
    uint32_t step[3]; // bytes to the next column, in each line
    int32_t column[2][3]; // the two before
    int16_t weights[10]; // by columns
} midge_columns_t;

// `count` sums of products; the windows move on by a column, or by two, and so does `columns`.
void midge_mac_columns(midge_columns_t *columns, uint32_t count);
void midge_mac_columns_2(midge_columns_t *columns, uint32_t count); // column[1] is not used

// out[i * step] = the outputs of `count` sums.
void midge_scale_sums(const int32_t *sums, uint32_t count, const midge_scale_t *scale,
    int8_t *out, uint32_t step);

#endif

#endif
