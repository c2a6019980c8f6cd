// LOGISTIC and TANH of int16.

#include "call.h"
#include "fixed_point.h"
#include "sigmoid.h"

void midge_sigmoid16(const midge_call_t *call) {
    const midge_function16_t *op = call->op;
    const int16_t *input = (const int16_t *)(const void *)(call->arena + op->input);
    int16_t *out = (int16_t *)(void *)(call->arena + op->output);
    const int32_t half = op->shift ? 1 << (op->shift - 1) : 0;
    for (uint32_t i = 0; i < op->count; i++) {
        const int32_t x = (input[i] * op->multiplier + half) >> op->shift;
        out[i] = (int16_t)(op->code == MIDGE_TANH ? midge_tanh16(call->weights, x)
                                                     : midge_logistic16(call->weights, x));
    }
}
