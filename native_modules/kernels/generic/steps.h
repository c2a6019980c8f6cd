// How tensors that are broadcast are walked through.

#ifndef MIDGE_STEPS_H
#define MIDGE_STEPS_H

#include <stdint.h>

#define DIMS 5

// Elements from one value of each index to the next, 0 where the tensor is repeated.
static inline void midge_steps(const uint16_t *shape, uint8_t repeat, int32_t *steps) {
    int32_t size = 1;
    for (int d = DIMS - 1; d >= 0; d--) {
        steps[d] = repeat >> d & 1 ? 0 : size;
        size *= steps[d] ? shape[d] : 1;
    }
}

#endif
