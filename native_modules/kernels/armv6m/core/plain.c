// CONV_2D and FULLY_CONNECTED for the records that no other kernel takes.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

#include "plain.h"

// Up to MIDGE_DOT_ROWS channels from number `c` on, which is behind `place`.
static void channels(const midge_call_t *call, midge_place_t *place, uint32_t c, uint32_t count) {
    const midge_window_t *op = call->op;
    const uint32_t depth = op->in_c;
    const int8_t *input = call->arena + op->input;
    int8_t *out = call->arena + op->output + c;
    midge_channel_t channel[MIDGE_DOT_ROWS];
    midge_dot_t dot;
    for (uint32_t r = 0; r < MIDGE_DOT_ROWS; r++) {
        dot.w[r] = midge_row(place, r < count, 0);
        midge_channel(op, place->block, (uint32_t)place->index, &channel[r]);
    }
    for (int32_t oy = 0; oy < op->out_h; oy++) {
        for (int32_t ox = 0; ox < op->out_w; ox++, out += op->out_c) {
            for (uint32_t r = 0; r < MIDGE_DOT_ROWS; r++) {
                dot.sums[r] = (uint32_t)channel[r].bias;
            }
            int32_t y = oy * op->stride_h - op->pad_top;
            for (uint32_t ky = 0, at = 0; ky < op->kernel_h; ky++, y += op->dilation_h) {
                int32_t x = ox * op->stride_w - op->pad_left;
                for (uint32_t kx = 0; kx < op->kernel_w; kx++, x += op->dilation_w) {
                    const int inside = y >= 0 && y < op->in_h && x >= 0 && x < op->in_w;
                    const uint32_t tap = ((uint32_t)y * op->in_w + (uint32_t)x) * op->in_c;
                    // Beside the image lies a value again and again.
                    const uint32_t run = inside ? depth : 1;
                    for (const uint32_t end = at + depth; at < end; at += run) {
                        midge_dot_rows(&dot, inside ? input + tap : &op->input_zero, at, run);
                    }
                }
            }
            for (uint32_t r = 0; r < count; r++) {
                out[r] = midge_output(op, &channel[r], dot.sums[r]);
            }
        }
    }
}

void midge_plain(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    midge_place_t place;
    midge_begin_rows(&place, call, (uint32_t)op->kernel_h * op->kernel_w * op->in_c);
    const uint32_t end = call->end * op->block_channels;
    for (uint32_t c = call->begin * op->block_channels; c < end; c += MIDGE_DOT_ROWS) {
        channels(call, &place, c, end - c < MIDGE_DOT_ROWS ? end - c : MIDGE_DOT_ROWS);
    }
}

#endif
