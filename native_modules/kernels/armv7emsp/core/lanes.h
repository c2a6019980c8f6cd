// Requantisation with SMMLAR, the upper half of a product, rounded, plus an offset: docs/NUMERICS.md,
// "Rounding", for shifts to the right and sums that cannot overflow.
//
// Of a sum x, y = round(x * multiplier / 2^31) is SMMULR of 2 * x. Then half of what the shift
// leaves as 1 is added, less 1 where y < 0. That may as well be where x < 0: y = 0 gives 0 either
// way. With the output's zero point, shifted, in the offset, too, an output is
//     ssat8((smmlar(2 * x, multiplier, offset) + (x < 0 ? -1 : 0)) >> shift)
// So the kernels make sums twice as large, by twice the weights and twice the bias.

#ifndef MIDGE_LANES_ARMV7EMSP_H
#define MIDGE_LANES_ARMV7EMSP_H

#include <arm_acle.h>

#include "window.h"

#define MIDGE_MOST_DEPTH 16384 // products in a sum: below 2^28 all together

// A channel. The assembly works in this order.
typedef struct {
    const int8_t *row; // of weights
    int32_t bias; // twice the channel's
    int32_t multiplier;
    int32_t offset;
    int32_t shift;
} midge_lane_t;

// Fills `lanes` for `count` channels of the call from `first` on. 0 where one has a bias beyond
// 2^29 or a shift that is not 1 to 22 bits to the right, which hardly any converted model has.
int midge_lanes(const midge_call_t *call, uint32_t row_bytes, uint32_t first, uint32_t count,
    midge_lane_t *lanes);

// The record's clamp where it is narrower than int8, which hardly any model's is: `channels`
// channels of every pixel from `out` on.
void midge_clamp_outputs(const midge_window_t *op, int8_t *out, uint32_t channels);

// Twice the sum -> the output.
static inline int8_t midge_scaled(int32_t sum, int32_t multiplier, int32_t offset,
    int32_t shift) {
    int32_t y;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(y) : "r"(sum), "r"(multiplier), "r"(offset));
    return (int8_t)__ssat((y + (sum >> 31)) >> shift, 8);
}

#endif
