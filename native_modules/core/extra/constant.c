// CONSTANT: what the model holds itself, and the state before the first prediction.

#include "../fixed_point.h"
#include "../operators.h"

uint32_t midge_constant_check(const void *record, uint32_t arena_bytes) {
    const midge_constant_t *op = record;
    if (op->blocks && midge_times(op->blocks, op->block_bytes) < op->count) {
        return MIDGE_BAD_WEIGHTS;
    }
    return midge_fits(op->output, op->count, arena_bytes) ? MIDGE_OK : MIDGE_BAD_TENSOR;
}

void midge_constant(const midge_call_t *call) {
    const midge_constant_t *op = call->op;
    uint32_t at = op->blocks ? midge_times(call->begin, op->block_bytes) : 0;
    uint32_t end = op->blocks ? midge_times(call->end, op->block_bytes) : op->count;
    const uint8_t *from = call->weights;
    int8_t *out = call->arena + op->output;
    for (; at < end && at < op->count; at++) {
        out[at] = op->blocks ? (int8_t)*from++ : op->value;
    }
}
