#include "target.h"

#ifdef MIDGE_KERNELS_ARMV7EMSP

#include "next_window.h"

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

const int8_t *midge_assemble(const midge_image_t *image, int32_t y, int32_t x) {
    const midge_window_t *op = image->op;
    const int32_t in_h = op->in_h, in_w = op->in_w;
    const uint32_t in_c = op->in_c, line = op->kernel_w * in_c;
    int8_t *to = image->bytes;
    if (!to) {
        return to;
    }
    int32_t first, last;
    midge_taps(x, in_w, op->kernel_w, op->dilation_w, &first, &last);
    for (uint32_t ky = 0; ky < op->kernel_h; ky++, y += op->dilation_h) {
        if (y < 0 || y >= in_h || first >= last) {
            to = fill(to, op->input_zero, line);
            continue;
        }
        to = fill(to, op->input_zero, (uint32_t)first * in_c);
        const int32_t pixel = y * in_w + x + first * op->dilation_w;
        const int8_t *from = image->input + (uint32_t)pixel * in_c;
        if (op->dilation_w == 1) {
            to = copy(to, from, (uint32_t)(last - first) * in_c);
        } else {
            for (int32_t kx = first; kx < last; kx++, from += op->dilation_w * in_c) {
                to = copy(to, from, in_c);
            }
        }
        to = fill(to, op->input_zero, line - (uint32_t)last * in_c);
    }
    return image->bytes;
}

#endif
