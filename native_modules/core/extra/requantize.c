// REQUANTIZE: each element on another scale, where input or output is int16.

#include "../fixed_point.h"
#include "../operators.h"

#define INPUT_INT16 1
#define OUTPUT_INT16 2

uint32_t midge_requantize_check(const void *record, uint32_t arena_bytes) {
    const midge_requantize_t *op = record;
    const uint32_t in_unit = op->flags & INPUT_INT16 ? 2 : 1;
    const uint32_t out_unit = op->flags & OUTPUT_INT16 ? 2 : 1;
    if (op->flags > (INPUT_INT16 | OUTPUT_INT16) || !midge_is_rescale(op->multiplier, op->shift)
        || (op->input & (in_unit - 1)) || (op->output & (out_unit - 1))) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times(op->count, in_unit), arena_bytes)
        || !midge_fits(op->output, midge_times(op->count, out_unit), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

void midge_requantize_tensor(const midge_call_t *call) {
    const midge_requantize_t *op = call->op;
    const int8_t *input = call->arena + op->input;
    int8_t *out = call->arena + op->output;
    const int32_t low = op->flags & OUTPUT_INT16 ? INT16_MIN : INT8_MIN;
    for (uint32_t i = 0; i < op->count; i++) {
        int32_t q = op->flags & INPUT_INT16 ? ((const int16_t *)(const void *)input)[i] : input[i];
        q = midge_rescale(q - op->input_zero, op->multiplier, op->shift);
        q = (int32_t)((uint32_t)q + (uint32_t)op->output_zero);
        q = q < low ? low : q > -1 - low ? -1 - low : q;
        if (op->flags & OUTPUT_INT16) {
            ((int16_t *)(void *)out)[i] = (int16_t)q;
        } else {
            out[i] = (int8_t)q;
        }
    }
}
