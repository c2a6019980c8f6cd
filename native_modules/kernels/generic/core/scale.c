#include "target.h"

#ifdef MIDGE_TUNED_SCALE

#include "scale.h"

// The assembly steps over these structures. (Tests build this file on PCs, too.)
typedef char midge_scale_size_check[sizeof(void *) != 4
    || sizeof(midge_scale_t) == MIDGE_SCALE_BYTES ? 1 : -1];

#ifndef MIDGE_TUNED_CHANNEL

#define FRACTION 24

// Where the product is exact enough: 1/4 > s > 2^-13.
#define LEAST_SHIFT 2
#define MOST_SHIFT 12

#define FAR (1u << 29) // beyond biases of this size x' could wrap

// 2^29 / (multiplier >> 16), within 2^-13 of it: two of Newton's steps from a straight line.
static uint32_t reciprocal(uint32_t multiplier) {
    const uint32_t d = multiplier >> 16;
    uint32_t x = 47746 - d;
    x = x * ((1u << 15) - (d * x >> 15)) >> 14;
    return x * ((1u << 15) - (d * x >> 15)) >> 14;
}

void midge_scale_channel(const midge_window_t *op, midge_scale_t *scale) {
    const midge_channel_t *channel = &scale->channel;
    scale->op = op;
    scale->start = (uint32_t)channel->bias;
    scale->limit = 0;
    scale->range = UINT32_MAX;
    scale->first = 0;
    const int32_t r = -channel->shift;
    const uint32_t multiplier = (uint32_t)channel->multiplier;
    const int plain = op->clamp_min == -128 && op->clamp_max == 127;
    const int is_near = (uint32_t)channel->bias + FAR <= 2 * FAR;
    if (!plain || !is_near || !(multiplier >> 30) || r < LEAST_SHIFT || r > MOST_SHIFT) {
        return;
    }
    // 1 / s = 2^r * (2^31 / multiplier): a step of the output, in units of x.
    const uint32_t step = reciprocal(multiplier);
    scale->range = (255 * step + (1u << (13 - r))) >> (14 - r);
    scale->high = multiplier >> (r + 7);
    // What it lacks, in 1/2048.
    const uint32_t lacks = (multiplier << (25 - r) >> 21) + 1;
    uint32_t error = 4 + (scale->range * lacks >> 11);
    // The constants above, / 2^(7 + r).
    scale->base = ((uint32_t)op->output_zero << FRACTION) + (1u << (FRACTION - 1))
        + (1u << (FRACTION - 1 - r));
    if (op->output_zero != -128) {
        const uint32_t steps = (uint32_t)(op->output_zero + 128);
        const uint32_t first = (steps * step + (1u << (13 - r))) >> (14 - r);
        scale->first = -(int32_t)first;
        scale->start += first;
        // Where x can be negative, the smaller of the two roundings.
        scale->base -= first * scale->high + (first * lacks >> 11) + (1u << (FRACTION - r)) + 1;
        error += (first >> 11) + (1u << (FRACTION - r)) + 2;
    }
    scale->limit = ((1u << FRACTION) - error) << 8;
}

#endif

uint32_t midge_scale_exactly(uint32_t x, const midge_scale_t *scale) {
    return (uint8_t)midge_output(scale->op, &scale->channel, x + (uint32_t)scale->first);
}

#else
typedef int midge_no_empty_file; // C has none
#endif
