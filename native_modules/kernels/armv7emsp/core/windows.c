#include "target.h"

#ifdef MIDGE_KERNELS_ARMV7EMSP

#include "tiles.h"
#include "windows.h"

static int8_t *copy(int8_t *to, const int8_t *from, uint32_t count) {
    for (; count >= 4; count -= 4, from += 4, to += 4) {
        uint32_t four;
        __builtin_memcpy(&four, from, sizeof four);
        __builtin_memcpy(to, &four, sizeof four);
    }
    for (; count > 0; count--) {
        *to++ = *from++;
    }
    return to;
}

static int8_t *fill(int8_t *to, int32_t value, uint32_t count) {
    uint32_t four = (uint8_t)value * 0x01010101u;
    for (; count >= 4; count -= 4, to += 4) {
        __builtin_memcpy(to, &four, sizeof four);
    }
    for (; count > 0; count--, four >>= 8) {
        *to++ = (int8_t)four;
    }
    return to;
}

// A line of a window that begins at column `x` and hangs over the image's sides, or has gaps.
static void assemble(const midge_image_t *image, const int8_t *line, int32_t x) {
    const midge_window_t *op = image->op;
    const uint32_t in_c = op->in_c;
    const int32_t step = op->dilation_w;
    int32_t first, last;
    midge_taps(x, op->in_w, op->kernel_w, step, &first, &last);
    int8_t *to = fill(image->bytes, op->input_zero, (uint32_t)first * in_c);
    if (first < last) {
        const int8_t *from = line + (uint32_t)(x + first * step) * in_c;
        if (step == 1) {
            to = copy(to, from, (uint32_t)(last - first) * in_c);
        } else {
            for (int32_t kx = first; kx < last; kx++, from += (uint32_t)step * in_c) {
                to = copy(to, from, in_c);
            }
        }
    }
    fill(to, op->input_zero, (uint32_t)(op->kernel_w - last) * in_c);
}

// A window that does not lie within the image, line by line.
MIDGE_FALLBACK static void next_lines(const midge_image_t *image, uint32_t *to) {
    const midge_window_t *op = image->op;
    const uint32_t values = (uint32_t)op->kernel_w * op->in_c;
    const uint32_t words = MIDGE_TILE_PIXELS * midge_line_words(op);
    int32_t y = image->y;
    for (uint32_t ky = op->kernel_h; ky > 0; ky--, y += op->dilation_h, to += words) {
        if (y < 0 || y >= op->in_h) {
            fill(image->bytes, op->input_zero, values);
        } else {
            assemble(image, image->input + (uint32_t)y * op->in_w * op->in_c, image->x);
        }
        midge_widen_pixel(to, image->bytes, values, 1, 0);
    }
}

static void begin_row(midge_image_t *image, int32_t y) {
    const midge_window_t *op = image->op;
    image->left = op->out_w;
    image->x = -op->pad_left;
    image->y = y;
    image->at = ((uint32_t)y * op->in_w + (uint32_t)image->x) * op->in_c;
    image->last_x = op->in_w - op->kernel_w;
    if (y < 0 || y + (op->kernel_h - 1) * op->dilation_h >= op->in_h || op->dilation_w != 1) {
        image->last_x = -1;
    }
}

void midge_begin_image(midge_image_t *image, const midge_call_t *call, int8_t *bytes) {
    const midge_window_t *op = call->op;
    image->op = op;
    image->input = call->arena + op->input;
    image->bytes = bytes;
    begin_row(image, -op->pad_top);
}

void midge_next_windows(midge_image_t *image, uint32_t count, uint32_t *to) {
    const midge_window_t *op = image->op;
    const uint32_t in_c = op->in_c, values = op->kernel_w * in_c, lines = op->kernel_h;
    const uint32_t pitch = op->dilation_h * (op->in_w * in_c);
    const int32_t stride = op->stride_w;
    for (; count > 0; count--, to++) {
        if (image->left == 0) {
            begin_row(image, image->y + op->stride_h);
        }
        image->left--;
        if (image->x >= 0 && image->x <= image->last_x) {
            midge_widen_pixel(to, image->input + image->at, values, lines, pitch);
        } else {
            next_lines(image, to);
        }
        image->x += stride;
        image->at += (uint32_t)stride * in_c;
    }
}

#endif
