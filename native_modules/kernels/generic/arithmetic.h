// ARITHMETIC: two tensors element by element, with broadcasting. Each of the two banks that have
// it includes this for its type: `wide` is a constant there.

#ifndef MIDGE_ARITHMETIC_H
#define MIDGE_ARITHMETIC_H

#include "call.h"
#include "fixed_point.h"

// x << shift, rescaled. Unsigned: what a file asks for may overflow.
static inline uint32_t scaled(int32_t x, int32_t shift, int32_t multiplier, int32_t exponent) {
    return (uint32_t)midge_rescale((int32_t)((uint32_t)x << shift), multiplier, exponent);
}

static inline int32_t unclamped(const midge_arithmetic_t *op, int32_t a, int32_t b, int wide) {
    const uint8_t kind = op->flags;
    if (kind == MIDGE_KIND_MAXIMUM) {
        return a > b ? a : b;
    }
    if (kind == MIDGE_KIND_MINIMUM) {
        return a < b ? a : b;
    }
    a -= op->zero1;
    b -= op->zero2;
    uint32_t result;
    if (kind == MIDGE_KIND_MUL) {
        result = scaled(a * b, 0, op->multiplier, op->shift);
    } else if (kind == MIDGE_KIND_PRELU) {
        result = a < 0 ? scaled(a * b, 0, op->multiplier2, op->shift2)
                       : scaled(a, 0, op->multiplier1, op->shift1);
    } else {
        int32_t left_shift = wide ? MIDGE_LEFT_SHIFT16 : MIDGE_LEFT_SHIFT;
        if (kind == MIDGE_KIND_SQUARED_DIFFERENCE) {
            left_shift = wide ? 0 : MIDGE_SQUARED_SHIFT;
        } else if (kind > MIDGE_KIND_SQUARED_DIFFERENCE) {
            left_shift = MIDGE_COMPARED_SHIFT;
        }
        uint32_t x = scaled(a, left_shift, op->multiplier1, op->shift1);
        uint32_t y = scaled(b, left_shift, op->multiplier2, op->shift2);
        if (kind > MIDGE_KIND_SQUARED_DIFFERENCE) {
            const int32_t left = (int32_t)x, right = (int32_t)y;
            return kind == MIDGE_KIND_EQUAL ? left == right
                : kind == MIDGE_KIND_NOT_EQUAL ? left != right
                : kind == MIDGE_KIND_GREATER ? left > right
                                             : left >= right;
        }
        uint32_t sum = kind == MIDGE_KIND_ADD ? x + y : x - y;
        sum = kind == MIDGE_KIND_SQUARED_DIFFERENCE ? sum * sum : sum;
        result = scaled((int32_t)sum, 0, op->multiplier, op->shift);
    }
    return (int32_t)(result + (uint32_t)op->output_zero);
}

#include "broadcast.h"

#endif
