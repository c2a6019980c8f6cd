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

void midge_next_window(midge_image_t *image, uint32_t *to) {
    const midge_window_t *op = image->op;
    const int32_t x = image->x * op->stride_w - op->pad_left;
    int32_t y = image->y * op->stride_h - op->pad_top;
    if (++image->x == op->out_w) {
        image->x = 0;
        image->y++;
    }
    const uint32_t lines = op->kernel_h, values = (uint32_t)op->kernel_w * op->in_c;
    const uint32_t line = (uint32_t)op->in_w * op->in_c, pitch = op->dilation_h * line;
    const int is_wide = op->dilation_w == 1 && x >= 0 && x + op->kernel_w <= op->in_w;
    const uint32_t start = (uint32_t)x * op->in_c;
    if (is_wide && y >= 0 && y + (op->kernel_h - 1) * op->dilation_h < op->in_h) {
        const int8_t *from = image->input + (uint32_t)y * line + start;
        midge_widen_pixel(to, from, values, lines, pitch);
        return;
    }
    const uint32_t words = MIDGE_TILE_PIXELS * midge_line_words(op);
    for (uint32_t ky = 0; ky < lines; ky++, y += op->dilation_h, to += words) {
        const int8_t *from = image->bytes;
        if (y < 0 || y >= op->in_h) {
            fill(image->bytes, op->input_zero, values);
        } else if (is_wide) {
            from = image->input + (uint32_t)y * line + start;
        } else {
            assemble(image, image->input + (uint32_t)y * line, x);
        }
        midge_widen_pixel(to, from, values, 1, 0);
    }
}

#endif
