// Common to convolutions and pools: the part of a window that lies within the image, and the
// per-channel parameters of a weight block (docs/FORMAT.md, "Weight blocks").

#ifndef MIDGE_WINDOW_H
#define MIDGE_WINDOW_H

#include "call.h"
#include "fixed_point.h"

typedef struct {
    int32_t bias; // the zero point of the input is folded in
    int32_t multiplier;
    int32_t shift;
} midge_channel_t;

// Parameters of channel `index` of the block at `block`.
void midge_channel(const midge_window_t *op, const uint8_t *block, uint32_t index,
    midge_channel_t *channel);

// Bytes of a block before its weight rows.
uint32_t midge_entries_bytes(const midge_window_t *op);

// Whether the output lies over the input: then a kernel writes no output of a row before it has
// read what the rows above need, and of at most MIDGE_TOGETHER pixels, or a row, one before
// another.
static inline int midge_overlaps(const midge_window_t *op) {
    return op->flags & MIDGE_OVERLAPS;
}

// The rows of the output that a kernel may make in an order of its own.
static inline int32_t midge_rows_at_once(const midge_window_t *op) {
    const uint32_t pixels = op->out_w + MIDGE_TOGETHER - 1;
    return midge_overlaps(op) ? midge_divide(pixels, op->out_w) : op->out_h;
}

// The taps first..last-1 of a window axis that lie within an image of `size` pixels, the window's
// first tap being at `origin`.
static inline void midge_taps(int32_t origin, int32_t size, int32_t kernel, int32_t dilation,
    int32_t *first, int32_t *last) {
    // Counted: small cores divide slowly.
    int32_t tap = 0;
    for (; tap < kernel && origin < 0; tap++) {
        origin += dilation;
    }
    *first = tap;
    for (; tap < kernel && origin < size; tap++) {
        origin += dilation;
    }
    *last = tap;
}

// The output of a sum, by docs/NUMERICS.md.
#if defined(MIDGE_OUT_OF_LINE) && !defined(MIDGE_WINDOW_C)
int8_t midge_output(const midge_window_t *op, const midge_channel_t *channel, uint32_t acc);
#else
#ifndef MIDGE_WINDOW_C
static inline
#endif
int8_t midge_output(const midge_window_t *op, const midge_channel_t *channel, uint32_t acc) {
    uint32_t scaled = midge_rescale((int32_t)acc, channel->multiplier, channel->shift);
    int32_t q = (int32_t)(scaled + op->output_zero);
    return midge_clamp(q, op->clamp_min, op->clamp_max);
}
#endif

#endif
