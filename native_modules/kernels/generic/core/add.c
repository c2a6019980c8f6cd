// ADD of two tensors of one shape.

#include "call.h"
#include "fixed_point.h"

#ifndef MIDGE_TUNED_ADD

void midge_add(const midge_call_t *call) {
    const midge_add_t *op = call->op;
    const int8_t *a = call->arena + op->input;
    const int8_t *b = call->arena + op->input2;
    int8_t *out = call->arena + op->output;
    const int32_t unit = 1 << op->left_shift;
    for (uint32_t i = 0; i < op->count; i++) {
        uint32_t x = midge_rescale((a[i] - op->zero1) * unit, op->multiplier1, op->shift1);
        uint32_t y = midge_rescale((b[i] - op->zero2) * unit, op->multiplier2, op->shift2);
        uint32_t scaled = midge_rescale((int32_t)(x + y), op->multiplier, op->shift);
        int32_t q = (int32_t)(scaled + op->output_zero);
        out[i] = midge_clamp(q, op->clamp_min, op->clamp_max);
    }
}

#endif
