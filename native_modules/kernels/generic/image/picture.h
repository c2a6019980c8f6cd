// Pictures in: a native module of its own, midge_image, and no bank of operators.

#ifndef MIDGE_PICTURE_H
#define MIDGE_PICTURE_H

#include "midge.h"

// Writes part of a camera's frame into an input tensor of int8, of shape (1, height, width, 1 or
// 3): docs/NUMERICS.md, "Pictures". view: a midge_view_t, and tensor: a descriptor, both aligned
// to 4. tables: 256 values of int8 for each channel, those of pixels of 0..255; of 0 bytes for
// what the descriptor says of pixels. scratch: see there; aligned to 4. Where the descriptor's
// bytes are fewer than its shape says, they are a strip: whole rows of the input, from view->begin
// on.
// Returns 0; MIDGE_BAD_TENSOR when the descriptor cannot be right or is of another shape;
// MIDGE_BAD_PARAMETER when the view leaves the frame or the tensor, or other lengths are wrong.
uint32_t midge_picture(midge_bytes_t view, midge_bytes_t frame, midge_bytes_t tensor,
    midge_bytes_t tables, midge_arena_t scratch, midge_arena_t arena);

#endif
