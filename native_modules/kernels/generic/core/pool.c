// AVERAGE_POOL_2D and MAX_POOL_2D: padding is left out, neither counted nor compared.

#include "window.h"

static int32_t average(const midge_window_t *op, const int8_t *p, int32_t height, int32_t width) {
    int32_t sum = 0;
    for (int32_t y = 0; y < height; y++) {
        for (int32_t x = 0; x < width; x++) {
            sum += p[(uint32_t)(y * op->in_w + x) * op->in_c];
        }
    }
    uint32_t count = (uint32_t)(height * width);
    // Rounds halves away from zero.
    uint32_t size = sum < 0 ? -(uint32_t)sum : (uint32_t)sum;
    int32_t mean = (int32_t)midge_divide(size + count / 2, count);
    return sum < 0 ? -mean : mean;
}

static int32_t maximum(const midge_window_t *op, const int8_t *p, int32_t height, int32_t width) {
    int32_t max = -128;
    for (int32_t y = 0; y < height; y++) {
        for (int32_t x = 0; x < width; x++) {
            int32_t v = p[(uint32_t)(y * op->in_w + x) * op->in_c];
            max = v > max ? v : max;
        }
    }
    return max;
}

void midge_pool(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    const int is_average = op->code == MIDGE_AVERAGE_POOL_2D;
    const int8_t *input = call->arena + op->input;
    int8_t *out = call->arena + op->output;
    for (int32_t oy = 0; oy < op->out_h; oy++) {
        int32_t y = oy * op->stride_h - op->pad_top, top, bottom;
        midge_taps(y, op->in_h, op->kernel_h, 1, &top, &bottom);
        const int32_t height = bottom - top;
        for (int32_t ox = 0; ox < op->out_w; ox++) {
            int32_t x = ox * op->stride_w - op->pad_left, left, right;
            midge_taps(x, op->in_w, op->kernel_w, 1, &left, &right);
            const int32_t width = right - left;
            // A window that lies wholly in the padding is no valid model; it gives 0.
            const int empty = height <= 0 || width <= 0;
            const int8_t *p = input;
            if (!empty) {
                p += ((uint32_t)(y + top) * op->in_w + (uint32_t)(x + left)) * op->in_c;
            }
            for (uint32_t c = 0; c < op->in_c; c++) {
                int32_t q = 0;
                if (!empty) {
                    q = is_average ? average(op, p + c, height, width)
                                   : maximum(op, p + c, height, width);
                }
                *out++ = midge_clamp(q, op->clamp_min, op->clamp_max);
            }
        }
    }
}
