// AVERAGE_POOL_2D and MAX_POOL_2D of int16: padding is left out, neither counted nor compared.

#include "fixed_point_wide.h"
#include "window.h"

// Of one channel in a window that lies within the image.
static int32_t pooled(const midge_window16_t *op, const int16_t *p, int32_t height,
    int32_t width) {
    int32_t sum = 0, max = INT16_MIN;
    for (int32_t y = 0; y < height; y++) {
        for (int32_t x = 0; x < width; x++) {
            int32_t v = p[(uint32_t)(y * op->in_w + x) * op->in_c];
            sum += v;
            max = v > max ? v : max;
        }
    }
    if (op->code == MIDGE_MAX_POOL_2D) {
        return max;
    }
    // Rounds halves away from zero.
    uint32_t count = (uint32_t)(height * width);
    uint32_t size = sum < 0 ? -(uint32_t)sum : (uint32_t)sum;
    int32_t mean = (int32_t)midge_divide(size + count / 2, count);
    return sum < 0 ? -mean : mean;
}

void midge_pool16(const midge_call_t *call) {
    const midge_window16_t *op = call->op;
    const int16_t *input = (const int16_t *)(const void *)(call->arena + op->input);
    int16_t *out = (int16_t *)(void *)(call->arena + op->output);
    for (int32_t oy = 0; oy < op->out_h; oy++) {
        int32_t y = oy * op->stride_h - op->pad_top, top, bottom;
        midge_taps(y, op->in_h, op->kernel_h, 1, &top, &bottom);
        for (int32_t ox = 0; ox < op->out_w; ox++) {
            int32_t x = ox * op->stride_w - op->pad_left, left, right;
            midge_taps(x, op->in_w, op->kernel_w, 1, &left, &right);
            // A window that lies wholly in the padding is no valid model; it gives 0.
            const int empty = top >= bottom || left >= right;
            const int32_t pixel = empty ? 0 : (y + top) * op->in_w + x + left;
            for (uint32_t c = 0; c < op->in_c; c++) {
                const int16_t *p = input + (uint32_t)pixel * op->in_c + c;
                int32_t q = empty ? 0 : pooled(op, p, bottom - top, right - left);
                *out++ = midge_clamp16(q, op->clamp_min, op->clamp_max);
            }
        }
    }
}
