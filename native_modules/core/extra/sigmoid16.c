// LOGISTIC and TANH of int16.

#include "../fixed_point.h"
#include "../operators.h"
#include "sigmoid.h"

uint32_t midge_sigmoid16_check(const void *record, uint32_t arena_bytes) {
    const midge_function16_t *op = record;
    if (op->multiplier < 0 || op->multiplier > INT16_MAX || op->shift > 31
        || ((op->input | op->output) & 1)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (op->blocks != 1 || op->block_bytes < MIDGE_SIGMOID_BYTES) {
        return MIDGE_BAD_WEIGHTS;
    }
    const uint32_t bytes = midge_times(op->count, 2);
    if (!midge_fits(op->input, bytes, arena_bytes)
        || !midge_fits(op->output, bytes, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

void midge_sigmoid16(const midge_call_t *call) {
    const midge_function16_t *op = call->op;
    const int16_t *input = (const int16_t *)(const void *)(call->arena + op->input);
    int16_t *out = (int16_t *)(void *)(call->arena + op->output);
    const int32_t half = op->shift ? 1 << (op->shift - 1) : 0;
    for (uint32_t i = 0; i < op->count; i++) {
        const int32_t x = (input[i] * op->multiplier + half) >> op->shift;
        out[i] = (int16_t)(op->code == MIDGE_TANH_16 ? midge_tanh16(call->weights, x)
                                                     : midge_logistic16(call->weights, x));
    }
}
