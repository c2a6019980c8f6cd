// BATCH_MATMUL: products of matrices, with broadcasting of the dimensions before the last two.

#include "../fixed_point.h"
#include "../operators.h"

#define BATCH_DIMS 3
#define FIRST_TRANSPOSED 1
#define SECOND_TRANSPOSED 2

// Matrices of a tensor that is repeated along the dimensions with a bit in `repeat`.
static uint32_t matrices(const midge_matmul_t *op, uint32_t repeat) {
    uint32_t count = 1;
    for (int i = 0; i < BATCH_DIMS; i++) {
        count = midge_times(count, repeat >> i & 1 ? 1 : op->batch[i]);
    }
    return count;
}

static int fits(uint32_t offset, uint32_t count, uint32_t rows, uint32_t columns, uint32_t limit) {
    return midge_fits(offset, midge_times(midge_times(count, rows), columns), limit);
}

uint32_t midge_batch_matmul_check(const void *record, uint32_t arena_bytes) {
    const midge_matmul_t *op = record;
    const uint32_t batch = matrices(op, 0);
    // Products of up to 255 * 255, whose sum stays below 2^31.
    if (op->flags > (FIRST_TRANSPOSED | SECOND_TRANSPOSED) || op->depth > 33025
        || batch == 0 || op->rows == 0 || op->depth == 0 || op->columns == 0
        || !midge_is_rescale(op->multiplier, op->shift)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!fits(op->input, matrices(op, op->repeat1), op->rows, op->depth, arena_bytes)
        || !fits(op->input2, matrices(op, op->repeat2), op->depth, op->columns, arena_bytes)
        || !fits(op->output, batch, op->rows, op->columns, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static void multiply(const midge_matmul_t *op, const int8_t *first, const int8_t *second,
    int8_t *out) {
    // Elements to the next row of the first matrix, the next column of the second, and along sums.
    const uint32_t row_step = op->flags & FIRST_TRANSPOSED ? 1 : op->depth;
    const uint32_t along_first = op->flags & FIRST_TRANSPOSED ? op->rows : 1;
    const uint32_t column_step = op->flags & SECOND_TRANSPOSED ? op->depth : 1;
    const uint32_t along_second = op->flags & SECOND_TRANSPOSED ? 1 : op->columns;
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
