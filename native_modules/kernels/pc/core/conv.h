// CONV_2D and FULLY_CONNECTED as a product of matrices: windows side by side as int16, times
// groups of channels.

#ifndef MIDGE_PC_CONV_H
#define MIDGE_PC_CONV_H

#include "channels.h"

#define TILE 6 // windows whose sums with a group are in registers
#define WINDOWS_BYTES 65536 // of windows at a time
#define PACKED_BYTES 49152 // of a group's weights
#define MOST_DEPTH (PACKED_BYTES / 2 / GROUP)
#define FEW_WINDOWS 4 // too few for weights to be packed

// `count` int8 as int16.
static inline void widen_run(int16_t *to, const int8_t *from, uint32_t count) {
    uint32_t i = 0;
    for (; i + 16 <= count; i += 16) {
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
    const int inside = left >= 0 && left + op->kernel_w <= op->in_w && op->dilation_w == 1;
    for (uint32_t ky = 0; ky < op->kernel_h; ky++, y += op->dilation_h, to += line) {
        if (y < 0 || y >= op->in_h) {
            fill(to, op->input_zero, line);
            continue;
        }
        const int8_t *row = input + (uint32_t)y * op->in_w * in_c;
        if (inside) {
            widen_run(to, row + (uint32_t)left * in_c, line);
            continue;
        }
        int32_t x = left;
        for (uint32_t kx = 0; kx < op->kernel_w; kx++, x += op->dilation_w) {
            if (x < 0 || x >= op->in_w) {
                fill(to + kx * in_c, op->input_zero, in_c);
            } else {
                widen_run(to + kx * in_c, row + (uint32_t)x * in_c, in_c);
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

// `count` windows, a constant, each `pitch` values from the next, with a group.
__attribute__((always_inline)) static inline void multiply(const channels_t *channels,
    const int16_t *windows, uint32_t pitch, uint32_t pairs, const int16_t *weights, int8_t *out,
    uint32_t step, const int count) {
    words_t low[TILE], high[TILE];
    for (int i = 0; i < count; i++) {
        low[i] = load_words(channels->bias);
        high[i] = load_words(channels->bias + 8);
    }
    for (uint32_t k = 0; k < pairs; k++, weights += 2 * GROUP) {
        const halves_t a = load_halves(weights), b = load_halves(weights + GROUP);
        for (int i = 0; i < count; i++) {
            const halves_t x = repeat_pair(windows + (uint32_t)i * pitch + 2 * k);
            low[i] = add_products(low[i], a, x);
            high[i] = add_products(high[i], b, x);
        }
    }
    for (int i = 0; i < count; i++) {
        store_outputs(channels, low[i], high[i], out + (uint32_t)i * step);
    }
}

static inline uint32_t dot(const int16_t *x, const int8_t *w, uint32_t count) {
    words_t a = all_words(0), b = a;
    uint32_t k = 0;
    for (; k + 32 <= count; k += 32) {
        a = add_products(a, load_halves(x + k), widen(w + k));
        b = add_products(b, load_halves(x + k + 16), widen(w + k + 16));
    }
    uint32_t sum = sum_of_words(add_words(a, b));
    for (; k < count; k++) {
        sum += (uint32_t)(x[k] * w[k]);
    }
    return sum;
}

// The sums of a group with one window; weights are read as they lie.
static inline void multiply_alone(const channels_t *channels, const int16_t *window,
    uint32_t depth, int8_t *out) {
    int32_t sums[GROUP];
    for (uint32_t i = 0; i < GROUP; i++) {
        const int wanted = place(i) < channels->count;
        const uint32_t dotted = wanted ? dot(window, channels->rows[i], depth) : 0;
        sums[i] = (int32_t)((uint32_t)channels->bias[i] + dotted);
    }
    store_outputs(channels, load_words(sums), load_words(sums + 8), out);
}

static inline int run_conv(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const uint64_t taps = (uint64_t)op->kernel_h * op->kernel_w * op->in_c;
    const uint32_t depth = (uint32_t)taps, pitch = (depth + 1) & ~1u;
    if (taps > WINDOWS_BYTES / 2) {
        return 0;
    }
    int16_t windows[WINDOWS_BYTES / 2], weights[PACKED_BYTES / 2];
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
                    multiply(&group, from, pitch, pitch / 2, weights, to, step, TILE);
                }
            }
            for (; left > 0; left--, from += pitch, to += step) {
                if (alone) {
                    multiply_alone(&group, from, depth, to);
                } else {
                    multiply(&group, from, pitch, pitch / 2, weights, to, step, 1);
                }
            }
        }
    }
    return 1;
}

#endif
