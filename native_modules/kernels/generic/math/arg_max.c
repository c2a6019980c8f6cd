// ARG_MAX: the index of the first of the largest elements along one axis.

#include "call.h"
#include "fixed_point.h"

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
