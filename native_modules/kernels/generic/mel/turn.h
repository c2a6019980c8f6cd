// The inner loop of the FFT in 32 bits.

#ifndef MIDGE_TURN_H
#define MIDGE_TURN_H

#include <stdint.h>

typedef struct {
    int32_t re, im;
} midge_complex_t;

// Steps of two: of each `a` up to `end` and the number `size` after it, which is times `by`
// before; half of the sum and half of the difference, rounded upwards. The next one is 2 * size
// after `a`.
void midge_turn(midge_complex_t *a, const midge_complex_t *end, uint32_t size,
    const midge_complex_t *by);

#endif
