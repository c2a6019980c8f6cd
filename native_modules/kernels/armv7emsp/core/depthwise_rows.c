// DEPTHWISE_CONV_2D, 3x3 with stride 1 or 2 and at most one column of padding on each side: channel
// by channel, all rows at once whose windows lie within the image's lines.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV7EMSP

#include "conv_armv7emsp.h"
#include "depthwise.h"

// Two numbers of 16 bits.
static uint32_t both(int32_t low, int32_t high) {
    return (uint16_t)low | (uint32_t)high << 16;
}

// For windows of three lines of the image whose first one is `above` lines below their own first:
// weights of lines beyond the image are left out, and what those add is in the bias.
static void read_weights(const midge_window_t *op, const midge_lane_t *lane, int32_t above,
    midge_rows_t *rows) {
    int32_t weights[MIDGE_SIDE][MIDGE_SIDE]; // by columns, twice what they are
    int32_t sums[MIDGE_SIDE]; // of a column
    int32_t outside = 0;
    const int8_t *w = lane->row;
    for (int32_t kx = 0; kx < MIDGE_SIDE; kx++) {
        sums[kx] = 0;
        outside += 2 * (w[kx] + w[MIDGE_SIDE + kx] + w[2 * MIDGE_SIDE + kx]);
        for (int32_t line = 0; line < MIDGE_SIDE; line++) {
            const int32_t ky = line + above;
            const int is_inside = ky >= 0 && ky < MIDGE_SIDE;
            weights[kx][line] = is_inside ? 2 * w[MIDGE_SIDE * ky + kx] : 0;
            sums[kx] += weights[kx][line];
        }
        outside -= sums[kx];
        rows->pairs[kx] = both(weights[kx][0], weights[kx][1]);
    }
    rows->thirds[0] = both(weights[0][2], weights[1][2]);
    rows->thirds[1] = both(weights[2][2], 0);
    rows->bias = lane->bias + outside * op->input_zero;
    rows->left = rows->bias + sums[0] * op->input_zero;
    rows->right = sums[2] * op->input_zero;
}

// A channel: its image and its outputs.
static void run_channel(const midge_window_t *op, const midge_lane_t *lane, const int8_t *image,
    int8_t *out, midge_rows_t *rows) {
    rows->multiplier = lane->multiplier;
    rows->offset = lane->offset;
    rows->shift = lane->shift;
    const int32_t last_line = op->in_h - MIDGE_SIDE; // that a window within the image begins with
    int32_t y = -op->pad_top;
    for (uint32_t oy = 0; oy < op->out_h; oy += rows->rows) {
        const int32_t line = y < 0 ? 0 : y < last_line ? y : last_line;
        rows->rows = 1;
        if (line == y) {
            const uint32_t more = midge_divide((uint32_t)(last_line - y), op->stride_h);
            const uint32_t left = op->out_h - oy;
            rows->rows = more < left ? more + 1 : left;
        }
        read_weights(op, lane, line - y, rows);
        rows->input = image + (uint32_t)line * rows->line;
        rows->out = out;
        rows->end = out + (op->out_w - rows->is_right) * op->out_c;
        if (op->stride_w == 1) {
            midge_rows_1(rows);
        } else {
            midge_rows_2(rows);
        }
        y += (int32_t)(rows->rows * op->stride_h);
        out += rows->rows * rows->out_row;
    }
}

static int run_3x3(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    // Columns of the last window behind the image.
    const int32_t behind
        = (op->out_w - 1) * op->stride_w - op->pad_left + MIDGE_SIDE - op->in_w;
    if (op->kernel_h != MIDGE_SIDE || op->kernel_w != MIDGE_SIDE || op->dilation_h != 1
        || op->dilation_w != 1 || op->stride_w > 2 || op->pad_left > 1 || behind > 1
        || op->in_h < MIDGE_SIDE) {
        return 0;
    }
    const uint32_t multiplier = midge_divide(op->out_c, op->in_c);
    const uint32_t first = call->begin * op->block_channels;
    const uint32_t channels = (call->end - call->begin) * op->block_channels;
    int8_t *out = call->arena + op->output + first;
    midge_rows_t rows;
    rows.line = (uint32_t)op->in_w * op->in_c;
    rows.step = op->in_c;
    rows.out_step = op->out_c;
    rows.is_left = op->pad_left;
    rows.is_right = behind > 0;
    rows.input_row = op->stride_h * rows.line;
    rows.out_row = (uint32_t)op->out_w * op->out_c;
    for (uint32_t i = 0; i < channels; i++) {
        midge_lane_t lane;
        if (!midge_lanes(call, MIDGE_SIDE * MIDGE_SIDE, i, 1, &lane)) {
            return 0;
        }
        const int8_t *image
            = call->arena + op->input + midge_divide(first + i, multiplier);
        run_channel(op, &lane, image, out + i, &rows);
    }
    midge_clamp_outputs(op, out, channels);
    return 1;
}

void midge_depthwise_conv_armv7emsp(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    if (run_3x3(call)) {
        return;
    }
    if (op->in_c == 1) {
        midge_conv_armv7emsp(call); // the weights of the two lie alike then
    } else {
        midge_depthwise_conv(call);
    }
}

#endif
