// LUT: every function of one int8 value (LOGISTIC, RELU, ...), tabulated by the host.

#include "operators.h"

uint32_t midge_lut_check(const void *record, uint32_t arena_bytes) {
    const midge_lut_t *op = record;
    if (op->blocks != 1 || op->block_bytes < 256) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, op->count, arena_bytes)
        || !midge_fits(op->output, op->count, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

void midge_lut(const midge_call_t *call) {
    const midge_lut_t *op = call->op;
    const int8_t *table = (const int8_t *)call->weights + 128;
    const int8_t *input = call->arena + op->input;
    int8_t *out = call->arena + op->output;
    for (uint32_t i = 0; i < op->count; i++) {
        out[i] = table[input[i]];
    }
}
