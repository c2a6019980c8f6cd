// DEPTHWISE_CONV_2D, 3x3 with stride 1 or 2: rows.S runs over one channel after the other. Channels
// whose weights no arrangement lets it take, and other windows, go to the plain C.

#include "depthwise_conv.h"
#include "dispatch.h"
#include "rows.h"

#define SIDE 3
#define PAIR_LIMIT 255 // sum of |weights| of a column, for 16 bits of 8-bit products

// An axis of the image as a kernel walks it.
typedef struct {
    int32_t in, out; // pixels
    int32_t in_step, out_step; // bytes
    int32_t before, after; // whether a window hangs over this end
} axis_t;

static int32_t size_of(int32_t x) {
    return x < 0 ? -x : x;
}

// Pixels that the windows need behind the image's end.
static int32_t beyond(int32_t in, int32_t out, int32_t stride, int32_t before) {
    const int32_t behind = (out - 1) * stride - before + SIDE - in;
    return behind < 0 ? 0 : behind;
}

static void reverse(axis_t *axis) {
    const int32_t before = axis->before;
    axis->before = axis->after;
    axis->after = before;
    axis->in_step = -axis->in_step;
    axis->out_step = -axis->out_step;
}

// Weight of line `y` and column `x` of the window in one of four arrangements: bit 0 reverses the
// columns, bit 1 exchanges lines and columns.
static int32_t weight(const int8_t *w, uint32_t arrangement, uint32_t y, uint32_t x) {
    if (arrangement & 1) {
        x = SIDE - 1 - x;
    }
    return arrangement & 2 ? w[x * SIDE + y] : w[y * SIDE + x];
}

static int fits(const int8_t *w, uint32_t arrangement, uint32_t x) {
    int32_t sum = 0;
    for (uint32_t y = 0; y < SIDE; y++) {
        sum += size_of(weight(w, arrangement, y, x));
    }
    return sum <= PAIR_LIMIT;
}

typedef struct {
    const midge_window_t *op;
    const int8_t *w;
    uint32_t arrangement;
    axis_t lines, columns;
    int8_t *image, *out; // of this channel
} channel_t;

// Output rows first .. first + count - 1, whose windows miss `missing` lines: -1 the first one, 1 the last.
static void rows(const channel_t *channel, const midge_scale_t *scale, int32_t first, int32_t count,
    int32_t missing) {
    const int32_t stride = channel->op->stride_h, zero = channel->op->input_zero;
    const axis_t *lines = &channel->lines, *columns = &channel->columns;
    midge_rows_t rows;
    int32_t sums[SIDE] = {0, 0, 0}; // of a column of weights that meet the image
    int32_t lost = 0; // of the weights of the missing line
    for (int32_t y = 0; y < SIDE; y++) {
        // Where a line is missing, the window moves by one and its weights there are 0.
        const int32_t from = y - missing;
        int32_t w[SIDE] = {0, 0, 0};
        if (from >= 0 && from < SIDE) {
            for (int32_t x = 0; x < SIDE; x++) {
                w[x] = weight(channel->w, channel->arrangement, from, x);
                sums[x] += w[x];
            }
        }
        rows.paired[y] = stride == 1 ? w[1] + w[0] * 65536 : w[2] + w[0] * 65536;
        rows.single[y] = stride == 1 ? w[2] : w[1];
    }
    if (missing) {
        for (int32_t x = 0; x < SIDE; x++) {
            lost += weight(channel->w, channel->arrangement, missing < 0 ? 0 : SIDE - 1, x);
        }
    }
    // How many sums a row pushes: those of its outputs, and before them those of windows that begin
    // before the first. The last one is pushed apart if its window ends behind the image.
    const int32_t early = stride == 1 ? 2 - columns->before : 1 - columns->before;
    const int32_t pushed = columns->out - columns->after + early;
    rows.below = MIDGE_ROW_BYTES - 4 * (uint32_t)pushed;
    rows.joins = !columns->before;
    rows.line = lines->in_step;
    rows.column = columns->in_step;
    rows.none = 0;
    rows.before = columns->before ? zero * sums[0] : 0;
    rows.has_tail = (uint32_t)columns->after;
    rows.tail = zero * sums[2];
    const int32_t top = first * stride - lines->before - missing;
    rows.image = channel->image + top * lines->in_step;
    rows.out = channel->out + first * lines->out_step + (columns->out - 1) * columns->out_step;
    rows.outputs_bytes = 4 * (uint32_t)columns->out;
    rows.back = -columns->out_step;
    rows.scale = scale;
    rows.start = scale->start + (uint32_t)(zero * lost);
    rows.image_step = stride * lines->in_step;
    rows.out_step = lines->out_step;
    rows.rows = (uint32_t)count;
    if (stride == 1) {
        midge_rows_1(&rows);
    } else {
        midge_rows_2(&rows);
    }
}

int midge_depthwise_conv_armv6m(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const uint32_t stride = op->stride_h;
    const axis_t y = {op->in_h, op->out_h, op->in_w * op->in_c, op->out_w * op->out_c, op->pad_top,
        beyond(op->in_h, op->out_h, stride, op->pad_top)};
    const axis_t x = {op->in_w, op->out_w, op->in_c, op->out_c, op->pad_left,
        beyond(op->in_w, op->out_w, stride, op->pad_left)};
    if (op->in_c == 1) {
        return midge_conv_armv6m(call); // the weights of the two lie alike then
    }
    if (op->kernel_h != SIDE || op->kernel_w != SIDE || op->dilation_h != 1 || op->dilation_w != 1
        || stride > 2 || op->stride_w != stride || y.before > 1 || y.after > 1 || x.before > 1
        || x.after > 1 || y.in < SIDE || x.in < SIDE || y.in > MIDGE_ROW_COLUMNS
        || x.in > MIDGE_ROW_COLUMNS) {
        return 0;
    }
    const uint32_t multiplier = op->out_c / op->in_c;
    const uint8_t *block = call->weights;
    for (uint32_t b = call->begin; b < call->end; b++, block += op->block_bytes) {
        const int8_t *w = (const int8_t *)block + midge_entries_bytes(op);
        for (uint32_t i = 0; i < op->block_channels; i++, w += SIDE * SIDE) {
            uint32_t arrangement = 0;
            const uint32_t arrangements = 4, step = stride;
            while (arrangement < arrangements
                && !(fits(w, arrangement, 0) && fits(w, arrangement, stride))) {
                arrangement += step;
            }
            if (arrangement >= arrangements) {
                midge_depthwise_channel(call, block, b, i);
                continue;
            }
            const uint32_t c = b * op->block_channels + i;
            channel_t channel = {op, w, arrangement, y, x, call->arena + op->input + c / multiplier,
                call->arena + op->output + c};
            if (arrangement & 2) {
                channel.lines = x;
                channel.columns = y;
            }
            if (arrangement & 1) {
                channel.image += (channel.columns.in - 1) * channel.columns.in_step;
                channel.out += (channel.columns.out - 1) * channel.columns.out_step;
                reverse(&channel.columns);
            }
            midge_scale_t scale;
            midge_scale(op, block, i, &scale);
            const axis_t *lines = &channel.lines;
            if (lines->before) {
                rows(&channel, &scale, 0, 1, -1);
            }
            const int32_t inner = lines->out - lines->before - lines->after;
            if (inner > 0) {
                rows(&channel, &scale, lines->before, inner, 0);
            }
            if (lines->after) {
                rows(&channel, &scale, lines->out - 1, 1, 1);
            }
        }
    }
    return 1;
}
