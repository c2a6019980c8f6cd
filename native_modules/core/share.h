// A share of the rows of an image that a window slides over.

#ifndef MIDGE_SHARE_H
#define MIDGE_SHARE_H

#include "fixed_point.h"

// Of a record: what depends on how many rows of the output are made, and from which one on.
typedef struct {
    uint16_t *in_h, *out_h, *pad_top;
    uint32_t *input, *output, *scratch, *scratch_bytes;
    uint32_t stride;
    uint32_t in_row, out_row; // bytes
} midge_image_t;

// Leaves the rows of `part` of `parts` and an equal share of the scratch memory. 0 where there are
// none for it, or where they cannot be shared out: windows that lie wholly below the image. Part 0
// has the last rows, so that it is never without.
static inline int midge_narrow(midge_image_t image, uint32_t part, uint32_t parts) {
    const uint32_t rows = *image.out_h, in_h = *image.in_h, pad = *image.pad_top;
    if ((rows - 1) * image.stride >= in_h + pad) {
        return 0;
    }
    const uint32_t last = midge_divide(rows * (parts - part), parts);
    const uint32_t first = midge_divide(rows * (parts - part - 1), parts);
    if (first == last) {
        return 0;
    }
    const uint32_t below = first * image.stride; // of the top of the padding
    const uint32_t skipped = below > pad ? below - pad : 0; // rows of the input
    *image.out_h = (uint16_t)(last - first);
    *image.pad_top = (uint16_t)(below > pad ? 0 : pad - below);
    *image.in_h = (uint16_t)(in_h - skipped);
    *image.input += skipped * image.in_row;
    *image.output += first * image.out_row;
    const uint32_t share = midge_divide(*image.scratch_bytes, parts) & ~3u;
    *image.scratch += part * share;
    *image.scratch_bytes = share;
    return 1;
}

#endif
