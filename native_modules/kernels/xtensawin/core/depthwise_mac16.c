// DEPTHWISE_CONV_2D with windows of 3x3, by MAC16: a channel's sums, some rows of them, then their
// outputs. Others that read a single channel are those of CONV_2D.

#include "target.h"

#ifdef MIDGE_KERNELS_XTENSA

#include "conv_mac16.h"
#include "mac16.h"

#define SUMS 64 // on the stack

typedef struct {
    const midge_window_t *op;
    const int8_t *input; // of this channel
    midge_columns_t columns;
    int32_t sums[SUMS];
} rows_t;

static void load_column(midge_columns_t *columns, int32_t *column) {
    for (int i = 0; i < 3; i++) {
        column[i] = *columns->line[i];
        columns->line[i] += columns->step[i];
    }
}

static void set_column(const midge_window_t *op, int32_t *column) {
    column[0] = column[1] = column[2] = op->input_zero;
}

// The sums of an output row; lines above and below the image are the zero point again and again.
static void row(rows_t *rows, int32_t oy) {
    const midge_window_t *op = rows->op;
    midge_columns_t *columns = &rows->columns;
    const int32_t y = oy * op->stride_h - op->pad_top;
    for (int32_t i = 0; i < 3; i++) {
        const int inside = y + i >= 0 && y + i < op->in_h;
        columns->line[i] = inside
            ? rows->input + (uint32_t)(y + i) * op->in_w * op->in_c : &op->input_zero;
        columns->step[i] = inside ? op->in_c : 0;
    }
    if (op->pad_left) {
        set_column(op, columns->column[0]);
    } else {
        load_column(columns, columns->column[0]);
    }
    // Columns behind the image that the last window has: none or one.
    const int32_t last = (op->out_w - 1) * op->stride_w - op->pad_left + 2;
    const uint32_t behind = last >= op->in_w;
    if (op->stride_w == 1) {
        load_column(columns, columns->column[1]);
        midge_mac_columns(columns, op->out_w - behind);
    } else if (op->out_w > behind) {
        midge_mac_columns_2(columns, op->out_w - behind);
    }
    if (!behind) {
        return;
    }
    if (op->stride_w == 2) {
        load_column(columns, columns->column[1]);
    }
    for (int i = 0; i < 3; i++) {
        columns->line[i] = &op->input_zero;
        columns->step[i] = 0;
    }
    midge_mac_columns(columns, 1);
}

// By itself, so that other layers have no sums on the stack.
__attribute__((noinline)) static void channel(const midge_window_t *op,
    const midge_scale_t *scale, const int8_t *w, const int8_t *input, int8_t *out) {
    rows_t rows;
    rows.op = op;
    rows.input = input;
    for (int i = 0; i < 9; i++) {
        rows.columns.weights[i % 3 * 3 + i / 3] = w[i];
    }
    rows.columns.weights[9] = 0;
    rows.columns.sums = rows.sums;
    uint32_t count = 0;
    for (int32_t oy = 0; oy < op->out_h; oy++) {
        row(&rows, oy);
        count += op->out_w;
        if (count + op->out_w > SUMS || oy + 1 == op->out_h) {
            midge_scale_sums(rows.sums, count, scale, out, op->out_c);
            out += count * op->out_c;
            rows.columns.sums = rows.sums;
            count = 0;
        }
    }
}

// Whether the windows are what `row` can do: at most a column of padding on each side, and two
// columns of the image to begin with.
static int suits(const midge_window_t *op) {
    const int32_t last = (op->out_w - 1) * op->stride_w - op->pad_left + 2;
    return op->kernel_h == 3 && op->kernel_w == 3 && op->dilation_h == 1 && op->dilation_w == 1
        && (op->stride_w == 1 || op->stride_w == 2) && op->pad_left <= 1 && last <= op->in_w
        && op->in_w >= 3 && op->out_w <= SUMS;
}

void midge_depthwise_conv_xtensa(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    if (!midge_has_mac16() || !suits(op)) {
        if (op->in_c == 1) {
            midge_conv_xtensa(call); // the weights of the two lie alike then
        } else {
            midge_depthwise_conv(call);
        }
        return;
    }
    const uint32_t multiplier = (uint32_t)op->out_c / op->in_c;
    const uint8_t *block = call->weights;
    uint32_t c = call->begin * op->block_channels;
    for (uint32_t b = call->begin; b < call->end; b++, block += op->block_bytes) {
        const int8_t *w = (const int8_t *)block + midge_entries_bytes(op);
        for (uint32_t i = 0; i < op->block_channels; i++, c++, w += 9) {
            midge_scale_t scale;
            midge_scale(op, block, i, &scale);
            channel(op, &scale, w, call->arena + op->input + c / multiplier,
                call->arena + op->output + c);
        }
    }
}

#endif
