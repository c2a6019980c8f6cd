// RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR.

#include "bytes.h"
#include "call.h"
#include "fixed_point.h"

#define UNIT 1024 // positions are multiples of 1/UNIT pixels

// Entry i of a table of pixels; a file may say what it likes.
static uint32_t pixel(const uint8_t *table, uint32_t i, uint32_t size) {
    uint32_t at = (uint16_t)midge_int16_at(table + 2 * i);
    return at < size ? at : size - 1;
}

void midge_resize_nearest(const midge_call_t *call) {
    const midge_resize_t *op = call->op;
    const uint8_t *rows = call->weights;
    const uint8_t *columns = rows + 2u * op->out_h;
    const int8_t *image = call->arena + op->input;
    int8_t *out = call->arena + op->output;
    const uint32_t row_bytes = (uint32_t)op->in_w * op->in_c;
    for (uint32_t b = 0; b < op->batch; b++, image += op->in_h * row_bytes) {
        for (uint32_t y = 0; y < op->out_h; y++) {
            const int8_t *row = image + pixel(rows, y, op->in_h) * row_bytes;
            for (uint32_t x = 0; x < op->out_w; x++) {
                const int8_t *from = row + pixel(columns, x, op->in_w) * op->in_c;
                for (uint32_t c = 0; c < op->in_c; c++) {
                    *out++ = from[c];
                }
            }
        }
    }
}

// No output's position is before -1 or behind the last pixel's end.
static int is_inside(int32_t step, int32_t start, uint32_t size, uint32_t outputs) {
    return step >= 0 && start > -UNIT
        && start + (int64_t)step * (outputs - 1) < (int64_t)size * UNIT;
}

int midge_resize_inside(const void *record, uint32_t arena_bytes) {
    const midge_resize_t *op = record;
    (void)arena_bytes;
    return is_inside(op->step_h, op->start_h, op->in_h, op->out_h)
        && is_inside(op->step_w, op->start_w, op->in_w, op->out_w);
}

// The two pixels that an output lies between, and the share of the second in 1/UNIT. Left of the
// first pixel both are the first one, and the share is negative.
typedef struct {
    uint32_t first, second;
    int32_t share;
} place_t;

static place_t place(int32_t at, uint32_t size) {
    place_t p;
    p.first = at < 0 ? 0 : (uint32_t)at / UNIT;
    p.second = (uint32_t)(at + UNIT - 1) / UNIT;
    p.second = p.second < size ? p.second : size - 1;
    p.share = at - (int32_t)p.first * UNIT;
    return p;
}

void midge_resize_bilinear(const midge_call_t *call) {
    const midge_resize_t *op = call->op;
    const int8_t *image = call->arena + op->input;
    int8_t *out = call->arena + op->output;
    const uint32_t row_bytes = (uint32_t)op->in_w * op->in_c;
    for (uint32_t b = 0; b < op->batch; b++, image += op->in_h * row_bytes) {
        for (int32_t i = 0, at_y = op->start_h; i < op->out_h; i++) {
            const place_t y = place(at_y, op->in_h);
            const int8_t *above = image + y.first * row_bytes;
            const int8_t *below = image + y.second * row_bytes;
            for (int32_t j = 0, at_x = op->start_w; j < op->out_w; j++) {
                const place_t x = place(at_x, op->in_w);
                const uint32_t left = x.first * op->in_c, right = x.second * op->in_c;
                for (uint32_t c = 0; c < op->in_c; c++) {
                    int32_t upper
                        = above[left + c] * (UNIT - x.share) + above[right + c] * x.share;
                    int32_t lower
                        = below[left + c] * (UNIT - x.share) + below[right + c] * x.share;
                    int32_t sum = upper * (UNIT - y.share) + lower * y.share;
                    *out++ = (int8_t)midge_rounding_shift(sum, 20);
                }
                at_x += j + 1 < op->out_w ? op->step_w : 0;
            }
            at_y += i + 1 < op->out_h ? op->step_h : 0;
        }
    }
}
