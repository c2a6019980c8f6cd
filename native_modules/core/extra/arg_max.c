// ARG_MAX: the index of the first of the largest elements along one axis.

#include "../fixed_point.h"
#include "../operators.h"

uint32_t midge_arg_max_check(const void *record, uint32_t arena_bytes) {
    const midge_reduce_t *op = record;
    const uint32_t outputs = midge_times(op->outer, op->inner);
    if (op->reduce == 0 || outputs == 0 || (op->output & 3)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times(outputs, op->reduce), arena_bytes)
        || !midge_fits(op->output, midge_times(outputs, 4), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

void midge_arg_max(const midge_call_t *call) {
    const midge_reduce_t *op = call->op;
    const int8_t *x = call->arena + op->input;
    int32_t *out = (int32_t *)(void *)(call->arena + op->output);
    for (uint32_t o = 0; o < op->outer; o++, x += (op->reduce - 1) * op->inner) {
        for (uint32_t i = 0; i < op->inner; i++, x++) {
            uint32_t best = 0;
            for (uint32_t r = 1; r < op->reduce; r++) {
                if (x[r * op->inner] > x[best * op->inner]) {
                    best = r;
                }
            }
            *out++ = (int32_t)best;
        }
    }
}
