#ifdef __ARM_ARCH_6M__
#define MIDGE_WINDOW_C // the one copy of midge_requantize
#endif
#include "window.h"

// `count` bits (0 to 32), least significant first, from bit `at`; touches no byte that holds none.
static uint32_t read_bits(const uint8_t *p, uint32_t at, uint32_t count) {
    if (count == 0) {
        return 0;
    }
    p += at >> 3;
    uint32_t have = 8 - (at & 7);
    uint32_t value = *p >> (at & 7);
    while (have < count) {
        value |= (uint32_t)*++p << have;
        have += 8;
    }
    return count < 32 ? value & ((1u << count) - 1) : value;
}

void midge_channel(const midge_window_t *op, const uint8_t *block, uint32_t index,
    midge_channel_t *channel) {
    uint32_t at = index * (op->bias_bits + op->shift_bits + op->mult_bits);
    uint32_t sign = 1u << (op->bias_bits - 1);
    channel->bias = (int32_t)((read_bits(block, at, op->bias_bits) ^ sign) - sign);
    at += op->bias_bits;
    int32_t shift = op->shift + (int32_t)read_bits(block, at, op->shift_bits);
    channel->shift = midge_clamp(shift, -31, 30);
    at += op->shift_bits;
    channel->multiplier = op->mult_bits ? (int32_t)(read_bits(block, at, 30) | 1u << 30)
                                        : op->multiplier;
}

uint32_t midge_entries_bytes(const midge_window_t *op) {
    uint32_t bits = op->block_channels * (op->bias_bits + op->shift_bits + op->mult_bits);
    return (bits + 31) / 32 * 4;
}

uint32_t midge_window_check(const midge_window_t *op, uint32_t arena_bytes) {
    if (!op->in_h || !op->in_w || !op->in_c || !op->out_h || !op->out_w || !op->out_c
        || !op->kernel_h || !op->kernel_w || !op->stride_h || !op->stride_w || !op->dilation_h
        || !op->dilation_w || op->clamp_min > op->clamp_max) {
        return MIDGE_BAD_PARAMETER;
    }
    uint32_t in_bytes = midge_times((uint32_t)op->in_h * op->in_w, op->in_c);
    uint32_t out_bytes = midge_times((uint32_t)op->out_h * op->out_w, op->out_c);
    if (!midge_fits(op->input, in_bytes, arena_bytes)
        || !midge_fits(op->output, out_bytes, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

uint32_t midge_blocks_check(const midge_window_t *op, uint32_t row_bytes) {
    if (op->bias_bits < 1 || op->bias_bits > 32 || op->shift_bits > 6
        || (op->mult_bits != 0 && op->mult_bits != 30) || op->multiplier < 0
        || (uint32_t)op->blocks * op->block_channels != op->out_c) {
        return MIDGE_BAD_PARAMETER;
    }
    uint32_t rows_bytes = midge_times(op->block_channels, row_bytes);
    if (!midge_fits(midge_entries_bytes(op), rows_bytes, op->block_bytes)) {
        return MIDGE_BAD_WEIGHTS;
    }
    return MIDGE_OK;
}

uint32_t midge_conv_check(const void *record, uint32_t arena_bytes) {
    const midge_window_t *op = record;
    uint32_t reason = midge_window_check(op, arena_bytes);
    if (reason) {
        return reason;
    }
    return midge_blocks_check(op, midge_times((uint32_t)op->kernel_h * op->kernel_w, op->in_c));
}

uint32_t midge_depthwise_conv_check(const void *record, uint32_t arena_bytes) {
    const midge_window_t *op = record;
    uint32_t reason = midge_window_check(op, arena_bytes);
    if (reason) {
        return reason;
    }
    const uint32_t multiplier = midge_divide(op->out_c, op->in_c);
    if (multiplier * op->in_c != op->out_c) {
        return MIDGE_BAD_PARAMETER;
    }
    return midge_blocks_check(op, (uint32_t)op->kernel_h * op->kernel_w);
}
