// CONV_2D and FULLY_CONNECTED as a product of matrices: windows side by side as int16, times
// groups of channels.

#ifndef MIDGE_PC_CONV_H
#define MIDGE_PC_CONV_H

#include <stddef.h>

#include "channels.h"

#define TILE 4 // windows whose sums with a group are in registers
#define WINDOWS_BYTES 65536 // of windows at a time
#define PACKED_BYTES 49152 // of a group's weights
#define MOST_DEPTH (PACKED_BYTES / 2 / GROUP)
#define FEW_WINDOWS 4 // too few for weights to be packed

// `count` int8 as int16, and up to 15 more, unless the image ends before.
static inline void widen_run(int16_t *to, const int8_t *from, uint32_t count, const int8_t *end) {
    uint32_t i = 0;
    for (; i < count && end - from >= (ptrdiff_t)i + 16; i += 16) {
        store_halves(to + i, widen(from + i));
    }
    for (; i < count; i++) {
        to[i] = from[i];
    }
}

static inline void fill(int16_t *to, int16_t value, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        to[i] = value;
    }
}

// The window of output pixel (oy, ox); zero points where it hangs over the border.
static inline void gather(const midge_window_t *op, const int8_t *input, uint32_t oy, uint32_t ox,
    int16_t *to) {
    const uint32_t in_c = op->in_c, line = op->kernel_w * in_c;
    const int32_t left = (int32_t)(ox * op->stride_w) - op->pad_left;
    int32_t y = (int32_t)(oy * op->stride_h) - op->pad_top;
    const int8_t *end = input + (uint32_t)op->in_h * op->in_w * in_c;
    const int inside = left >= 0 && left + op->kernel_w <= op->in_w && op->dilation_w == 1;
    for (uint32_t ky = 0; ky < op->kernel_h; ky++, y += op->dilation_h, to += line) {
        if (y < 0 || y >= op->in_h) {
            fill(to, op->input_zero, line);
            continue;
        }
        const int8_t *row = input + (uint32_t)y * op->in_w * in_c;
        if (inside) {
            widen_run(to, row + (uint32_t)left * in_c, line, end);
            continue;
        }
        int32_t x = left;
        for (uint32_t kx = 0; kx < op->kernel_w; kx++, x += op->dilation_w) {
            if (x < 0 || x >= op->in_w) {
                fill(to + kx * in_c, op->input_zero, in_c);
            } else {
                widen_run(to + kx * in_c, row + (uint32_t)x * in_c, in_c, end);
            }
        }
    }
}

// A group's weights, pairs of each channel side by side: [depth / 2][GROUP][2].
static inline void pack_weights(const channels_t *channels, uint32_t depth, int16_t *to) {
    const int8_t *const *rows = channels->rows;
    uint32_t k = 0;
    for (; k + 16 <= depth; k += 16, to += 16 * GROUP) {
        pack_pairs(rows, k, to, 2 * GROUP);
        pack_pairs(rows + 8, k, to + GROUP, 2 * GROUP);
    }
    for (; k < depth; k += 2, to += 2 * GROUP) {
        for (uint32_t i = 0; i < GROUP; i++) {
            to[2 * i] = rows[i][k];
            to[2 * i + 1] = k + 1 < depth ? rows[i][k + 1] : 0;
        }
    }
}

// TILE windows, each `pitch` values from the next, with a group. Functions of their own, so that
// the sums stay in registers.
__attribute__((noinline)) static void multiply_tile(const channels_t *channels,
    const int16_t *windows, uint32_t pitch, const int16_t *weights, int8_t *out, uint32_t step) {
    const int16_t *x0 = windows, *x1 = x0 + pitch, *x2 = x1 + pitch, *x3 = x2 + pitch;
    const words_t bias = load_words(channels->bias), bias_high = load_words(channels->bias + 8);
    words_t a0 = bias, a1 = bias, a2 = bias, a3 = bias;
    words_t b0 = bias_high, b1 = bias_high, b2 = bias_high, b3 = bias_high;
    for (uint32_t k = 0; k < pitch; k += 2, weights += 2 * GROUP) {
        const halves_t low = load_halves(weights), high = load_halves(weights + GROUP);
        halves_t x = repeat_pair(x0 + k);
        a0 = add_products(a0, low, x);
        b0 = add_products(b0, high, x);
        x = repeat_pair(x1 + k);
        a1 = add_products(a1, low, x);
        b1 = add_products(b1, high, x);
        x = repeat_pair(x2 + k);
        a2 = add_products(a2, low, x);
        b2 = add_products(b2, high, x);
        x = repeat_pair(x3 + k);
        a3 = add_products(a3, low, x);
        b3 = add_products(b3, high, x);
    }
    store_outputs(channels, a0, b0, out);
    store_outputs(channels, a1, b1, out + step);
    store_outputs(channels, a2, b2, out + 2 * step);
    store_outputs(channels, a3, b3, out + 3 * step);
}

