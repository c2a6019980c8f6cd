// REQUANTIZE: another scale or element type; with a factor of its own for negative values also
// LEAKY_RELU, RELU and RELU6 of int16.

#include "../fixed_point.h"
#include "../operators.h"
#include "fixed_point_wide.h"

#define INPUT_INT16 1
#define OUTPUT_INT16 2

uint32_t midge_requantize_check(const void *record, uint32_t arena_bytes) {
    const midge_requantize_t *op = record;
    const uint32_t from = op->flags & INPUT_INT16 ? 2 : 1, to = op->flags & OUTPUT_INT16 ? 2 : 1;
    if (op->flags > (INPUT_INT16 | OUTPUT_INT16) || !midge_is_rescale(op->multiplier, op->shift)
        || !midge_is_rescale(op->negative_multiplier, op->negative_shift)
        || op->clamp_min > op->clamp_max
        || (to == 1 && (op->clamp_min < INT8_MIN || op->clamp_max > INT8_MAX))
        || (op->input & (from - 1)) || (op->output & (to - 1))) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times(op->count, from), arena_bytes)
        || !midge_fits(op->output, midge_times(op->count, to), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

void midge_requantize_tensor(const midge_call_t *call) {
    const midge_requantize_t *op = call->op;
    const int8_t *input = call->arena + op->input;
    int8_t *out = call->arena + op->output;
    for (uint32_t i = 0; i < op->count; i++) {
        int32_t x = op->flags & INPUT_INT16 ? ((const int16_t *)(const void *)input)[i] : input[i];
        x -= op->input_zero;
        int32_t scaled = x < 0 ? midge_rescale(x, op->negative_multiplier, op->negative_shift)
                               : midge_rescale(x, op->multiplier, op->shift);
        int32_t q = (int32_t)((uint32_t)scaled + (uint32_t)op->output_zero);
        q = midge_clamp16(q, op->clamp_min, op->clamp_max);
        if (op->flags & OUTPUT_INT16) {
            ((int16_t *)(void *)out)[i] = (int16_t)q;
        } else {
            out[i] = (int8_t)q;
        }
    }
}
