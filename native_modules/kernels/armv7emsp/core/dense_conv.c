// CONV_2D and FULLY_CONNECTED, above all of few pixels: each window meets four rows of weights at
// once.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV7EMSP

#include "dense.h"
#include "next_window.h"

int midge_dense_conv(const midge_call_t *call, uint32_t depth, uint32_t pixels) {
    const midge_window_t *op = call->op;
    const uint32_t channels = (call->end - call->begin) * op->block_channels;
    const int8_t *input = call->arena + op->input;
    const int is_clamped = midge_is_clamped(op);
    midge_lane_t lanes[MIDGE_DENSE_ROWS];
    int8_t outputs[MIDGE_DENSE_ROWS];
    for (uint32_t first = 0; first < channels; first += MIDGE_DENSE_ROWS) {
        uint32_t some = channels - first;
        some = some < MIDGE_DENSE_ROWS ? some : MIDGE_DENSE_ROWS;
        if (!midge_lanes(call, depth, first, some, lanes)) {
            return 0;
        }
        for (uint32_t i = some; i < MIDGE_DENSE_ROWS; i++) {
            lanes[i] = lanes[0];
        }
        midge_image_t image = {op, input, 0, 0, 0};
        int8_t *out = call->arena + op->output + call->begin * op->block_channels + first;
        for (uint32_t p = 0; p < pixels; p++, out += op->out_c) {
            const int8_t *x = midge_next_window(&image);
            if (!x) {
                return 0;
            }
            midge_dense(x, lanes, depth, some == MIDGE_DENSE_ROWS ? out : outputs);
            if (some < MIDGE_DENSE_ROWS) {
                for (uint32_t i = 0; i < some; i++) {
                    out[i] = outputs[i];
                }
            }
            if (is_clamped) {
                midge_clamp_all(op, out, some);
            }
        }
    }
    return 1;
}

#endif
