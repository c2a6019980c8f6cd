// MEAN and SUM of int16 over neighbouring axes, seen as [outer, reduce, inner]; zero points are 0.

#include "call.h"
#include "fixed_point.h"
#include "fixed_point_wide.h"

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
