// Windows of one channel.

#ifndef MIDGE_PATCH_H
#define MIDGE_PATCH_H

#ifndef __ASSEMBLER__

#include "weight_rows.h"

// An axis of a layer: pixels, bytes from one to the next, the window's taps, and by how much the
// first and the last window hang over the ends of the image.
typedef struct {
    int32_t in, out, in_step, out_step, kernel, stride, dilation, before, after;
} midge_axis_t;

// DEPTHWISE_CONV_2D, any record: channels `c` to `end` - 1, of which the first is behind `place`;
// axes of the width and of the height.
void midge_depthwise_plain(const midge_call_t *call, const midge_axis_t *axes,
    midge_place_t *place, uint32_t c, uint32_t end);

// midge_taps for windows that mostly lie within the image. Returns the number of taps; 0 or less
// where there are none.
int32_t midge_count_taps(int32_t origin, int32_t size, int32_t kernel, int32_t dilation,
    int32_t *first);

// Windows side by side, of which the same part lies within the image. patch.S works in this order.
typedef struct {
    const int8_t *x;
    uint32_t x_next; // bytes to the next window's
    int8_t *out;
    uint32_t out_next;
    int32_t minus_zero;
    uint32_t count; // of windows
    const midge_scale_t *scale;
    const int8_t *w;
    uint32_t x_step; // bytes from a value to the next
    uint32_t lines, columns; // none is 0
    uint32_t x_skip, w_skip; // bytes from a line to the next one
} midge_patch_t;

// The outputs: what the sums of (x - zero) * w are scaled to.
void midge_patches(const midge_patch_t *patch);

#endif

#endif
