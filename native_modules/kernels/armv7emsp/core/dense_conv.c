// CONV_2D and FULLY_CONNECTED, above all of few pixels: each window meets four rows of weights at
// once.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV7EMSP

#include "dense.h"

// Whether every window lies within the image, in one piece: a pixel each, or whole lines.
static int is_dense(const midge_window_t *op) {
    const int is_pixel = op->kernel_h == 1 && op->kernel_w == 1;
    const int is_lines = op->kernel_w == op->in_w && op->dilation_w == 1 && op->dilation_h == 1;
    return (is_pixel || is_lines) && !op->pad_top && !op->pad_left
        && (op->out_h - 1) * op->stride_h + op->kernel_h <= op->in_h
        && (op->out_w - 1) * op->stride_w + op->kernel_w <= op->in_w;
}

int midge_dense_conv(const midge_call_t *call, uint32_t depth) {
    const midge_window_t *op = call->op;
    if (!is_dense(op) || midge_overlaps(op)) {
        return 0;
    }
    const uint32_t channels = (call->end - call->begin) * op->block_channels;
    int8_t *const outputs = call->arena + op->output + call->begin * op->block_channels;
    midge_lane_t lanes[MIDGE_DENSE_ROWS];
    int8_t bytes[MIDGE_DENSE_ROWS];
    for (uint32_t first = 0; first < channels; first += MIDGE_DENSE_ROWS) {
        uint32_t some = channels - first;
        some = some < MIDGE_DENSE_ROWS ? some : MIDGE_DENSE_ROWS;
        if (!midge_lanes(call, depth, first, some, lanes)) {
            return 0;
        }
        for (uint32_t i = some; i < MIDGE_DENSE_ROWS; i++) {
            lanes[i] = lanes[0];
        }
        int8_t *out = outputs + first;
        const int8_t *line = call->arena + op->input;
        for (uint32_t oy = 0; oy < op->out_h; oy++) {
            const int8_t *x = line;
            for (uint32_t ox = 0; ox < op->out_w; ox++, out += op->out_c) {
                midge_dense(x, lanes, depth, some == MIDGE_DENSE_ROWS ? out : bytes);
                for (uint32_t i = 0; i < some % MIDGE_DENSE_ROWS; i++) {
                    out[i] = bytes[i];
                }
                x += (uint32_t)op->stride_w * op->in_c;
            }
            line += (uint32_t)op->stride_h * op->in_w * op->in_c;
        }
    }
    midge_clamp_outputs(op, outputs, channels);
    return 1;
}

#endif
