// Requantisation with the high half of a product: docs/NUMERICS.md, "Rounding", for shifts to the
// right and sums that cannot overflow.

#ifndef MIDGE_LANES_RV32IMC_H
#define MIDGE_LANES_RV32IMC_H

#include "window.h"

#define MIDGE_MOST_DEPTH 16384 // products in a sum: below 2^28 all together

// A channel. depthwise.S reads it by its offsets.
typedef struct {
    const int8_t *row; // of weights
    uint32_t bias;
    uint32_t multiplier; // twice the record's: then the high half of a product is what is wanted
    int32_t half; // of what the shift leaves as 1
    uint32_t shift;
} midge_lane_t;

// Fills `lanes` for `count` channels of the call from `first` on. 0 where one has a bias beyond
// 2^29 or a shift that is not to the right, which hardly any converted model has.
int midge_lanes(const midge_call_t *call, uint32_t row_bytes, uint32_t first, uint32_t count,
    midge_lane_t *lanes);

// The sum of products -> the output.
static inline int8_t midge_scaled(const midge_window_t *op, const midge_lane_t *lane,
    uint32_t sum) {
    const int64_t product = (int64_t)(int32_t)(sum + lane->bias) * (int64_t)lane->multiplier;
    const int32_t y = (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31);
    const int32_t q = ((y + lane->half + (y >> 31)) >> lane->shift) + op->output_zero;
    return midge_clamp(q, op->clamp_min, op->clamp_max);
}

#endif
