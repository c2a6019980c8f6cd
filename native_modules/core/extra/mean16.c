// MEAN and SUM of int16 over neighbouring axes, seen as [outer, reduce, inner]; zero points are 0.

#include "../fixed_point.h"
#include "../operators.h"
#include "fixed_point_wide.h"

uint32_t midge_mean16_check(const void *record, uint32_t arena_bytes) {
    const midge_reduce_t *op = record;
    // Up to 2^16 elements the sum stays within 32 bits.
    if (op->outer == 0 || op->inner == 0 || op->reduce == 0 || op->reduce > 1 << 16
        || !midge_is_rescale(op->multiplier, op->shift) || ((op->input | op->output) & 1)) {
        return MIDGE_BAD_PARAMETER;
    }
    uint32_t out_bytes = midge_times(midge_times(op->outer, op->inner), 2);
    if (!midge_fits(op->output, out_bytes, arena_bytes)
        || !midge_fits(op->input, midge_times(out_bytes, op->reduce), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

void midge_mean16(const midge_call_t *call) {
    const midge_reduce_t *op = call->op;
    const int16_t *input = (const int16_t *)(const void *)(call->arena + op->input);
    int16_t *out = (int16_t *)(void *)(call->arena + op->output);
    for (uint32_t o = 0; o < op->outer; o++, input += op->reduce * op->inner) {
        for (uint32_t i = 0; i < op->inner; i++) {
            int32_t sum = 0;
            for (uint32_t r = 0; r < op->reduce; r++) {
                sum += input[r * op->inner + i];
            }
            int32_t q = midge_rescale(sum, op->multiplier, op->shift);
            *out++ = midge_clamp16(q, INT16_MIN, INT16_MAX);
        }
    }
}
