// MEAN over neighbouring axes, seen as [outer, reduce, inner].

#include "call.h"
#include "fixed_point.h"

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
