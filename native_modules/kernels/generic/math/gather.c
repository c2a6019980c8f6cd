// GATHER: elements along one dimension by indices of int32, from a tensor or from weight blocks.

#include "call.h"
#include "fixed_point.h"

void midge_gather(const midge_call_t *call) {
    const midge_gather_t *op = call->op;
    const uint32_t *indices = (const uint32_t *)(const void *)(call->arena + op->input);
    int8_t *out = call->arena + op->output;
    for (uint32_t o = 0; o < op->outer; o++) {
        for (uint32_t i = 0; i < op->count; i++, out += op->inner) {
            // A reading may say what it likes.
            uint32_t at = indices[i] < op->size ? indices[i] : op->size - 1u;
            const int8_t *from;
            if (op->flags & MIDGE_GATHER_TABLE) {
                uint32_t block = midge_divide(at, op->block_rows);
                if (block < call->begin || block >= call->end) {
                    continue; // another call has it
                }
                from = (const int8_t *)call->weights + (block - call->begin) * op->block_bytes
                    + (at - block * op->block_rows) * op->inner;
            } else {
                from = call->arena + op->input2 + (o * op->size + at) * op->inner;
            }
            for (uint32_t c = 0; c < op->inner; c++) {
                out[c] = from[c];
            }
        }
    }
}
