// DEPTHWISE_CONV_2D, a group of channels at a time: their rows with the padding around them, as
// int16, then windows without borders.

#ifndef MIDGE_PC_DEPTHWISE_H
#define MIDGE_PC_DEPTHWISE_H

#include "channels.h"

#define STRIP_BYTES 65536 // of rows of the image at a time
#define MOST_PAIRS 64 // of taps

// Row y of the image, or padding: `width` pixels from column `x` on.
static inline void widen_row(const midge_window_t *op, const int8_t *input, uint32_t channel,
    uint32_t count, int32_t y, int32_t x, uint32_t width, int16_t *to) {
    const uint32_t multiplier = (uint32_t)op->out_c / op->in_c;
    int8_t bytes[GROUP] = {0};
    for (uint32_t i = 0; i < width; i++, x++, to += GROUP) {
        if (y < 0 || y >= op->in_h || x < 0 || x >= op->in_w) {
            for (uint32_t c = 0; c < GROUP; c++) {
                to[c] = op->input_zero;
            }
            continue;
        }
        const int8_t *pixel = input + ((uint32_t)y * op->in_w + (uint32_t)x) * op->in_c;
        if (multiplier > 1) {
            for (uint32_t c = 0; c < count; c++) {
                bytes[c] = pixel[(channel + c) / multiplier];
            }
            store_halves(to, widen(bytes));
        } else if (count == GROUP) {
            store_halves(to, widen(pixel + channel));
        } else {
            copy_bytes(bytes, pixel + channel, count);
            store_halves(to, widen(bytes));
        }
    }
}

// Weights of two taps at a time, [pair][2 halves of the group][8 channels][2].
static inline void pack_taps(const channels_t *channels, uint32_t taps, int16_t *to) {
    for (uint32_t k = 0; k < taps; k += 2, to += 2 * GROUP) {
        for (uint32_t i = 0; i < GROUP; i++) {
            to[2 * i] = channels->rows[i][k];
            to[2 * i + 1] = k + 1 < taps ? channels->rows[i][k + 1] : 0;
        }
    }
}

// Where the taps of a window lie in the rows, [pair][2], in values.
static inline void tap_offsets(const midge_window_t *op, uint32_t width, uint32_t *offsets) {
    uint32_t k = 0;
    for (uint32_t ky = 0; ky < op->kernel_h; ky++) {
        for (uint32_t kx = 0; kx < op->kernel_w; kx++) {
            offsets[k++] = (ky * op->dilation_h * width + kx * op->dilation_w) * GROUP;
        }
    }
    offsets[k] = 0; // its weight is 0 if it is in a pair
}

__attribute__((always_inline)) static inline void windows_of(const channels_t *channels,
    const int16_t *rows, const uint32_t *offsets, const uint32_t pairs, const int16_t *weights,
    uint32_t count, uint32_t stride, int8_t *out, uint32_t step) {
    for (; count > 0; count--, rows += stride * GROUP, out += step) {
        words_t low = load_words(channels->bias), high = load_words(channels->bias + 8);
        for (uint32_t k = 0; k < pairs; k++) {
            const halves_t a = load_halves(rows + offsets[2 * k]);
            const halves_t b = load_halves(rows + offsets[2 * k + 1]);
            const int16_t *w = weights + k * 2 * GROUP;
            low = add_products(low, pairs_low(a, b), load_halves(w));
            high = add_products(high, pairs_high(a, b), load_halves(w + GROUP));
        }
        store_outputs(channels, low, high, out);
    }
}

static inline int run_depthwise(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const uint64_t taps = (uint64_t)op->kernel_h * op->kernel_w;
    const uint64_t width
        = (op->out_w - 1u) * op->stride_w + (op->kernel_w - 1u) * op->dilation_w + 1;
    const uint32_t height = (op->kernel_h - 1u) * op->dilation_h + 1;
    if (taps > 2 * MOST_PAIRS || width > STRIP_BYTES / 2 / GROUP) {
        return 0;
    }
    const uint32_t pitch = (uint32_t)width * GROUP, most = STRIP_BYTES / 2 / pitch;
    if (height > most) {
        return 0;
    }
    int16_t strip[STRIP_BYTES / 2], weights[MOST_PAIRS * 2 * GROUP];
    uint32_t offsets[2 * MOST_PAIRS + 1];
    tap_offsets(op, (uint32_t)width, offsets);
    const uint32_t most_rows = (most - height) / op->stride_h + 1; // of the output
    const uint32_t begin = call->begin * op->block_channels;
    const uint32_t channels = (call->end - call->begin) * op->block_channels;
    const int8_t *input = call->arena + op->input;
    for (uint32_t c = 0; c < channels; c += GROUP) {
        channels_t group;
        read_channels(call, c, (uint32_t)taps, &group);
        pack_taps(&group, (uint32_t)taps, weights);
        int8_t *out = call->arena + op->output + begin + c;
        for (uint32_t first = 0, rows; first < op->out_h; first += rows) {
            rows = op->out_h - first < most_rows ? op->out_h - first : most_rows;
            const int32_t y = (int32_t)(first * op->stride_h) - op->pad_top;
            const uint32_t lines = (rows - 1) * op->stride_h + height;
            for (uint32_t i = 0; i < lines; i++) {
                widen_row(op, input, begin + c, group.count, y + (int32_t)i, -op->pad_left,
                    (uint32_t)width, strip + i * pitch);
            }
            const int16_t *from = strip;
            for (uint32_t i = 0; i < rows; i++, from += op->stride_h * pitch) {
                if (taps == 9) {
                    windows_of(&group, from, offsets, 5, weights, op->out_w, op->stride_w, out,
                        op->out_c);
                } else {
                    windows_of(&group, from, offsets, (uint32_t)(taps + 1) / 2, weights, op->out_w,
                        op->stride_w, out, op->out_c);
                }
                out += (uint32_t)op->out_w * op->out_c;
            }
        }
    }
    return 1;
}

#endif
