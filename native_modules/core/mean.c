// MEAN over neighbouring axes, seen as [outer, reduce, inner].

#include "fixed_point.h"
#include "operators.h"

uint32_t midge_mean_check(const void *record, uint32_t arena_bytes) {
    const midge_reduce_t *op = record;
    // Up to 2^23 elements the sum of (q - input_zero) stays within 32 bits. Without an output the
    // other sizes would be unbounded.
    if (op->outer == 0 || op->inner == 0 || op->reduce == 0 || op->reduce > 1 << 23
        || !midge_is_rescale(op->multiplier, op->shift) || op->clamp_min > op->clamp_max) {
        return MIDGE_BAD_PARAMETER;
    }
    uint32_t out_bytes = midge_times(op->outer, op->inner);
    if (!midge_fits(op->output, out_bytes, arena_bytes)
        || !midge_fits(op->input, midge_times(out_bytes, op->reduce), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

void midge_mean(const midge_call_t *call) {
    const midge_reduce_t *op = call->op;
    const int8_t *input = call->arena + op->input;
    int8_t *out = call->arena + op->output;
    for (uint32_t o = 0; o < op->outer; o++, input += op->reduce * op->inner) {
        for (uint32_t i = 0; i < op->inner; i++) {
            int32_t sum = -(int32_t)op->reduce * op->input_zero;
            for (uint32_t r = 0; r < op->reduce; r++) {
                sum += input[r * op->inner + i];
            }
            uint32_t scaled = midge_rescale(sum, op->multiplier, op->shift);
            int32_t q = (int32_t)(scaled + op->output_zero);
            *out++ = midge_clamp(q, op->clamp_min, op->clamp_max);
        }
    }
}
