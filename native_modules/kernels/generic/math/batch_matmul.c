// Products of int8 matrices; where both banks are built also of int16.

#include "batch_matmul.h"

void midge_batch_matmul(const midge_call_t *call) {
    const midge_matmul_t *op = call->op;
    midge_batch_matmul_of(call, MIDGE_HAS(MIDGE_BANK_WIDE) && op->types == MIDGE_DTYPE_INT16);
}
