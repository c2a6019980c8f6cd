// DEPTHWISE_CONV_2D, 3x3 with stride 1 or 2 and at most one column of padding on each side:
// channel by channel, all rows at once whose windows lie within the image's lines.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV7EMSP

#include "kernels_armv7emsp.h"
#include "depthwise.h"

// A channel's weights, twice what they are: a column's are 16 bits each, from bit 0 on.
typedef struct {
    uint64_t columns[MIDGE_SIDE];
    int32_t sum; // of all
} weights_t;

static void set_weights(weights_t *weights, const int8_t *w) {
    weights->sum = 0;
    for (uint32_t kx = 0; kx < MIDGE_SIDE; kx++, w++) {
        const int32_t a = 2 * w[0], b = 2 * w[MIDGE_SIDE], c = 2 * w[2 * MIDGE_SIDE];
        const uint32_t pair = (uint16_t)a | (uint32_t)b << 16;
        weights->columns[kx] = pair | (uint64_t)(uint16_t)c << 32;
        weights->sum += a + b + c;
    }
}

// Windows whose first line is `above` lines above the image's line that is read first: weights of
// lines beyond the image are left out, and what those add is in the bias.
static void place_weights(const midge_window_t *op, const weights_t *weights, int32_t bias,
    int32_t above, midge_rows_t *rows) {
    above = above < -MIDGE_SIDE ? -MIDGE_SIDE : above > MIDGE_SIDE ? MIDGE_SIDE : above;
    int32_t sums[MIDGE_SIDE], outside = weights->sum; // sums of the columns
    for (uint32_t kx = 0; kx < MIDGE_SIDE; kx++) {
        uint64_t column = weights->columns[kx];
        column = above < 0 ? column << (-16 * above) : column >> (16 * above);
        rows->pairs[kx] = (uint32_t)column;
        rows->thirds[kx] = (int16_t)(column >> 32);
        sums[kx] = __smlad((int16x2_t)rows->pairs[kx], 0x00010001, rows->thirds[kx]);
        outside -= sums[kx];
    }
    rows->bias = bias + outside * op->input_zero;
    rows->left = rows->bias + sums[0] * op->input_zero;
    rows->right = sums[2] * op->input_zero;
}

// A channel: its image and its outputs.
static void run_channel(const midge_window_t *op, const weights_t *weights, int32_t bias,
    const int8_t *image, int8_t *out, midge_rows_t *rows) {
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
        place_weights(op, weights, bias, line - y, rows);
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
    rows.is_odd = (op->out_w - rows.is_right) & 1;
    weights_t weights;
    for (uint32_t i = 0; i < channels; i++) {
        midge_lane_t lane;
        if (!midge_lanes(call, MIDGE_SIDE * MIDGE_SIDE, i, 1, &lane)) {
            return 0;
        }
        rows.multiplier = lane.multiplier;
        rows.offset = lane.offset;
        rows.shift = lane.shift;
        set_weights(&weights, lane.row);
        const int8_t *image
            = call->arena + op->input + midge_divide(first + i, multiplier);
        run_channel(op, &weights, lane.bias, image, out + i, &rows);
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
