// Where a channel's weights are.

#ifndef MIDGE_WEIGHT_ROWS_H
#define MIDGE_WEIGHT_ROWS_H

#include "scale.h"

// A channel: number `index` of the weight block at `block`.
typedef struct {
    const midge_window_t *op;
    const uint8_t *block;
    int32_t index;
    uint32_t row_bytes, entries_bytes;
} midge_place_t;

// Before the first channel of a call.
void midge_begin_rows(midge_place_t *place, const midge_call_t *call, uint32_t row_bytes);

// Moves by `step` channels. Returns the weights there, and fills `scale` unless it is NULL.
const int8_t *midge_row(midge_place_t *place, int32_t step, midge_scale_t *scale);

#endif
