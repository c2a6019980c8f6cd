// CUMSUM: sums along one axis, or the last of them. They wrap where a file asks for too much.

#include "call.h"
#include "fixed_point.h"

static int8_t result(const midge_sums_t *op, uint32_t sum) {
    const int32_t x = (int32_t)(sum << op->left_shift);
    const uint32_t q = (uint32_t)midge_rescale(x, op->multiplier, op->shift);
    return midge_clamp((int32_t)(q + (uint32_t)op->output_zero), -128, 127);
}

void midge_cumsum(const midge_call_t *call) {
    const midge_sums_t *op = call->op;
    const int8_t *x = call->arena + op->input;
    int8_t *out = call->arena + op->output;
    const int last_only = op->flags & MIDGE_TOTAL;
    for (uint32_t o = 0; o < op->outer; o++) {
        for (uint32_t i = 0; i < op->inner; i++) {
            uint32_t sum = (uint32_t)op->start;
            for (uint32_t r = 0; r < op->reduce; r++) {
                const uint32_t row = op->flags & MIDGE_REVERSE ? op->reduce - 1 - r : r;
                const uint32_t at = row * op->inner + i, before = sum;
                sum += (uint32_t)(x[at] - op->input_zero);
                if (!last_only) {
                    out[at] = result(op, op->flags & MIDGE_EXCLUSIVE ? before : sum);
                } else if (r == op->reduce - 1) {
                    out[i] = result(op, op->flags & MIDGE_EXCLUSIVE ? before : sum);
                }
            }
        }
        x += op->reduce * op->inner;
        out += last_only ? op->inner : op->reduce * op->inner;
    }
}
