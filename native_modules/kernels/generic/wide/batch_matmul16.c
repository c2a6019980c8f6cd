// Products of int16 matrices, where math/batch_matmul.c has not both types.

#include "batch_matmul.h"

#if !MIDGE_HAS(MIDGE_BANK_MATH)
void midge_batch_matmul(const midge_call_t *call) {
    midge_batch_matmul_of(call, 1);
}
#endif
