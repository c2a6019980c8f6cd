// DEPTHWISE_CONV_2D, 3x3 with stride 1 or 2 and at most one line and column of padding: row by row
// of each channel.

#include "target.h"

#ifdef MIDGE_KERNELS_RV32IMC

#include "conv_rv32imc.h"
#include "depthwise.h"

// sum of the three values of a column times a column of weights
static uint32_t column(const midge_row_t *row, uint32_t x, uint32_t kx) {
    const int32_t *w = row->weights + MIDGE_SIDE * kx;
    const uint32_t at = x * row->step;
    return (uint32_t)(row->lines[0][at] * w[0] + row->lines[1][at] * w[1]
        + row->lines[2][at] * w[2]);
}

static uint32_t padding(const midge_row_t *row, int32_t zero, uint32_t kx) {
    const int32_t *w = row->weights + MIDGE_SIDE * kx;
    return (uint32_t)(zero * (w[0] + w[1] + w[2]));
}

// The outputs `out` to `end` of a channel. `tail`: the last one's window lacks its last column.
static void run_row(const midge_window_t *op, midge_row_t *row, const midge_lane_t *lane,
    int tail, int8_t *last) {
    const int32_t zero = op->input_zero;
    const uint32_t first = op->pad_left ? 0 : 1; // column of the first window's middle
    uint32_t sum = row->bias + (first ? column(row, 0, 0) : padding(row, zero, 0));
    uint32_t read = first;
    row->next = sum;
    if (op->stride_w == 1) {
        row->before = sum + column(row, first, 1);
        row->next = row->bias + column(row, first, 0);
        read++;
    }
    for (uint32_t ky = 0; ky < MIDGE_SIDE; ky++) {
        row->lines[ky] += read * row->step;
    }
    if (op->stride_w == 1) {
        sum = midge_row_1(row);
    } else {
        sum = midge_row_2(row);
        if (tail) {
            // The column in the middle of the last window is the image's last one.
            const uint32_t middle = op->in_w - 1 - read;
            sum += column(row, middle, 1);
        }
    }
    if (tail) {
        // midge_scaled adds the bias.
        *last = midge_scaled(op, lane, sum + padding(row, zero, 2) - lane->bias);
    }
}

// Weights and bias where a window's first line is number `y` of the image. Those of a line that it
// misses are 0, and what that line adds is in the bias.
static void read_weights(const midge_window_t *op, midge_row_t *row, const midge_lane_t *lane,
    int32_t y) {
    const int8_t *w = lane->row;
    row->bias = lane->bias;
    for (uint32_t ky = 0; ky < MIDGE_SIDE; ky++, y++) {
        const int inside = y >= 0 && y < op->in_h;
        for (uint32_t kx = 0; kx < MIDGE_SIDE; kx++, w++) {
            row->weights[MIDGE_SIDE * kx + ky] = inside ? *w : 0;
            row->bias += inside ? 0 : (uint32_t)(*w * op->input_zero);
        }
    }
}

static int run_3x3(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const int32_t stride = op->stride_w;
    const int32_t behind = (op->out_w - 1) * stride - op->pad_left + MIDGE_SIDE - op->in_w;
    const int tail = behind > 0;
    if (op->kernel_h != MIDGE_SIDE || op->kernel_w != MIDGE_SIDE || op->dilation_h != 1
        || op->dilation_w != 1 || stride > 2 || op->pad_left > 1 || behind > 1 || op->in_w < 2) {
        return 0;
    }
    const uint32_t multiplier = midge_divide(op->out_c, op->in_c);
    const uint32_t line = (uint32_t)op->in_w * op->in_c;
    const uint32_t channels = (call->end - call->begin) * op->block_channels;
    const uint32_t row_out = (uint32_t)op->out_w * op->out_c;
    midge_row_t row;
    row.step = op->in_c;
    row.zero = op->output_zero;
    row.low = op->clamp_min;
    row.high = op->clamp_max;
    row.out_step = op->out_c;
    uint32_t c = call->begin * op->block_channels;
    for (uint32_t i = 0; i < channels; i++, c++) {
        midge_lane_t lane;
        if (!midge_lanes(call, MIDGE_SIDE * MIDGE_SIDE, i, 1, &lane)) {
            return 0;
        }
        row.multiplier = lane.multiplier;
        row.half = lane.half;
        row.shift = lane.shift;
        const int8_t *image = call->arena + op->input
            + (multiplier == 1 ? c : midge_divide(c, multiplier));
        int8_t *out = call->arena + op->output + c;
        int32_t y = -op->pad_top;
        int known = 0; // whether the row before had a window of all lines
        for (uint32_t oy = 0; oy < op->out_h; oy++, y += op->stride_h, out += row_out) {
            const int whole = y >= 0 && y + MIDGE_SIDE <= op->in_h;
            if (!whole || !known) {
                read_weights(op, &row, &lane, y);
            }
            known = whole;
            for (int32_t ky = 0; ky < MIDGE_SIDE; ky++) {
                const int inside = y + ky >= 0 && y + ky < op->in_h;
                row.lines[ky] = image + (inside ? (uint32_t)(y + ky) * line : 0);
            }
            row.out = out;
            row.end = out + (uint32_t)(op->out_w - tail) * op->out_c;
            run_row(op, &row, &lane, tail, row.end);
        }
    }
    return 1;
}

void midge_depthwise_conv_rv32imc(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    if (run_3x3(call)) {
        return;
    }
    if (op->in_c == 1) {
        midge_conv_rv32imc(call); // the weights of the two lie alike then
    } else {
        midge_depthwise_conv(call);
    }
}

#endif
