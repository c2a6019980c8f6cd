// What SOFTMAX and LOG_SOFTMAX share: exponentials of a row's differences from its largest
// element.

#ifndef MIDGE_SOFTMAX_H
#define MIDGE_SOFTMAX_H

#include "exponential.h"
#include "operators.h"

static inline uint32_t midge_rows_check(const midge_softmax_t *op, uint32_t arena_bytes) {
    // An exponential is at most 2^19 in Q12.19, so that 4095 of them stay below 2^31.
    if (op->depth == 0 || op->depth > 4095 || op->multiplier < 0 || op->shift < 0
        || op->shift > 30 || op->diff_min > 0) {
        return MIDGE_BAD_PARAMETER;
    }
    uint32_t bytes = midge_times(op->rows, op->depth);
    if (!midge_fits(op->input, bytes, arena_bytes)
        || !midge_fits(op->output, bytes, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

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
