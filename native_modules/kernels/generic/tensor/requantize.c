// REQUANTIZE: another scale or element type; with a factor of its own for negative values also
// LEAKY_RELU, RELU and RELU6 of int16.

#include "call.h"
#include "fixed_point.h"
#include "fixed_point_wide.h"

void midge_requantize(const midge_call_t *call) {
    const midge_requantize_t *op = call->op;
    const int wide = op->types == MIDGE_DTYPE_INT16;
    const int8_t *input = call->arena + op->input;
    int8_t *out = call->arena + op->output;
    for (uint32_t i = 0; i < op->count; i++) {
        int32_t x = op->flags & MIDGE_INPUT_INT32 ? ((const int32_t *)(const void *)input)[i]
            : wide                                ? ((const int16_t *)(const void *)input)[i]
                                                  : input[i];
        x = (int32_t)((uint32_t)x - (uint32_t)op->input_zero);
        int32_t scaled = x < 0 ? midge_rescale(x, op->negative_multiplier, op->negative_shift)
                               : midge_rescale(x, op->multiplier, op->shift);
        int32_t q = (int32_t)((uint32_t)scaled + (uint32_t)op->output_zero);
        if (op->flags & MIDGE_OUTPUT_INT32) {
            ((int32_t *)(void *)out)[i] = q;
            continue;
        }
        q = midge_clamp16(q, op->clamp_min, op->clamp_max);
        if (op->flags & MIDGE_OUTPUT_INT16) {
            ((int16_t *)(void *)out)[i] = (int16_t)q;
        } else {
            out[i] = (int8_t)q;
        }
    }
}
