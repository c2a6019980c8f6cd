// CONV_2D and FULLY_CONNECTED with MAC16: in the scratch memory a pixel's window, and the weights
// of as many channels as there is room for, in 16 bits each. A single pixel's layer needs none.

#include "target.h"

#ifdef MIDGE_KERNELS_XTENSA

#include "conv_mac16.h"
#include "mac16.h"

#define FEW_PIXELS 4 // too few for weights to be expanded
#define DENSE_DEPTH 640 // of a layer without scratch memory: its input lies on the stack

static uint32_t depth_of(const midge_window_t *op) {
    return (uint32_t)op->kernel_h * op->kernel_w * op->in_c;
}

// The input values of the window at (y, x), and zeros up to a multiple of 4.
static void gather(const midge_window_t *op, const int8_t *input, int32_t y, int32_t x,
    int16_t *pixel) {
    const uint32_t c = op->in_c;
    int16_t *to = pixel;
    const int whole = x >= 0 && x + op->kernel_w <= op->in_w && op->dilation_w == 1;
    for (uint32_t ky = 0; ky < op->kernel_h; ky++, y += op->dilation_h) {
        const int inside = y >= 0 && y < op->in_h;
        if (inside && whole) {
            const int8_t *line = input + ((uint32_t)y * op->in_w + (uint32_t)x) * c;
            midge_expand(to, line, op->kernel_w * c);
            to += op->kernel_w * c;
            continue;
        }
        int32_t at = x;
        for (uint32_t kx = 0; kx < op->kernel_w; kx++, at += op->dilation_w, to += c) {
            if (inside && at >= 0 && at < op->in_w) {
                midge_expand(to, input + ((uint32_t)y * op->in_w + (uint32_t)at) * c, c);
            } else {
                for (uint32_t i = 0; i < c; i++) {
                    to[i] = op->input_zero;
                }
            }
        }
    }
    while ((to - pixel) & 3) {
        *to++ = 0;
    }
}

// Channels `first` to `first + count - 1` of the call's blocks, weights and scales to `slots`.
static void prepare(const midge_call_t *call, uint32_t first, uint32_t count, int8_t *slot) {
    const midge_window_t *op = call->op;
    const uint32_t depth = depth_of(op), padded = (depth + 3) & ~3u;
    const uint32_t entries = midge_entries_bytes(op);
    const uint8_t *block = call->weights + first / op->block_channels * op->block_bytes;
    uint32_t index = first % op->block_channels;
    for (; count > 0; count--, slot += MIDGE_SCALE_BYTES + 2 * padded) {
        midge_scale(op, block, index, (midge_scale_t *)(void *)slot);
        int16_t *to = (int16_t *)(void *)(slot + MIDGE_SCALE_BYTES);
        midge_expand(to, (const int8_t *)block + entries + index * depth, depth);
        for (uint32_t i = depth; i < padded; i++) {
            to[i] = 0;
        }
        if (++index == op->block_channels) {
            index = 0;
            block += op->block_bytes;
        }
    }
}

