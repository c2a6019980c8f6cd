// CONSTANT: what the model holds itself, and the state before the first prediction.

#include "call.h"
#include "fixed_point.h"

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
