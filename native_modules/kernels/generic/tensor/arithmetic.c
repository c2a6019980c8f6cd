// ARITHMETIC of int8; where both banks are built also of int16.

#include "arithmetic.h"

void midge_arithmetic(const midge_call_t *call) {
    const midge_arithmetic_t *op = call->op;
    midge_broadcast(call, MIDGE_HAS(MIDGE_BANK_WIDE) && op->types == MIDGE_DTYPE_INT16);
}
