// Windows of one channel.

#ifndef MIDGE_PATCH_H
#define MIDGE_PATCH_H

#include "weight_rows.h"

// DEPTHWISE_CONV_2D, any record: channel `c`, which is behind `place`.
void midge_depthwise_channel(const midge_call_t *call, midge_place_t *place, uint32_t c);

// midge_taps for windows that mostly lie within the image. Returns the number of taps; 0 or less
// where there are none.
int32_t midge_count_taps(int32_t origin, int32_t size, int32_t kernel, int32_t dilation,
    int32_t *first);

// What of a window lies within the image. dot.S works in this order.
typedef struct {
    const int8_t *x, *w;
    uint32_t x_step; // bytes from a value to the next
    uint32_t lines, columns; // none is 0
    uint32_t x_skip, w_skip; // bytes from a line to the next one
    int32_t minus_zero;
} midge_patch_t;

// The sum of (x - zero) * w.
uint32_t midge_dot_patch(const midge_patch_t *patch);

#endif
