// Requantisation with SMMLAR, the upper half of a product, rounded, plus an offset:
// docs/NUMERICS.md, "Rounding", for shifts to the right and sums that cannot overflow.
//
// Of a sum x, y = round(x * multiplier / 2^31) is SMMULR of 2 * x. Then half of what the shift
// leaves as 1 is added, less 1 where y < 0. That may as well be where x < 0: with y = 0 the result
// is 0 either way. With the output's zero point, shifted, in the offset, too, an output is
//     ssat8((smmlar(2 * x, multiplier, offset) + (x < 0 ? -1 : 0)) >> shift)
// So the kernels make sums twice as large, by twice the weights or values and twice the bias.

#ifndef MIDGE_LANES_ARMV7EMSP_H
#define MIDGE_LANES_ARMV7EMSP_H

#include <arm_acle.h>

#include "window.h"

#define MIDGE_MOST_DEPTH 16384 // products in a sum: below 2^28 all together
#define MIDGE_MOST_SHIFT 22 // the zero point and a sum's upper half, together, have 32 bits

// A channel. The assembly works in this order.
typedef struct {
    const int8_t *row; // of weights
    int32_t bias; // twice the channel's
    int32_t multiplier;
    int32_t offset;
    int32_t shift;
} midge_lane_t;

// Fills `lanes` for `count` channels of the call from `first` on. 0 where one has a bias beyond
// 2^29 or a shift that is not 1 to MIDGE_MOST_SHIFT bits to the right, which hardly any converted
// model has.
int midge_lanes(const midge_call_t *call, uint32_t row_bytes, uint32_t first, uint32_t count,
    midge_lane_t *lanes);

// A clamp that is narrower than int8, which hardly any model has, is for outputs that are done.
void midge_clamp_all(int8_t *out, uint32_t count, int8_t low, int8_t high);

// The same for `channels` channels of every pixel from `out` on.
void midge_clamp_outputs(const midge_window_t *op, int8_t *out, uint32_t channels);

static inline int32_t midge_offset(int32_t shift, int32_t output_zero) {
    return (1 << (shift - 1)) + output_zero * (1 << shift);
}

// Twice the sum -> the output, before its clamp.
static inline int8_t midge_scaled(int32_t sum, int32_t multiplier, int32_t offset,
    int32_t shift) {
    int32_t y;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(y) : "r"(sum), "r"(multiplier), "r"(offset));
    return (int8_t)__ssat((y + (sum >> 31)) >> shift, 8);
}

#endif
