// What FFTs of magnitudes, in 32 bits, and of powers, in 48, are made of.

#ifndef MIDGE_TURN_H
#define MIDGE_TURN_H

#include <stdint.h>

#define MIDGE_LOW_BITS 16 // of a number of 48

typedef struct {
    uint32_t re, im; // with a sign
} midge_complex_t;

// Of 48 bits: of the real part [0] and the imaginary one [1] upper * 2^16 + lower.
typedef struct {
    uint32_t upper[2]; // with a sign
    int16_t lower[2];
} midge_wide_t;

// Steps of two: of each `a` up to `end` and the number `size` after it, which is times `by`
// before; half of the sum and half of the difference, rounded upwards. The next one is 2 * size
// after `a`.
void midge_turn(midge_complex_t *a, const midge_complex_t *end, uint32_t size,
    const midge_complex_t *by);

// The same of 48 bits; half of `a` is rounded down.
void midge_turn_wide(midge_wide_t *a, const midge_wide_t *end, uint32_t size,
    const midge_complex_t *by);

// upper * 2^16 + lower, where `lower` is less than 2^31 - 2^15.
static inline void midge_put_parts(midge_wide_t *z, uint32_t part, uint32_t upper, int32_t lower) {
    z->upper[part] = upper + (uint32_t)((lower + (1 << (MIDGE_LOW_BITS - 1))) >> MIDGE_LOW_BITS);
    z->lower[part] = (int16_t)lower;
}

// The lower 48 bits.
static inline void midge_put_wide(midge_wide_t *z, uint32_t part, int64_t value) {
    midge_put_parts(z, part, (uint32_t)(value >> MIDGE_LOW_BITS), (uint16_t)value);
}

// Scales numbers up as far as they have room, by 16 bits at most. Returns by how many.
uint32_t midge_grow(midge_wide_t *z, uint32_t points);

// Of the FFT of pairs of real samples, of numbers k and points - k of it: the powers of these
// bins, two words each, the lower one first. They may go where the numbers are.
void midge_powers(const midge_wide_t *x, const midge_wide_t *mirrored, const midge_complex_t *by,
    uint32_t *power, uint32_t *mirrored_power);

#endif
