// Requantisation in 16 cycles: two 32-bit products instead of a 64-bit one.
//
// With the shift -r and s = multiplier * 2^(-31-r), docs/NUMERICS.md defines
//     y = x * multiplier + 2^30
//     q = floor((y + 2^(30+r) - (y < 0) * 2^31) / 2^(31+r))
// before the zero point is added. The assembly of armv6m and xtensawin computes, with
// x' = x - first >= 0,
//     v = x' * high + (x' * low >> 14) + base        (q + zero point + 256 in bits 23 to 31)
// Every truncation in it makes v too small, by less than an error E that is known beforehand. So
// the bits above 23 are right unless the fraction below is within E of the next integer; then,
// some times in a thousand, midge_scale_exactly decides. Where x' > range the result is -128 or
// 127.

#ifndef MIDGE_SCALE_H
#define MIDGE_SCALE_H

#define MIDGE_SCALE_BYTES 44 // sizeof(midge_scale_t)

#ifndef __ASSEMBLER__

#include "window.h"

// Up to this shift to the right x' < 2^18, and x' * low fits into 32 bits.
#define MIDGE_WIDE_SHIFT 9

typedef struct {
    uint32_t start; // bias - first: x' before the first product
    uint32_t limit; // fraction << 9 from which v is in doubt; 0: always, whatever v is
    uint32_t range; // x' of the output 127, half a step more or less
    uint32_t high;
    uint32_t low;
    uint32_t base;
    int32_t first; // x of the output -128, half a step more or less
    const midge_window_t *op;
    midge_channel_t channel;
} midge_scale_t;

// Fills `scale` for channel `index` of the weight block at `block`.
void midge_scale(const midge_window_t *op, const uint8_t *block, uint32_t index,
    midge_scale_t *scale);

// The same from scale->channel; of the record only output_zero and the clamp matter.
void midge_scale_channel(const midge_window_t *op, midge_scale_t *scale);

// The output byte of x', by the definition.
uint32_t midge_scale_exactly(uint32_t x, const midge_scale_t *scale);

// The output byte of x'.
static inline int8_t midge_scaled(const midge_scale_t *scale, uint32_t x) {
    if (x > scale->range) {
        return (int8_t)((int32_t)x >> 31 ^ 127);
    }
    const uint32_t v = x * scale->high + (x * scale->low >> 14) + scale->base;
    return (int8_t)(v << 9 < scale->limit ? v >> 23 : midge_scale_exactly(x, scale));
}

#endif

#endif
