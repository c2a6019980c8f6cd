// The loop over two tensors that are broadcast, with an ARITHMETIC record. Who includes this has
// `unclamped` before it: the output of two elements, without the record's limits.

#ifndef MIDGE_BROADCAST_H
#define MIDGE_BROADCAST_H

#include "call.h"
#include "fixed_point_wide.h"
#include "steps.h"

// wide: the elements are int16; a constant, so that a kernel of one type has one loop.
static inline void midge_broadcast(const midge_call_t *call, int wide) {
    const midge_arithmetic_t *op = call->op;
    const int8_t *input1 = call->arena + op->input;
    const int8_t *input2 = call->arena + op->input2;
    int8_t *out = call->arena + op->output;
    int32_t step1[DIMS], step2[DIMS];
    midge_steps(op->shape, op->repeat1, step1);
    midge_steps(op->shape, op->repeat2, step2);
    uint16_t index[DIMS] = {0, 0, 0, 0, 0};
    int32_t a = 0, b = 0;
    for (uint32_t i = 0;; i++) {
        const int32_t x = wide ? ((const int16_t *)(const void *)input1)[a] : input1[a];
        const int32_t y = wide ? ((const int16_t *)(const void *)input2)[b] : input2[b];
        int32_t q = unclamped(op, x, y, wide);
        q = midge_clamp16(q, op->clamp_min, op->clamp_max);
        if (wide) {
            ((int16_t *)(void *)out)[i] = (int16_t)q;
        } else {
            out[i] = (int8_t)q;
        }
        int d = DIMS - 1;
        while (++index[d] == op->shape[d]) {
            index[d] = 0;
            a -= step1[d] * (op->shape[d] - 1);
            b -= step2[d] * (op->shape[d] - 1);
            if (--d < 0) {
                return;
            }
        }
        a += step1[d];
        b += step2[d];
    }
}

#endif
