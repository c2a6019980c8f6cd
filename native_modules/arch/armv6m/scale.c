#include "scale.h"

#define FRACTION 23

// Where the two products are exact enough: 1/8 > s > 2^-13.
#define LEAST_SHIFT 3
#define WIDE_SHIFT 9 // up to here x' < 2^18, and x' * low fits into 32 bits
#define MOST_SHIFT 12

void midge_scale(const midge_window_t *op, const uint8_t *block, uint32_t index,
    midge_scale_t *scale) {
    midge_channel_t *channel = &scale->channel;
    midge_channel(op, block, index, channel);
    scale->op = op;
    scale->first = 0;
    scale->limit = 0;
    scale->range = UINT32_MAX;
    scale->high = scale->low = scale->base = 0;
    const int32_t r = -channel->shift;
    const uint32_t multiplier = channel->multiplier;
    const int plain = op->clamp_min == -128 && op->clamp_max == 127;
    if (plain && multiplier >> 30 && r >= LEAST_SHIFT && r <= MOST_SHIFT) {
        // 1 / s = 2^r * (2^31 / multiplier) to 14 bits: a step of the output, in units of x.
        const uint32_t step = (1u << 31) / (multiplier >> 15);
        const uint32_t steps_below = op->output_zero + 128;
        const uint32_t first = (steps_below * step) >> (15 - r);
        scale->first = -(int32_t)first;
        scale->range = (255 * step) >> (15 - r);
        uint32_t error = 3;
        if (r <= WIDE_SHIFT) {
            const uint32_t wide = r > 6 ? multiplier >> (r - 6) : multiplier << (6 - r);
            scale->high = multiplier >> (r + 8);
            scale->low = wide & 0x3FFF;
            error += 16;
        } else {
            scale->high = multiplier >> (r + 8);
            error += scale->range;
        }
        // (x * multiplier + the constants above) / 2^(8 + r) for x = first, the smaller of the two
        // roundings where x can be negative.
        int64_t base = ((int64_t)(op->output_zero + 256) << (31 + r)) + (1u << 30)
            + ((int64_t)1 << (30 + r)) - (int64_t)multiplier * first;
        if (first) {
            base -= (int64_t)1 << 31;
            error += 1u << (FRACTION - r);
        }
        scale->base = (uint32_t)(base >> (8 + r));
        scale->limit = ((1u << FRACTION) - error) << 9;
    }
    scale->start = (uint32_t)channel->bias - (uint32_t)scale->first;
}

uint32_t midge_scale_exactly(uint32_t x, const midge_scale_t *scale) {
    return (uint8_t)midge_requantize(scale->op, &scale->channel, x + (uint32_t)scale->first);
}
