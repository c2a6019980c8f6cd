// ARITHMETIC: two tensors element by element, with broadcasting. Each of the two banks that have
// it includes this for its type: `wide` is a constant there.

#ifndef MIDGE_ARITHMETIC_H
#define MIDGE_ARITHMETIC_H

#include "call.h"
#include "fixed_point.h"
#include "fixed_point_wide.h"

#define DIMS 5

// x << shift, rescaled. Unsigned: what a file asks for may overflow.
static inline uint32_t scaled(int32_t x, int32_t shift, int32_t multiplier, int32_t exponent) {
    return (uint32_t)midge_rescale((int32_t)((uint32_t)x << shift), multiplier, exponent);
}

static inline int32_t unclamped(const midge_arithmetic_t *op, int32_t a, int32_t b,
    int32_t left_shift) {
    if (op->flags == MIDGE_KIND_MAXIMUM) {
        return a > b ? a : b;
    }
    if (op->flags == MIDGE_KIND_MINIMUM) {
        return a < b ? a : b;
    }
    a -= op->zero1;
    b -= op->zero2;
    uint32_t result;
    if (op->flags == MIDGE_KIND_MUL) {
        result = scaled(a * b, 0, op->multiplier, op->shift);
    } else if (op->flags == MIDGE_KIND_PRELU) {
        result = a < 0 ? scaled(a * b, 0, op->multiplier2, op->shift2)
                       : scaled(a, 0, op->multiplier1, op->shift1);
    } else {
        uint32_t x = scaled(a, left_shift, op->multiplier1, op->shift1);
        uint32_t y = scaled(b, left_shift, op->multiplier2, op->shift2);
        result = scaled((int32_t)(op->flags == MIDGE_KIND_SUB ? x - y : x + y), 0, op->multiplier,
            op->shift);
    }
    return (int32_t)(result + (uint32_t)op->output_zero);
}

static inline void midge_arithmetic_of(const midge_call_t *call, int wide) {
    const midge_arithmetic_t *op = call->op;
    const int8_t *input1 = call->arena + op->input;
    const int8_t *input2 = call->arena + op->input2;
    int8_t *out = call->arena + op->output;
    // Elements from one value of an index to the next.
    int32_t step1[DIMS], step2[DIMS], size1 = 1, size2 = 1;
    for (int d = DIMS - 1; d >= 0; d--) {
        step1[d] = op->repeat1 >> d & 1 ? 0 : size1;
        step2[d] = op->repeat2 >> d & 1 ? 0 : size2;
        size1 *= step1[d] ? op->shape[d] : 1;
        size2 *= step2[d] ? op->shape[d] : 1;
    }
    uint16_t index[DIMS] = {0, 0, 0, 0, 0};
    int32_t a = 0, b = 0;
    for (uint32_t i = 0;; i++) {
        const int32_t x = wide ? ((const int16_t *)(const void *)input1)[a] : input1[a];
        const int32_t y = wide ? ((const int16_t *)(const void *)input2)[b] : input2[b];
        int32_t q = unclamped(op, x, y, wide ? MIDGE_LEFT_SHIFT16 : MIDGE_LEFT_SHIFT);
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
