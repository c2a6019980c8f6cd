#include "target.h"

#ifdef MIDGE_KERNELS_ARMV7EMSP

#include "lanes.h"

#define FAR (1u << 29)

// `count` bits, least significant first, from bit `at`; no word is touched that holds none. (These
// cores load words from any address.)
static uint32_t read_bits(const uint8_t *block, uint32_t at, uint32_t count) {
    if (count == 0) {
        return 0;
    }
    block += at >> 5 << 2;
    at &= 31;
    uint32_t word;
    __builtin_memcpy(&word, block, sizeof word);
    uint32_t value = word >> at;
    if (at + count > 32) {
        __builtin_memcpy(&word, block + sizeof word, sizeof word);
        value |= word << (32 - at);
    }
    return count < 32 ? value & ((1u << count) - 1) : value;
}

int midge_lanes(const midge_call_t *call, uint32_t row_bytes, uint32_t first, uint32_t count,
    midge_lane_t *lanes) {
    const midge_window_t *op = call->op;
    const uint32_t channels = op->block_channels, number = midge_divide(first, channels);
    const uint8_t *block = call->weights + number * op->block_bytes;
    uint32_t index = first - number * channels;
    const uint32_t rows_at = midge_entries_bytes(op);
    const uint32_t bias_bits = op->bias_bits, shift_bits = op->shift_bits;
    const uint32_t multiplier_bits = op->mult_bits, sign = 1u << (bias_bits - 1);
    const int32_t least_shift = op->shift, zero = op->output_zero;
    int32_t multiplier = op->multiplier;
    for (; count > 0; count--, lanes++, index++) {
        if (index == channels) {
            index = 0;
            block += op->block_bytes;
        }
        // As midge_channel reads them.
        uint32_t at = index * (bias_bits + shift_bits + multiplier_bits);
        const uint32_t bias = (read_bits(block, at, bias_bits) ^ sign) - sign;
        at += bias_bits;
        const int32_t shift = -least_shift - (int32_t)read_bits(block, at, shift_bits);
        if (bias + FAR > 2 * FAR || shift < 1 || shift > MIDGE_MOST_SHIFT) {
            return 0;
        }
        if (multiplier_bits) {
            multiplier = (int32_t)(read_bits(block, at + shift_bits, 30) | 1u << 30);
        }
        lanes->row = (const int8_t *)block + rows_at + index * row_bytes;
        lanes->bias = (int32_t)(bias << 1);
        lanes->multiplier = multiplier;
        lanes->offset = midge_offset(shift, zero);
        lanes->shift = shift;
    }
    return 1;
}

void midge_clamp_all(int8_t *out, uint32_t count, int8_t low, int8_t high) {
    if (low == -128 && high == 127) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        out[i] = midge_clamp(out[i], low, high);
    }
}

void midge_clamp_outputs(const midge_window_t *op, int8_t *out, uint32_t channels) {
    if (op->clamp_min == -128 && op->clamp_max == 127) {
        return;
    }
    for (uint32_t p = (uint32_t)op->out_h * op->out_w; p > 0; p--, out += op->out_c) {
        midge_clamp_all(out, channels, op->clamp_min, op->clamp_max);
    }
}

#endif
