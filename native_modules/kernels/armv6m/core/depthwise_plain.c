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

void midge_depthwise_plain(const midge_call_t *call, const midge_axis_t *axes,
    midge_place_t *place, uint32_t c, uint32_t end) {
    const midge_window_t *op = call->op;
    const int turned = op->kernel_w == 1; // a single column is a line
    const midge_axis_t *columns = &axes[turned], *lines = &axes[!turned];
    const int32_t stride = columns->stride;
    const int32_t whole = columns->out // windows up to the last that does not hang over the end
        - (int32_t)midge_divide((uint32_t)(columns->after + stride - 1), (uint32_t)stride);
    const uint32_t multiplier = midge_divide(op->out_c, op->in_c);
    midge_scale_t scale;
    midge_patch_t patch;
    patch.x_next = (uint32_t)(stride * columns->in_step);
    patch.out_next = (uint32_t)columns->out_step;
    patch.scale = &scale;
    patch.x_step = (uint32_t)(columns->dilation * columns->in_step);
    patch.x_skip = (uint32_t)(lines->dilation * lines->in_step);
    patch.w_skip = (uint32_t)columns->kernel;
    // A single line of windows that lie within the image: as many as there are.
    const int single = lines->out == 1
        && !(lines->before | lines->after | columns->before | columns->after);
    patch.count = (uint32_t)columns->out;
    patch.lines = (uint32_t)lines->kernel;
    patch.columns = (uint32_t)columns->kernel;
    for (; c < end; c++) {
        const int8_t *weights = midge_row(place, 1, &scale);
        const int8_t *input = call->arena + op->input;
        input += multiplier == 1 ? c : midge_divide(c, multiplier);
        int8_t *line_out = call->arena + op->output + c;
        patch.minus_zero = 0;
        if (single) {
            patch.x = input;
            patch.w = weights;
            patch.out = line_out;
            midge_patches(&patch);
            continue;
        }
        int32_t y = -lines->before;
        for (int32_t oy = 0; oy < lines->out; oy++, y += lines->stride) {
            int32_t top;
            const int32_t height = midge_count_taps(y, lines->in, lines->kernel, lines->dilation,
                &top);
            int32_t x = -columns->before;
            patch.out = line_out;
            line_out += lines->out_step;
            for (int32_t ox = 0; ox < columns->out; ox += (int32_t)patch.count) {
                int32_t left;
                const int32_t width = midge_count_taps(x, columns->in, columns->kernel,
                    columns->dilation, &left);
                if (!patch.minus_zero && (height < lines->kernel || width < columns->kernel)) {
                    // From here on x - zero for x, so that nothing is missing beside the image;
                    // the bias holds what the zero point adds to a whole window.
                    for (uint32_t i = 0; i < place->row_bytes; i++) {
                        scale.start += (uint32_t)(op->input_zero * weights[i]);
                    }
                    patch.minus_zero = -op->input_zero;
                }
                patch.x = &op->input_zero; // for a window with nothing of the image
                patch.w = weights;
                patch.count = patch.lines = patch.columns = 1;
                if (height > 0 && width > 0) {
                    patch.x = input + (y + top * lines->dilation) * lines->in_step
                        + (x + left * columns->dilation) * columns->in_step;
                    patch.w += top * columns->kernel + left;
                    patch.lines = (uint32_t)height;
                    patch.columns = (uint32_t)width;
                    if (width == columns->kernel) {
                        patch.count = (uint32_t)(whole - ox);
                    }
                }
                midge_patches(&patch);
                patch.out += patch.count * patch.out_next;
                x += (int32_t)patch.count * stride;
            }
        }
    }
}

#endif
