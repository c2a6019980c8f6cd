// DEPTHWISE_CONV_2D with any multiplier: output channel c reads input channel c / multiplier.

#include "dispatch.h"
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
            const int8_t *p = input + (uint32_t)(y * op->in_w + x + kx * op->dilation_w) * op->in_c;
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
            uint32_t c = b * op->block_channels + i;
            const int8_t *input = call->arena + op->input + c / multiplier;
            int8_t *out = call->arena + op->output + c;
            uint32_t at = 0;
            for (int32_t oy = 0; oy < op->out_h; oy++) {
                int32_t y = oy * op->stride_h - op->pad_top;
                for (int32_t ox = 0; ox < op->out_w; ox++, at += op->out_c) {
                    uint32_t acc = window(op, input, w, y, ox * op->stride_w - op->pad_left);
                    out[at] = midge_requantize(op, &channel, acc + channel.bias);
                }
            }
        }
    }
}

#endif
