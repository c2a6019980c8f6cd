// DEPTHWISE_CONV_2D, 3x3 with stride 1 or 2: rows.S runs over one channel after the other.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

#include "conv_armv6m.h"
#include "patch.h"
#include "rows.h"

#define SIDE 3

static int32_t size_of(int32_t x) {
    return x < 0 ? -x : x;
}

// An axis of the image, and what windows need of it: pixels, bytes from one to the next, and
// whether the first and last window hang over its ends.
typedef struct {
    int32_t in, out, in_step, out_step, before, after;
} axis_t;

static axis_t axis(int32_t in, int32_t out, int32_t in_step, int32_t out_step, int32_t stride,
    int32_t before) {
    const int32_t behind = (out - 1) * stride - before + SIDE - in;
    return (axis_t){in, out, in_step, out_step, before, behind < 0 ? 0 : behind};
}

// A channel's weights by lines. Where a window misses its first or last line, it moves by one line
// and has weights of 0 there: lines 0 and 4.
typedef struct {
    midge_line_t lines[SIDE + 2];
    // Sums of the first column, of the last one and of all; and of them what windows that miss the
    // last line (0), none (1) or the first line (2) do not have.
    struct {
        int32_t first, last, all;
    } sums, missing[SIDE];
    void (*run)(midge_rows_t *rows);
} weights_t;

// `line` and `column`: from a weight to the next.
// False for what midge_rows_1_wide and midge_rows_2 do not take: -128 in two lines of a column, of
// which the sum of products, 2 * 128 * 128, does not fit into 16 bits.
static int read_weights(const int8_t *w, uint32_t line, uint32_t column, int32_t stride,
    weights_t *to) {
    uint32_t extremes = 0;
    int32_t sizes = 0, other_sizes = 0;
    to->sums.first = to->sums.last = 0;
    for (uint32_t y = 1; y <= SIDE; y++, w += line) {
        const int32_t a = w[0], b = w[column], c = w[2 * column], all = a + b + c;
        const int32_t other = stride == 1 ? b : c; // shares a word with `a`
        to->lines[y].paired = other + a * 65536;
        to->lines[y].single = b + c - other;
        to->missing[SIDE - y].first = a;
        to->missing[SIDE - y].last = c;
        to->missing[SIDE - y].all = all;
        to->sums.first += a;
        to->sums.last += c;
        sizes += size_of(a);
        other_sizes += size_of(other);
        extremes += (a == -128) + (other == -128);
    }
    to->missing[1].first = to->missing[1].last = to->missing[1].all = 0;
    const int plain = sizes <= MIDGE_LANE_LIMIT && other_sizes <= MIDGE_LANE_LIMIT;
    to->run = stride == 2 ? midge_rows_2 : plain ? midge_rows_1 : midge_rows_1_wide;
    return extremes < 2;
}

// `count` rows. `skip` is 1, or 0 or 2 where the window misses its last or first line.
static void run_rows(midge_rows_t *rows, const weights_t *w, uint32_t skip, int32_t zero,
    int32_t count) {
    rows->lines = &w->lines[skip];
    rows->before = rows->joins ? 0 : zero * (w->sums.first - w->missing[skip].first);
    rows->tail = zero * (w->sums.last - w->missing[skip].last);
    rows->start = rows->scale->start + (uint32_t)(zero * w->missing[skip].all);
    rows->rows = (uint32_t)count;
    w->run(rows);
}

static int run_3x3(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const int32_t stride = op->stride_h, zero = op->input_zero;
    const int32_t in_c = op->in_c, out_c = op->out_c;
    const axis_t axes[] = {
        axis(op->in_w, op->out_w, in_c, out_c, stride, op->pad_left),
        axis(op->in_h, op->out_h, op->in_w * in_c, op->out_w * out_c, stride, op->pad_top),
    };
    // Few long rows are faster than many short ones.
    const int turned = op->in_h <= MIDGE_ROW_COLUMNS
        && (op->out_w < op->out_h || op->out_w > MIDGE_ROW_COLUMNS);
    const axis_t *columns = &axes[turned], *lines = &axes[!turned];
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
    rows.out_step = lines->out_step;
    weights_t weights;
    weights.lines[0] = weights.lines[SIDE + 1] = (midge_line_t){0, 0};
    const int32_t inner = lines->out - lines->before - lines->after;
    midge_place_t place;
    midge_begin_rows(&place, call, SIDE * SIDE);
    const uint32_t end = call->end * op->block_channels;
    for (uint32_t c = call->begin * op->block_channels; c < end; c++) {
        if (!read_weights(midge_row(&place, 1, &scale), line, column, stride, &weights)) {
            place.index--;
            midge_depthwise_channel(call, &place, c);
            continue;
        }
        rows.image = call->arena + op->input;
        rows.image += multiplier == 1 ? c : midge_divide(c, multiplier);
        rows.out = call->arena + op->output + c + (columns->out - 1) * columns->out_step;
        if (lines->before) {
            run_rows(&rows, &weights, 2, zero, 1);
            // Back to where its window, which had moved by a line, would have been.
            rows.image -= lines->in_step;
        }
        if (inner > 0) {
            run_rows(&rows, &weights, 1, zero, inner);
        }
        if (lines->after) {
            rows.image -= lines->in_step;
            run_rows(&rows, &weights, 0, zero, 1);
        }
    }
    return 1;
}

void midge_depthwise_conv_armv6m(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    if (run_3x3(call)) {
        return;
    }
    if (op->in_c == 1) {
        midge_conv_armv6m(call); // the weights of the two lie alike then
        return;
    }
    midge_place_t place;
    midge_begin_rows(&place, call, (uint32_t)op->kernel_h * op->kernel_w);
    const uint32_t end = call->end * op->block_channels;
    for (uint32_t c = call->begin * op->block_channels; c < end; c++) {
        midge_depthwise_channel(call, &place, c);
    }
}

#endif
