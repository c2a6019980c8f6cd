// Sums of products. A function of its own even where it is called once: within a large one small
// cores run out of registers, and the loop slows down.

#ifndef MIDGE_DOT_H
#define MIDGE_DOT_H

#include "call.h"

__attribute__((noinline)) static uint32_t midge_dot(const int8_t *x, const int8_t *w,
    uint32_t count) {
    uint32_t sum = 0;
    while (count-- > 0) {
        sum += (uint32_t)(x[count] * w[count]);
    }
    return sum;
}

#endif
