// DEPTHWISE_CONV_2D with any multiplier: output channel c reads input channel c / multiplier.

#include "call.h"
#include "window.h"

#ifndef MIDGE_TUNED_CONV

static uint32_t window(const midge_window_t *op, const int8_t *input, const int8_t *w, int32_t y,
    int32_t x) {
    int32_t first, last;
    midge_taps(x, op->in_w, op->kernel_w, op->dilation_w, &first, &last);
    const int32_t step = op->dilation_w * op->in_c;
    uint32_t acc = 0;
    uint32_t padding = 0; // sum of the weights that meet padding
    for (int32_t ky = 0; ky < op->kernel_h; ky++, y += op->dilation_h, w += op->kernel_w) {
        int inside = y >= 0 && y < op->in_h;
        int32_t from = inside ? first : op->kernel_w;
        int32_t to = inside ? last : op->kernel_w;
        int32_t kx = 0;
        for (; kx < from && kx < op->kernel_w; kx++) {
            padding += w[kx];
        }
        if (kx < to) {
            const int32_t pixel = y * op->in_w + x + kx * op->dilation_w;
            const int8_t *p = input + (uint32_t)pixel * op->in_c;
            for (uint32_t at = 0; kx < to; kx++, at += step) {
                acc += p[at] * w[kx];
            }
        }
        for (; kx < op->kernel_w; kx++) {
            padding += w[kx];
        }
    }
    return acc + padding * op->input_zero;
}

#ifdef MIDGE_TUNED_3X3
#define IS_3X3(op) 0
#else
#define IS_3X3(op) \
    ((op)->kernel_h == 3 && (op)->kernel_w == 3 && (op)->dilation_h == 1 && (op)->dilation_w == 1)
#endif

// `count` windows of 3x3 that lie within the image, the first one at `p`: nine weights in
// registers.
static void inner_3x3(const midge_window_t *op, const midge_channel_t *channel, const int8_t *w,
    const int8_t *p, int8_t *out, int32_t count) {
    const int32_t w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3], w4 = w[4], w5 = w[5], w6 = w[6];
    const int32_t w7 = w[7], w8 = w[8];
    const uint32_t c = op->in_c, line = op->in_w * c, step = op->stride_w * c;
    const int8_t *q = p + line, *r = q + line;
    for (; count > 0; count--, p += step, q += step, r += step, out += op->out_c) {
        const int32_t top = w0 * p[0] + w1 * p[c] + w2 * p[2 * c];
        const int32_t middle = w3 * q[0] + w4 * q[c] + w5 * q[2 * c];
        const int32_t bottom = w6 * r[0] + w7 * r[c] + w8 * r[2 * c];
        const uint32_t sum = (uint32_t)(top + middle + bottom);
        *out = midge_output(op, channel, sum + (uint32_t)channel->bias);
    }
}

static void channel_of(const midge_window_t *op, const midge_channel_t *channel, const int8_t *w,
    const int8_t *input, int8_t *out) {
    const int is_3x3 = IS_3X3(op);
    for (int32_t oy = 0; oy < op->out_h; oy++) {
        const int32_t y = oy * op->stride_h - op->pad_top;
        const int whole = is_3x3 && y >= 0 && y + 3 <= op->in_h;
        for (int32_t ox = 0; ox < op->out_w;) {
            const int32_t x = ox * op->stride_w - op->pad_left;
            int32_t count = 0; // of windows from here on that lie within the image
            if (whole && x >= 0 && x + 3 <= op->in_w) {
                count = (op->in_w - 3 - x) / op->stride_w + 1;
                count = count < op->out_w - ox ? count : op->out_w - ox;
                const int8_t *p = input + (uint32_t)(y * op->in_w + x) * op->in_c;
                inner_3x3(op, channel, w, p, out, count);
            } else {
                count = 1;
                const uint32_t sum = window(op, input, w, y, x);
                *out = midge_output(op, channel, sum + (uint32_t)channel->bias);
            }
            ox += count;
            out += (uint32_t)count * op->out_c;
        }
    }
}

void midge_depthwise_conv(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const uint32_t row_bytes = (uint32_t)op->kernel_h * op->kernel_w;
    const uint32_t multiplier = (uint32_t)op->out_c / op->in_c;
    const uint8_t *block = call->weights;
    for (uint32_t b = call->begin; b < call->end; b++, block += op->block_bytes) {
        const int8_t *w = (const int8_t *)block + midge_entries_bytes(op);
        for (uint32_t i = 0; i < op->block_channels; i++, w += row_bytes) {
            midge_channel_t channel;
            midge_channel(op, block, i, &channel);
            const uint32_t c = b * op->block_channels + i;
            channel_of(op, &channel, w, call->arena + op->input + c / multiplier,
                call->arena + op->output + c);
        }
    }
}

#endif