// 0 where the scratch memory does not suit.
static int run_pixels(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const uint32_t depth = depth_of(op), quads = (depth + 3) / 4;
    const uint32_t slot_bytes = MIDGE_SCALE_BYTES + 8 * quads;
    const uint32_t pixel_bytes = 8 * quads + 4;
    int8_t *scratch = call->arena + op->scratch;
    // The output must not come to lie on the scales, which hold an address.
    const uint32_t out_bytes = (uint32_t)op->out_h * op->out_w * op->out_c;
    const int apart = op->scratch + op->scratch_bytes <= op->output
        || op->output + out_bytes <= op->scratch;
    if (!apart || (uintptr_t)scratch & 3 || depth > 0xFFFF
        || op->scratch_bytes < pixel_bytes + 4 + slot_bytes) {
        return 0;
    }
    int16_t *pixel = (int16_t *)(void *)scratch;
    int8_t *slots = scratch + pixel_bytes;
    const uint32_t room = (op->scratch_bytes - pixel_bytes - 4) / slot_bytes;
    const uint32_t channels = (call->end - call->begin) * op->block_channels;
    if (room < channels && midge_overlaps(op)) {
        return 0;
    }
    // Groups of one size, as many as it takes.
    const uint32_t groups = (channels + room - 1) / room;
    const uint32_t group = (channels + groups - 1) / groups;
    for (uint32_t first = 0; first < channels; first += group) {
        const uint32_t count = group < channels - first ? group : channels - first;
        prepare(call, first, count, slots);
        int8_t *out = call->arena + op->output + call->begin * op->block_channels + first;
        for (int32_t oy = 0; oy < op->out_h; oy++) {
            const int32_t y = oy * op->stride_h - op->pad_top;
            for (int32_t ox = 0; ox < op->out_w; ox++, out += op->out_c) {
                gather(op, call->arena + op->input, y, ox * op->stride_w - op->pad_left, pixel);
                midge_mac_channels(pixel, (const midge_scale_t *)(const void *)slots, quads, out,
                    count);
            }
        }
    }
    return 1;
}

// `count` bits, least significant first, from bit `at`. At a word's end the next one is not read.
static uint32_t read_bits(const uint32_t *words, uint32_t at, uint32_t count) {
    if (count == 0) {
        return 0;
    }
    words += at >> 5;
    at &= 31;
    uint32_t value = words[0] >> at;
    if (at + count > 32) {
        value |= words[1] << (32 - at);
    }
    return count < 32 ? value & ((1u << count) - 1) : value;
}

// midge_channel, of a block at an aligned address: a word at a time.
static void read_channel(const midge_window_t *op, const uint8_t *block, uint32_t index,
    midge_channel_t *channel) {
    const uint32_t *words = (const uint32_t *)(const void *)block;
    const uint32_t shift_at = op->bias_bits, multiplier_at = shift_at + op->shift_bits;
    const uint32_t at = index * (multiplier_at + op->mult_bits);
    const uint32_t sign = 1u << (op->bias_bits - 1);
    channel->bias = (int32_t)((read_bits(words, at, op->bias_bits) ^ sign) - sign);
    const int32_t shift = op->shift + (int32_t)read_bits(words, at + shift_at, op->shift_bits);
    channel->shift = midge_clamp(shift, -31, 30);
    channel->multiplier = op->mult_bits
        ? (int32_t)(read_bits(words, at + multiplier_at, 30) | 1u << 30) : op->multiplier;
}

// One pixel: weights as they are, four to a word. 0 where they do not suit.
static int run_vector(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const uint32_t depth = op->in_c;
    if (op->out_h * op->out_w != 1 || depth_of(op) != depth || depth > DENSE_DEPTH || depth & 3
        || op->pad_top || op->pad_left || (uintptr_t)call->weights & 3) {
        return 0;
    }
    int16_t x[DENSE_DEPTH + 2];
    midge_expand_crosswise(x, call->arena + op->input, depth / 4);
    x[depth] = x[depth + 1] = 0;
    const uint8_t *block = call->weights;
    int8_t *out = call->arena + op->output + call->begin * op->block_channels;
    for (uint32_t b = call->begin; b < call->end; b++, block += op->block_bytes) {
        const int8_t *w = (const int8_t *)block + midge_entries_bytes(op);
        for (uint32_t i = 0; i < op->block_channels; i++, w += depth) {
            midge_channel_t channel;
            read_channel(op, block, i, &channel);
            const int32_t products = midge_mac_bytes(x, w, depth / 4);
            *out++ = midge_output(op, &channel, (uint32_t)channel.bias + (uint32_t)products);
        }
    }
    return 1;
}

void midge_conv_xtensa(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    if (midge_has_mac16()
        && (run_vector(call) || (op->out_h * op->out_w >= FEW_PIXELS && run_pixels(call)))) {
        return;
    }
    midge_conv(call);
}

#endif
