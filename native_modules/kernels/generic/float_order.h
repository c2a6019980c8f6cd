// The bits of a float32 as an integer in the order of the numbers; 0.0 and -0.0 have the same.

#ifndef MIDGE_FLOAT_ORDER_H
#define MIDGE_FLOAT_ORDER_H

#include <stdint.h>

#define MIDGE_FLOAT_IS_NAN(bits) (((bits) & 0x7fffffff) > 0x7f800000)

static inline int32_t midge_float_order(uint32_t bits) {
    const int32_t magnitude = (int32_t)(bits & 0x7fffffff);
    return bits >> 31 ? -magnitude : magnitude;
}

#endif
