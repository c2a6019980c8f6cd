// COPY: slices, transpositions, concatenations and repetitions, as runs of bytes between a dense
// tensor and one with strides.

#include "call.h"
#include "fixed_point.h"

#define DIMS 5

// The dense tensor lies in the arena, and so do all runs of the other.
int midge_copy_reaches(const void *record, uint32_t arena_bytes) {
    const midge_copy_t *op = record;
    const int output_has_strides = op->flags & MIDGE_OUTPUT_HAS_STRIDES;
    const uint32_t dense = midge_times(midge_elements(op->shape, DIMS, 0), op->run);
    int64_t low = op->at, high = (int64_t)op->at + op->run;
    for (int i = 0; i < DIMS; i++) {
        int64_t reach = (int64_t)op->strides[i] * (op->shape[i] - 1);
        low += reach < 0 ? reach : 0;
        high += reach > 0 ? reach : 0;
    }
    return low >= 0 && high <= arena_bytes
        && midge_fits(output_has_strides ? op->output : op->input, (uint32_t)high, arena_bytes)
        && midge_fits(output_has_strides ? op->input : op->output, dense, arena_bytes);
}

void midge_copy(const midge_call_t *call) {
    const midge_copy_t *op = call->op;
    int8_t *from = call->arena + op->input;
    int8_t *to = call->arena + op->output;
    int8_t *strided = (op->flags ? to : from) + op->at;
    int8_t *dense = op->flags ? from : to;
    uint16_t index[DIMS] = {0, 0, 0, 0, 0};
    for (;;) {
        for (uint32_t i = 0; i < op->run; i++) {
            if (op->flags) {
                strided[i] = dense[i];
            } else {
                dense[i] = strided[i];
            }
        }
        dense += op->run;
        int d = DIMS - 1;
        while (++index[d] == op->shape[d]) {
            index[d] = 0;
            strided -= op->strides[d] * (op->shape[d] - 1);
            if (--d < 0) {
                return;
            }
        }
        strided += op->strides[d];
    }
}
