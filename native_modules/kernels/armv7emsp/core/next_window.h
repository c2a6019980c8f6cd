// The values of a window, one after the other.

#ifndef MIDGE_NEXT_WINDOW_H
#define MIDGE_NEXT_WINDOW_H

#include "window.h"

typedef struct {
    const midge_window_t *op;
    const int8_t *input;
    int8_t *bytes; // room for a window; none: NULL
    int32_t x, y; // of the output pixel that comes next
} midge_image_t;

// The window at (y, x), in `bytes`. NULL without such room.
const int8_t *midge_assemble(const midge_image_t *image, int32_t y, int32_t x);

// The next output pixel's window: where it lies within the image if it lies there in one piece,
// else as midge_assemble puts it together.
static inline const int8_t *midge_next_window(midge_image_t *image) {
    const midge_window_t *op = image->op;
    const int32_t x = image->x * op->stride_w - op->pad_left;
    const int32_t y = image->y * op->stride_h - op->pad_top;
    if (++image->x == op->out_w) {
        image->x = 0;
        image->y++;
    }
    const int is_one_line = op->kernel_h == 1 || (op->kernel_w == op->in_w && op->dilation_h == 1);
    if (is_one_line && op->dilation_w == 1 && x >= 0 && x + op->kernel_w <= op->in_w && y >= 0
        && y + op->kernel_h <= op->in_h) {
        return image->input + (uint32_t)(y * op->in_w + x) * op->in_c;
    }
    return midge_assemble(image, y, x);
}

#endif
