// Requantisation in 12 cycles: a 32-bit product instead of a 64-bit one.
//
// With the shift -r and s = multiplier * 2^(-31-r), docs/NUMERICS.md defines
//     y = x * multiplier + 2^30
//     q = floor((y + 2^(30+r) - (y < 0) * 2^31) / 2^(31+r))
// before the zero point is added. The assembly of armv6m and xtensawin computes, with
// x' = x - first >= 0,
//     v = x' * high + base        (q + zero point in bits 24 to 31)
// where high is s * 2^24, truncated. Every truncation makes v too small, by less than an error E
// that is known beforehand: of x' * high it is the range of x' times what `high` lacks. So the
// bits from 24 on are right unless the fraction below is within E of the next integer; then, some
// times in a thousand, midge_scale_exactly decides. Where x' > range the result is -128 or 127.

#ifndef MIDGE_SCALE_H
#define MIDGE_SCALE_H

#define MIDGE_SCALE_BYTES 40 // sizeof(midge_scale_t)

#ifndef __ASSEMBLER__

#include "window.h"

// The shift to the right that a sum without its last bits is scaled by: more of it costs as much
// of the product as less of it costs of the sum.
#define MIDGE_SUM_SHIFT 8

typedef struct {
    uint32_t start; // bias - first: x' before the first product
    uint32_t limit; // fraction << 8 from which v is in doubt; 0: always, whatever v is
    uint32_t range; // x' of the output 127, half a step more or less
    uint32_t high;
    uint32_t base;
    int32_t first; // x of the output -128, half a step more or less
    const midge_window_t *op;
    midge_channel_t channel;
} midge_scale_t;

// Fills `scale` from scale->channel; of the record only output_zero and the clamp matter.
void midge_scale_channel(const midge_window_t *op, midge_scale_t *scale);

// The same for channel `index` of the weight block at `block`.
static inline void midge_scale(const midge_window_t *op, const uint8_t *block, uint32_t index,
    midge_scale_t *scale) {
    midge_channel(op, block, index, &scale->channel);
    midge_scale_channel(op, scale);
}

// The output byte of x', by the definition.
uint32_t midge_scale_exactly(uint32_t x, const midge_scale_t *scale);

// The output byte of x'.
static inline int8_t midge_scaled(const midge_scale_t *scale, uint32_t x) {
    if (x > scale->range) {
        return (int8_t)((int32_t)x >> 31 ^ 127);
    }
    const uint32_t v = x * scale->high + scale->base;
    return (int8_t)(v << 8 < scale->limit ? v >> 24 : midge_scale_exactly(x, scale));
}

#endif

#endif
