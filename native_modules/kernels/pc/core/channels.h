// Sixteen output channels side by side, in the order of pairs_low and pairs_high: what becomes of
// their sums.

#ifndef MIDGE_PC_CHANNELS_H
#define MIDGE_PC_CHANNELS_H

#include "window.h"

#define GROUP 16

typedef struct {
    int32_t bias[GROUP], multiplier[GROUP], left[GROUP], right[GROUP];
    const int8_t *rows[GROUP]; // their weights
    uint32_t count; // of channels that are wanted; the last one fills the group
    int32_t zero, low, high; // of the output
} channels_t;

// The channel in a place, and the place of a channel: bits 2 and 3 change places.
static inline uint32_t place(uint32_t i) {
    return (i & 3) | (i & 4) << 1 | (i & 8) >> 1;
}

// `count` bits (0 to 32), least significant first, from bit `at`, of eight bytes.
static inline uint32_t bits_of(const uint8_t *block, uint32_t at, uint32_t count) {
    uint64_t bytes;
    __builtin_memcpy(&bytes, block + (at >> 3), sizeof(bytes));
    return (uint32_t)(bytes >> (at & 7) & ((1ull << count) - 1));
}

// midge_channel, with all bytes of a field at once unless the block may end there.
static inline void read_channel(const midge_window_t *op, const uint8_t *block, uint32_t index,
    midge_channel_t *channel) {
    const uint32_t bits = op->bias_bits + op->shift_bits + op->mult_bits, at = index * bits;
    if ((at + bits) / 8 + sizeof(uint64_t) > op->block_bytes) {
        midge_channel(op, block, index, channel);
        return;
    }
    const uint32_t sign = 1u << (op->bias_bits - 1);
    channel->bias = (int32_t)((bits_of(block, at, op->bias_bits) ^ sign) - sign);
    const int32_t shift = (int32_t)bits_of(block, at + op->bias_bits, op->shift_bits);
    channel->shift = midge_clamp(op->shift + shift, -31, 30);
    channel->multiplier = op->multiplier;
    if (op->mult_bits) {
        channel->multiplier = (int32_t)(bits_of(block, at + bits - 30, 30) | 1u << 30);
    }
}

// Channels from number `first` of the call's blocks on; a row of weights has `depth` bytes.
static inline void read_channels(const midge_call_t *call, uint32_t first, uint32_t depth,
    channels_t *channels) {
    const midge_window_t *op = call->op;
    const uint32_t left = (call->end - call->begin) * op->block_channels - first;
    const uint32_t entries = midge_entries_bytes(op);
    const uint8_t *block = call->weights + first / op->block_channels * op->block_bytes;
    uint32_t index = first % op->block_channels;
    channels->count = left < GROUP ? left : GROUP;
    channels->zero = op->output_zero;
    channels->low = op->clamp_min;
    channels->high = op->clamp_max;
    midge_channel_t channel = {0, 0, 0};
    const int8_t *row = 0;
    for (uint32_t i = 0; i < GROUP; i++) {
        if (i < channels->count) {
            read_channel(op, block, index, &channel);
            row = (const int8_t *)block + entries + index * depth;
            if (++index == op->block_channels) {
                index = 0;
                block += op->block_bytes;
            }
        }
        const uint32_t at = place(i);
        channels->bias[at] = channel.bias;
        channels->multiplier[at] = channel.multiplier;
        channels->left[at] = channel.shift > 0 ? channel.shift : 0;
        channels->right[at] = channel.shift < 0 ? -channel.shift : 0;
        channels->rows[at] = row;
    }
}

// `count` bytes, at most 16: less than a call of memcpy.
static inline void copy_bytes(int8_t *to, const int8_t *from, uint32_t count) {
    if (count & 16) {
        __builtin_memcpy(to, from, 16);
        return;
    }
    if (count & 8) {
        __builtin_memcpy(to, from, 8);
        to += 8;
        from += 8;
    }
    for (uint32_t i = 0; i < (count & 7); i++) {
        to[i] = from[i];
    }
}

// Their outputs at `out`.
static inline void store_outputs(const channels_t *channels, words_t low, words_t high,
    int8_t *out) {
    const int32_t *multiplier = channels->multiplier, *left = channels->left;
    const int32_t *right = channels->right;
    low = rescale(low, load_words(multiplier), load_words(left), load_words(right));
    high = rescale(high, load_words(multiplier + 8), load_words(left + 8), load_words(right + 8));
    const words_t zero = all_words(channels->zero);
    low = limit(add_words(low, zero), channels->low, channels->high);
    high = limit(add_words(high, zero), channels->low, channels->high);
    if (channels->count == GROUP) {
        store_bytes(out, low, high);
    } else {
        int8_t bytes[GROUP];
        store_bytes(bytes, low, high);
        copy_bytes(out, bytes, channels->count);
    }
}

#endif
