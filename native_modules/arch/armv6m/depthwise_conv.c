// DEPTHWISE_CONV_2D, 3x3 with stride 1 or 2: rows.S runs over one channel after the other. Other windows
// go to the plain C.

#include "depthwise_conv.h"
#include "dispatch.h"
#include "rows.h"

#define SIDE 3

static uint32_t size_of(int32_t x) {
    return (uint32_t)(x < 0 ? -x : x);
}

// Rows of pixels that the windows need behind the image's end, or columns.
static int32_t beyond(int32_t in, int32_t out, int32_t stride, int32_t before) {
    const int32_t behind = (out - 1) * stride - before + SIDE - in;
    return behind < 0 ? 0 : behind;
}

// A channel's weights. Where a window misses its first or last line, it moves by one line and has
// weights of 0 there, hence the zeros at both ends.
typedef struct {
    int32_t paired[SIDE + 2], single[SIDE + 2];
    int32_t first[SIDE + 2], last[SIDE + 2], sum[SIDE + 2]; // of each line: its ends, and all of it
    int plain; // whether midge_rows_1 takes them
    int usable;
} weights_t;

static void read_weights(const int8_t *w, uint32_t stride, weights_t *to) {
    uint32_t sizes[2] = {0, 0};
    to->usable = 1;
    for (uint32_t y = 0; y < SIDE + 2; y += SIDE + 1) {
        to->paired[y] = to->single[y] = to->first[y] = to->last[y] = to->sum[y] = 0;
    }
    for (uint32_t y = 1; y <= SIDE; y++, w += SIDE) {
        const int32_t a = w[0], b = w[1], c = w[2];
        to->paired[y] = stride == 1 ? b + a * 65536 : c + a * 65536;
        to->single[y] = stride == 1 ? c : b;
        to->first[y] = a;
        to->last[y] = c;
        to->sum[y] = a + b + c;
        sizes[0] += size_of(a);
        sizes[1] += size_of(b);
        to->usable = to->usable && a != -128 && b != -128 && c != -128;
    }
    to->plain = sizes[0] <= MIDGE_PAIR_LIMIT && sizes[1] <= MIDGE_PAIR_LIMIT;
}

// The rows of one kind: `skip` is 1, or 0 or 2 where the window misses its last or first line.
static void run_rows(midge_rows_t *rows, const weights_t *w, uint32_t skip, const midge_window_t *op) {
    const int32_t zero = op->input_zero;
    int32_t first = 0, last = 0;
    for (uint32_t y = 0; y < SIDE; y++) {
        rows->paired[y] = w->paired[y + skip];
        rows->single[y] = w->single[y + skip];
        first += w->first[y + skip];
        last += w->last[y + skip];
    }
    rows->before = rows->joins ? 0 : zero * first;
    rows->tail = zero * last;
    rows->start = rows->scale->start;
    if (skip != 1) {
        rows->start += (uint32_t)(zero * w->sum[skip ? 1 : SIDE]);
    }
    if (op->stride_h == 2) {
        midge_rows_2(rows);
    } else if (w->plain) {
        midge_rows_1(rows);
    } else {
        midge_rows_1_wide(rows);
    }
}

int midge_depthwise_conv_armv6m(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    if (op->in_c == 1) {
        return midge_conv_armv6m(call); // the weights of the two lie alike then
    }
    const int32_t stride = op->stride_h, in_h = op->in_h, in_w = op->in_w;
    const int32_t out_h = op->out_h, out_w = op->out_w, above = op->pad_top, before = op->pad_left;
    const int32_t below = beyond(in_h, out_h, stride, above);
    const int32_t after = beyond(in_w, out_w, stride, before);
    if (op->kernel_h != SIDE || op->kernel_w != SIDE || op->dilation_h != 1 || op->dilation_w != 1
        || stride > 2 || op->stride_w != stride || above > 1 || below > 1 || before > 1 || after > 1
        || in_h < SIDE || in_w > MIDGE_ROW_COLUMNS) {
        return 0;
    }
    // Sums that a row pushes: those of its outputs but for the last one if its window ends behind the
    // image, and those of windows that begin before the first one.
    const int32_t pushed = out_w - after + (stride == 1 ? 2 : 1) - before;
    if (pushed < 1) {
        return 0;
    }
    const uint32_t multiplier = op->out_c / op->in_c;
    midge_scale_t scale;
    midge_rows_t rows;
    rows.below = MIDGE_ROW_BYTES - 4 * (uint32_t)pushed;
    rows.joins = !before;
    rows.line = in_w * op->in_c;
    rows.column = op->in_c;
    rows.none = 0;
    rows.has_tail = (uint32_t)after;
    rows.outputs_bytes = 4 * (uint32_t)out_w;
    rows.back = -(int32_t)op->out_c;
    rows.scale = &scale;
    rows.image_step = stride * rows.line;
    rows.out_step = out_w * op->out_c;
    const uint8_t *block = call->weights;
    uint32_t c = call->begin * op->block_channels;
    for (uint32_t b = call->begin; b < call->end; b++, block += op->block_bytes) {
        const int8_t *w = (const int8_t *)block + midge_entries_bytes(op);
        for (uint32_t i = 0; i < op->block_channels; i++, w += SIDE * SIDE, c++) {
            weights_t weights;
            read_weights(w, op->stride_h, &weights);
            if (!weights.usable) {
                midge_depthwise_channel(call, block, b, i);
                continue;
            }
            midge_scale(op, block, i, &scale);
            const int8_t *image = call->arena + op->input + c / multiplier;
            rows.image = image;
            rows.out = call->arena + op->output + c + (out_w - 1) * op->out_c;
            int32_t left = out_h - below;
            if (above) {
                rows.rows = 1;
                run_rows(&rows, &weights, 2, op);
                rows.image = image + (stride - 1) * rows.line;
                left--;
            }
            if (left > 0) {
                rows.rows = (uint32_t)left;
                run_rows(&rows, &weights, 1, op);
            }
            if (below) {
                rows.image -= rows.line;
                rows.rows = 1;
                run_rows(&rows, &weights, 0, op);
            }
        }
    }
    return 1;
}
