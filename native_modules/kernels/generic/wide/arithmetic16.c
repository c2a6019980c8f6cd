// ARITHMETIC of int16, where tensor/arithmetic.c has not both types.

#include "arithmetic.h"

#if !MIDGE_HAS(MIDGE_BANK_TENSOR)
void midge_arithmetic(const midge_call_t *call) {
    midge_broadcast(call, 1);
}
#endif
