// The windows of an image, widened as tiles.h says.

#ifndef MIDGE_WINDOWS_ARMV7EMSP_H
#define MIDGE_WINDOWS_ARMV7EMSP_H

#include "window.h"

typedef struct {
    const midge_window_t *op;
    const int8_t *input;
    int8_t *bytes; // room for a line of a window
    int32_t x, y; // of the output pixel that comes next
} midge_image_t;

// Words of a line of a window, and of weights.
static inline uint32_t midge_line_words(const midge_window_t *op) {
    return ((uint32_t)op->kernel_w * op->in_c + 3) / 4 * 2;
}

// The next output pixel's window, to every fourth word from `to` on.
void midge_next_window(midge_image_t *image, uint32_t *to);

#endif
