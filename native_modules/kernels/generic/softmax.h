// Common to softmax and its logarithm: exponentials of a row's differences from its largest
// element.

#ifndef MIDGE_SOFTMAX_H
#define MIDGE_SOFTMAX_H

#include "call.h"
#include "exponential.h"

static inline int32_t midge_largest(const int8_t *row, uint32_t depth) {
    int32_t largest = -128;
    for (uint32_t i = 0; i < depth; i++) {
        largest = row[i] > largest ? row[i] : largest;
    }
    return largest;
}

// A difference in Q5.26.
static inline int32_t midge_difference(const midge_softmax_t *op, int32_t diff) {
    return midge_rescale(diff, op->multiplier, op->shift);
}

// Its exponential, Q0.31.
__attribute__((noinline)) static int32_t midge_exp_of_difference(const midge_softmax_t *op,
    int32_t diff) {
    return midge_exp_on_negative(midge_difference(op, diff), 5);
}

// The sum of the exponentials of a row, Q12.19.
static inline uint32_t midge_sum_of_exps(const midge_softmax_t *op, const int8_t *row,
    int32_t largest) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < op->depth; i++) {
        int32_t diff = row[i] - largest;
        if (diff >= op->diff_min) {
            sum += (uint32_t)midge_rounding_shift(midge_exp_of_difference(op, diff), 12);
        }
    }
    return sum;
}

#endif
