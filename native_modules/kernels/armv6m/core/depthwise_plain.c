// DEPTHWISE_CONV_2D for the records that rows.S does not take.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

#include "patch.h"

int32_t midge_count_taps(int32_t origin, int32_t size, int32_t kernel, int32_t dilation,
    int32_t *first) {
    int32_t last = kernel;
    *first = 0;
    if (origin < 0 || origin + (kernel - 1) * dilation >= size) {
        midge_taps(origin, size, kernel, dilation, first, &last);
    }
    return last - *first;
}

void midge_depthwise_channel(const midge_call_t *call, midge_place_t *place, uint32_t c) {
    const midge_window_t *op = call->op;
    const int32_t kernel_h = op->kernel_h, kernel_w = op->kernel_w;
    const int8_t *input = call->arena + op->input
        + midge_divide(c, midge_divide(op->out_c, op->in_c));
    int8_t *out = call->arena + op->output + c;
    midge_scale_t scale;
    const int8_t *weights = midge_row(place, 1, &scale);
    midge_patch_t patch;
    patch.x_skip = (uint32_t)op->dilation_h * op->in_w * op->in_c;
    patch.x_step = kernel_w == 1 ? patch.x_skip : (uint32_t)op->dilation_w * op->in_c;
    patch.w_skip = (uint32_t)kernel_w;
    patch.minus_zero = 0;
    for (int32_t oy = 0; oy < op->out_h; oy++) {
        int32_t y = oy * op->stride_h - op->pad_top, top;
        const int32_t lines = midge_count_taps(y, op->in_h, kernel_h, op->dilation_h, &top);
        y += top * op->dilation_h;
        for (int32_t ox = 0; ox < op->out_w; ox++, out += op->out_c) {
            int32_t x = ox * op->stride_w - op->pad_left, left;
            const int32_t columns = midge_count_taps(x, op->in_w, kernel_w, op->dilation_w, &left);
            if (patch.minus_zero != -op->input_zero
                && (lines < kernel_h || columns < kernel_w)) {
                // From here on x - zero for x, so that nothing is missing beside the image; the
                // bias holds what the zero point adds to a whole window.
                const midge_patch_t all = {&op->input_zero, weights, 0, 1, place->row_bytes, 0, 0,
                    0};
                scale.start += midge_dot_patch(&all);
                patch.minus_zero = -op->input_zero;
            }
            uint32_t sum = scale.start;
            if (lines > 0 && columns > 0) {
                x += left * op->dilation_w;
                patch.x = input + ((uint32_t)y * op->in_w + (uint32_t)x) * op->in_c;
                patch.w = weights + top * kernel_w + left;
                // A single column is a line.
                patch.lines = kernel_w == 1 ? 1 : (uint32_t)lines;
                patch.columns = kernel_w == 1 ? (uint32_t)lines : (uint32_t)columns;
                sum += midge_dot_patch(&patch);
            }
            *out = midge_scaled(&scale, sum);
        }
    }
}

#endif
