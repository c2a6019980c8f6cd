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

// The next output pixel's window: where it lies within the image if it lies there in one piece,
// else in `bytes`, or NULL where there is no such room.
const int8_t *midge_next_window(midge_image_t *image);

#endif
