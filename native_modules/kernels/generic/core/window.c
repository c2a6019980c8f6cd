#include "target.h"
#ifdef MIDGE_OUT_OF_LINE
#define MIDGE_WINDOW_C // the one copy of midge_output
#endif
#include "window.h"

#ifndef MIDGE_TUNED_CHANNEL

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

#endif

uint32_t midge_entries_bytes(const midge_window_t *op) {
    uint32_t bits = op->block_channels * (op->bias_bits + op->shift_bits + op->mult_bits);
    return (bits + 31) / 32 * 4;
}

