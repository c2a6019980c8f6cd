// The windows of an image, widened as tiles.h says.

#ifndef MIDGE_WINDOWS_ARMV7EMSP_H
#define MIDGE_WINDOWS_ARMV7EMSP_H

#include "window.h"

typedef struct {
    const midge_window_t *op;
    const int8_t *input;
    int8_t *bytes; // room for a line of a window
    // Of the output pixel that comes next:
    uint32_t left; // in its row, with it
    int32_t x, y; // its window's first column and line
    uint32_t at; // offset of its window's first value
    // Of its row: the last column where a window begins that lies within the image. -1: none.
    int32_t last_x;
} midge_image_t;

// Begins with the first output pixel. `bytes`: room for a line of a window.
void midge_begin_image(midge_image_t *image, const midge_call_t *call, int8_t *bytes);

// Words of a line of a window, and of weights.
static inline uint32_t midge_line_words(const midge_window_t *op) {
    return ((uint32_t)op->kernel_w * op->in_c + 3) / 4 * 2;
}

// The windows of the next `count` output pixels, MIDGE_TILE_PIXELS at most.
void midge_next_windows(midge_image_t *image, uint32_t count, uint32_t *to);

#endif
