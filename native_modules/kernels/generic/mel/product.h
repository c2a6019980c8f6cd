// Products of 64 bits.

#ifndef MIDGE_PRODUCT_H
#define MIDGE_PRODUCT_H

#include <stdint.h>

#include "target.h"

static inline int64_t midge_product(int32_t a, int32_t b) {
#ifdef MIDGE_SHORT_PRODUCTS
    const uint32_t a0 = (uint16_t)a, b0 = (uint16_t)b, low = a0 * b0;
    const int32_t a1 = a >> 16, b1 = b >> 16;
    const int32_t middle = a1 * (int32_t)b0 + (int32_t)(low >> 16);
    const int32_t rest = (int32_t)a0 * b1 + (uint16_t)middle;
    const uint32_t high = (uint32_t)(a1 * b1 + (middle >> 16) + (rest >> 16));
    return (int64_t)((uint64_t)high << 32 | ((uint32_t)rest << 16 | (uint16_t)low));
#else
    return (int64_t)a * b;
#endif
}

#endif
