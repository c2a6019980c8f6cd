// DEPTHWISE_CONV_2D, 3x3 with stride 1 or 2: rows.S runs over one channel after the other.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

#include "conv_armv6m.h"
#include "patch.h"
#include "rows.h"

#define SIDE 3

static void set_axis(midge_axis_t *axis) {
    const int32_t span = (axis->kernel - 1) * axis->dilation;
    axis->after = (axis->out - 1) * axis->stride - axis->before + span + 1 - axis->in;
    if (axis->after < 0) {
        axis->after = 0;
    }
}

// `line` and `column`: from a weight to the next.
// False for what midge_rows_1_wide and midge_rows_2 do not take: -128 in two lines of a column, of
// which the sum of products, 2 * 128 * 128, does not fit into 16 bits.
static int read_filter(const int8_t *w, uint32_t line, uint32_t column, midge_filter_t *to) {
    const uint32_t last = 2 * column;
    const uint32_t found = to->stride == 1 ? midge_read_lines(w, &to->lines[1], line, column, last)
                                       : midge_read_lines(w, &to->lines[1], line, last, column);
    const int wide = (found & MIDGE_LINES_WIDE) != 0;
    to->run = to->stride == 2 ? midge_rows_2 : wide ? midge_rows_1_wide : midge_rows_1;
    return found >> MIDGE_LINES_LEAST < 2;
}

static int run_3x3(const midge_call_t *call, const midge_axis_t *axes) {
    const midge_window_t *op = call->op;
    const int32_t stride = op->stride_h;
    // Few long rows are faster than many short ones.
    const int turned = !midge_overlaps(op) && op->in_h <= MIDGE_ROW_COLUMNS
        && (op->out_w < op->out_h || op->out_w > MIDGE_ROW_COLUMNS);
    const midge_axis_t *columns = &axes[turned], *lines = &axes[!turned];
    const uint32_t column = turned ? SIDE : 1, line = turned ? 1 : SIDE;
    // Sums that a row pushes: those of its outputs but for the last one if its window ends behind
    // the image, and those of windows that begin before the first one.
    const int32_t pushed = columns->out - columns->after + (stride == 1 ? 2 : 1) - columns->before;
    if (op->kernel_h != SIDE || op->kernel_w != SIDE || op->dilation_h != 1 || op->dilation_w != 1
        || stride > 2 || op->stride_w != stride || lines->before > 1 || lines->after > 1
        || columns->before > 1 || columns->after > 1 || lines->in < SIDE
        || pushed > MIDGE_ROW_COLUMNS || pushed < 1) {
        return 0;
    }
    const uint32_t multiplier = midge_divide(op->out_c, op->in_c);
    midge_scale_t scale;
    midge_rows_t rows;
    rows.above = 4 * pushed - MIDGE_ROW_BYTES;
    rows.joins = !columns->before;
    rows.line = lines->in_step;
    rows.column = columns->in_step;
    rows.none = 0;
    rows.has_tail = (uint32_t)columns->after;
    rows.outputs_bytes = 4 * (uint32_t)columns->out;
    rows.back = -columns->out_step;
    rows.scale = &scale;
    rows.image_step = stride * lines->in_step;
    rows.out_step = lines->out_step + columns->out * columns->out_step;
    midge_filter_t filter;
    filter.lines[0] = filter.lines[SIDE + 1] = (midge_line_t){0, 0};
    filter.count[0] = lines->after;
    filter.count[1] = lines->out - lines->before - lines->after;
    filter.count[2] = lines->before;
    filter.line = lines->in_step;
    filter.zero = op->input_zero;
    filter.stride = stride;
    midge_place_t place;
    midge_begin_rows(&place, call, SIDE * SIDE);
    const uint32_t end = call->end * op->block_channels;
    for (uint32_t c = call->begin * op->block_channels; c < end; c++) {
        if (!read_filter(midge_row(&place, 1, &scale), line, column, &filter)) {
            place.index--;
            midge_depthwise_plain(call, axes, &place, c, c + 1);
            continue;
        }
        rows.image = call->arena + op->input - lines->before * lines->in_step;
        rows.image += multiplier == 1 ? c : midge_divide(c, multiplier);
        rows.out = call->arena + op->output + c + (columns->out - 1) * columns->out_step;
        midge_run_rows(&rows, &filter);
    }
    return 1;
}

void midge_depthwise_conv_armv6m(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    midge_axis_t axes[] = {
        {op->in_w, op->out_w, op->in_c, op->out_c, op->kernel_w, op->stride_w, op->dilation_w,
            op->pad_left, 0},
        {op->in_h, op->out_h, op->in_w * op->in_c, op->out_w * op->out_c, op->kernel_h,
            op->stride_h, op->dilation_h, op->pad_top, 0},
    };
    set_axis(&axes[0]);
    set_axis(&axes[1]);
    if (run_3x3(call, axes)) {
        return;
    }
    if (op->in_c == 1) {
        midge_conv_armv6m(call); // the weights of the two lie alike then
        return;
    }
    midge_place_t place;
    midge_begin_rows(&place, call, (uint32_t)op->kernel_h * op->kernel_w);
    midge_depthwise_plain(call, axes, &place, call->begin * op->block_channels,
        call->end * op->block_channels);
}

#endif
