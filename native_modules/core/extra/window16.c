#include "window16.h"

static int is_image(uint32_t offset, uint32_t h, uint32_t w, uint32_t c, uint32_t arena_bytes) {
    return midge_fits(offset, midge_times(midge_times(h * w, c), 2), arena_bytes);
}

uint32_t midge_window16_check(const midge_window16_t *op, uint32_t arena_bytes) {
    if (!op->in_h || !op->in_w || !op->in_c || !op->out_h || !op->out_w || !op->out_c
        || !op->kernel_h || !op->kernel_w || !op->stride_h || !op->stride_w || !op->dilation_h
        || !op->dilation_w || op->clamp_min > op->clamp_max || ((op->input | op->output) & 1)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!is_image(op->input, op->in_h, op->in_w, op->in_c, arena_bytes)
        || !is_image(op->output, op->out_h, op->out_w, op->out_c, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}