__attribute__((noinline)) static void multiply_one(const channels_t *channels,
    const int16_t *window, uint32_t pitch, const int16_t *weights, int8_t *out) {
    words_t low = load_words(channels->bias), high = load_words(channels->bias + 8);
    for (uint32_t k = 0; k < pitch; k += 2, weights += 2 * GROUP) {
        const halves_t x = repeat_pair(window + k);
        low = add_products(low, load_halves(weights), x);
        high = add_products(high, load_halves(weights + GROUP), x);
    }
    store_outputs(channels, low, high, out);
}

// A group with one window, four rows at a time; weights are read as they lie.
static inline void multiply_alone(const channels_t *channels, const int16_t *window,
    uint32_t depth, int8_t *out) {
    int32_t sums[GROUP];
    for (uint32_t i = 0; i < GROUP; i += 4) {
        const int8_t *const *rows = channels->rows + i;
        words_t a = all_words(0), b = a, c = a, d = a;
        uint32_t k = 0;
        for (; k + 16 <= depth; k += 16) {
            const halves_t x = load_halves(window + k);
            a = add_products(a, x, widen(rows[0] + k));
            b = add_products(b, x, widen(rows[1] + k));
            c = add_products(c, x, widen(rows[2] + k));
            d = add_products(d, x, widen(rows[3] + k));
        }
        store_sums(sums + i, a, b, c, d);
        for (; k < depth; k++) {
            for (uint32_t row = 0; row < 4; row++) {
                sums[i + row] += window[k] * rows[row][k];
            }
        }
    }
    const words_t low = add_words(load_words(sums), load_words(channels->bias));
    const words_t high = add_words(load_words(sums + 8), load_words(channels->bias + 8));
    store_outputs(channels, low, high, out);
}

static inline int run_conv(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const uint64_t taps = (uint64_t)op->kernel_h * op->kernel_w * op->in_c;
    const uint32_t depth = (uint32_t)taps, pitch = (depth + 1) & ~1u;
    if (taps > WINDOWS_BYTES / 2) {
        return 0;
    }
    int16_t windows[WINDOWS_BYTES / 2 + GROUP], weights[PACKED_BYTES / 2];
    const int8_t *input = call->arena + op->input;
    int8_t *out = call->arena + op->output + call->begin * op->block_channels;
    const uint32_t channels = (call->end - call->begin) * op->block_channels;
    const uint32_t pixels = (uint32_t)op->out_h * op->out_w;
    const uint32_t most = WINDOWS_BYTES / 2 / pitch;
    uint32_t oy = 0, ox = 0;
    for (uint32_t first = 0, count; first < pixels; first += count) {
        count = pixels - first < most ? pixels - first : most;
        for (uint32_t i = 0; i < count; i++) {
            int16_t *window = windows + i * pitch;
            gather(op, input, oy, ox, window);
            if (pitch > depth) {
                window[depth] = 0;
            }
            if (++ox == op->out_w) {
                ox = 0;
                oy++;
            }
        }
        const int alone = count < FEW_WINDOWS || depth > MOST_DEPTH;
        for (uint32_t c = 0; c < channels; c += GROUP) {
            channels_t group;
            read_channels(call, c, depth, &group);
            const uint32_t step = op->out_c;
            int8_t *to = out + c + first * step;
            const int16_t *from = windows;
            uint32_t left = count;
            if (!alone) {
                pack_weights(&group, depth, weights);
                for (; left >= TILE; left -= TILE, from += TILE * pitch, to += TILE * step) {
                    multiply_tile(&group, from, pitch, weights, to, step);
                }
            }
            for (; left > 0; left--, from += pitch, to += step) {
                if (alone) {
                    multiply_alone(&group, from, depth, to);
                } else {
                    multiply_one(&group, from, pitch, weights, to);
                }
            }
        }
    }
    return 1;
}

#endif
