// CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED for the records that no other kernel takes:
// little code rather than few cycles.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

#include "dot.h"
#include "plain.h"

void midge_plain_channel(const midge_call_t *call, const uint8_t *block, uint32_t index,
    uint32_t c) {
    const midge_window_t *op = call->op;
    const int8_t *input = call->arena + op->input;
    uint32_t depth = op->in_c; // weights of a tap
    if (op->code == MIDGE_DEPTHWISE_CONV_2D) {
        depth = 1;
        input += midge_divide(c, midge_divide(op->out_c, op->in_c));
    }
    const int8_t *rows = (const int8_t *)block + midge_entries_bytes(op)
        + index * op->kernel_h * op->kernel_w * depth;
    int8_t *out = call->arena + op->output + c;
    midge_channel_t channel;
    midge_channel(op, block, index, &channel);
    for (int32_t oy = 0; oy < op->out_h; oy++) {
        for (int32_t ox = 0; ox < op->out_w; ox++, out += op->out_c) {
            const int8_t *w = rows;
            uint32_t acc = (uint32_t)channel.bias;
            int32_t y = oy * op->stride_h - op->pad_top;
            for (uint32_t ky = 0; ky < op->kernel_h; ky++, y += op->dilation_h) {
                int32_t x = ox * op->stride_w - op->pad_left;
                for (uint32_t kx = 0; kx < op->kernel_w; kx++, x += op->dilation_w, w += depth) {
                    if (y >= 0 && y < op->in_h && x >= 0 && x < op->in_w) {
                        const uint32_t at = ((uint32_t)y * op->in_w + (uint32_t)x) * op->in_c;
                        acc += midge_dot(input + at, w, depth);
                    } else {
                        for (uint32_t i = 0; i < depth; i++) {
                            acc += (uint32_t)(w[i] * op->input_zero);
                        }
                    }
                }
            }
            *out = midge_output(op, &channel, acc);
        }
    }
}

void midge_plain(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const uint8_t *block = call->weights;
    uint32_t c = call->begin * op->block_channels;
    for (uint32_t b = call->begin; b < call->end; b++, block += op->block_bytes) {
        for (uint32_t i = 0; i < op->block_channels; i++, c++) {
            midge_plain_channel(call, block, i, c);
        }
    }
}

#endif
