// BATCH_MATMUL: products of matrices, with broadcasting of the dimensions before the last two.

#include "call.h"
#include "fixed_point.h"

#define BATCH_DIMS 3

static void multiply(const midge_matmul_t *op, const int8_t *first, const int8_t *second,
    int8_t *out) {
    // Elements to the next row of the first matrix, the next column of the second, and along sums.
    const uint32_t row_step = op->flags & MIDGE_FIRST_TRANSPOSED ? 1 : op->depth;
    const uint32_t along_first = op->flags & MIDGE_FIRST_TRANSPOSED ? op->rows : 1;
    const uint32_t column_step = op->flags & MIDGE_SECOND_TRANSPOSED ? op->depth : 1;
    const uint32_t along_second = op->flags & MIDGE_SECOND_TRANSPOSED ? 1 : op->columns;
    for (uint32_t i = 0; i < op->rows; i++) {
        for (uint32_t j = 0; j < op->columns; j++) {
            const int8_t *a = first + i * row_step, *b = second + j * column_step;
            int32_t sum = 0;
            for (uint32_t k = 0; k < op->depth; k++) {
                sum += (a[k * along_first] - op->zero1) * (b[k * along_second] - op->zero2);
            }
            uint32_t q = (uint32_t)midge_rescale(sum, op->multiplier, op->shift);
            *out++ = midge_clamp((int32_t)(q + (uint32_t)op->output_zero), -128, 127);
        }
    }
}

void midge_batch_matmul(const midge_call_t *call) {
    const midge_matmul_t *op = call->op;
    const uint32_t bytes[] = {(uint32_t)op->rows * op->depth, (uint32_t)op->depth * op->columns};
    int8_t *out = call->arena + op->output;
    const uint32_t repeats[] = {op->repeat1, op->repeat2};
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
                multiply(op, call->arena + op->input + at[0] * bytes[0],
                    call->arena + op->input2 + at[1] * bytes[1], out);
                out += (uint32_t)op->rows * op->columns;
            }
        }
    }
}
