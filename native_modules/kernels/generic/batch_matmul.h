// BATCH_MATMUL: products of matrices, with broadcasting of the dimensions before the last two.
// Each of the two banks that have it includes this for its type: `wide` is a constant there.

#ifndef MIDGE_BATCH_MATMUL_H
#define MIDGE_BATCH_MATMUL_H

#include "bytes.h"
#include "call.h"
#include "fixed_point.h"
#include "fixed_point_wide.h"

#define BATCH_DIMS 3

static inline int32_t sum_of8(const midge_matmul_t *op, const int8_t *a, uint32_t along_a,
    const int8_t *b, uint32_t along_b) {
    int32_t sum = 0;
    for (uint32_t k = 0; k < op->depth; k++) {
        sum += (a[k * along_a] - op->zero1) * (b[k * along_b] - op->zero2);
    }
    return sum;
}

static inline int64_t sum_of16(const midge_matmul_t *op, const int16_t *a, uint32_t along_a,
    const int16_t *b, uint32_t along_b) {
    int64_t sum = 0;
    for (uint32_t k = 0; k < op->depth; k++) {
        sum += (int64_t)(a[k * along_a] - op->zero1) * (b[k * along_b] - op->zero2);
    }
    return sum;
}

// One matrix of the output, from element `at` on; `first` and `second` are the elements at which
// its factors begin.
static inline void multiply(const midge_call_t *call, uint32_t first, uint32_t second,
    uint32_t at, int wide) {
    const midge_matmul_t *op = call->op;
    const int8_t *input1 = call->arena + op->input, *input2 = call->arena + op->input2;
    int8_t *out = call->arena + op->output;
    // Elements to the next row of the first matrix, the next column of the second, and along sums.
    const uint32_t row_step = op->flags & MIDGE_FIRST_TRANSPOSED ? 1 : op->depth;
    const uint32_t along_first = op->flags & MIDGE_FIRST_TRANSPOSED ? op->rows : 1;
    const uint32_t column_step = op->flags & MIDGE_SECOND_TRANSPOSED ? op->depth : 1;
    const uint32_t along_second = op->flags & MIDGE_SECOND_TRANSPOSED ? 1 : op->columns;
    for (uint32_t i = 0; i < op->rows; i++) {
        for (uint32_t j = 0; j < op->columns; j++, at++) {
            const uint32_t a = first + i * row_step, b = second + j * column_step;
            if (wide) {
                int64_t sum = sum_of16(op, (const int16_t *)(const void *)input1 + a, along_first,
                    (const int16_t *)(const void *)input2 + b, along_second);
                uint32_t q = (uint32_t)midge_rescale_wide(sum, op->multiplier, op->shift);
                ((int16_t *)(void *)out)[at]
                    = midge_clamp16((int32_t)(q + (uint32_t)op->output_zero), -32768, 32767);
            } else {
                uint32_t sum
                    = (uint32_t)sum_of8(op, input1 + a, along_first, input2 + b, along_second);
                sum += op->blocks ? midge_uint32_at(call->weights + 4 * j) : 0;
                uint32_t q = (uint32_t)midge_rescale((int32_t)sum, op->multiplier, op->shift);
                out[at] = midge_clamp((int32_t)(q + (uint32_t)op->output_zero), -128, 127);
            }
        }
    }
}

static inline void midge_batch_matmul_of(const midge_call_t *call, int wide) {
    const midge_matmul_t *op = call->op;
    const uint32_t sizes[] = {(uint32_t)op->rows * op->depth, (uint32_t)op->depth * op->columns};
    const uint32_t repeats[] = {op->repeat1, op->repeat2};
    uint32_t out = 0;
    uint32_t index[BATCH_DIMS];
    for (index[0] = 0; index[0] < op->batch[0]; index[0]++) {
        for (index[1] = 0; index[1] < op->batch[1]; index[1]++) {
            for (index[2] = 0; index[2] < op->batch[2]; index[2]++) {
                uint32_t at[2] = {0, 0}; // the numbers of the two matrices
                for (int n = 0; n < 2; n++) {
                    for (int d = 0; d < BATCH_DIMS; d++) {
                        if (!(repeats[n] >> d & 1)) {
                            at[n] = at[n] * op->batch[d] + index[d];
                        }
                    }
                }
                multiply(call, at[0] * sizes[0], at[1] * sizes[1], out, wide);
                out += (uint32_t)op->rows * op->columns;
            }
        }
    }
}

#endif
