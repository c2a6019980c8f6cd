// Complex numbers are words, the real part in the lower half, so that a load brings both.

#ifndef MIDGE_FFT_H
#define MIDGE_FFT_H

#include "bytes.h"

// Stores pairs of samples, times the window, where the FFT wants them: its digits to base 4 in
// reverse. x is aligned, `samples` a multiple of 8; `window` has the second differences from value
// to value, 4 bits each. Returns a number as long in bits as the largest magnitude; -32768 does
// not count, but sets the bit MIDGE_LOWEST.
#define MIDGE_LOWEST 0x80000000u
uint32_t midge_spread(const int16_t *x, uint32_t samples, const uint8_t *window, uint32_t shift,
    uint32_t *z, uint32_t points);

// All steps of four of numbers that are `size` apart, each times scale / 2^15 before. `wave`:
// cosines of half a turn, points + 1 of int16; `step`: angle between neighbours, in its units.
void midge_quarter(uint32_t *z, uint32_t points, uint32_t size, uint32_t scale,
    const uint8_t *wave, uint32_t step);

// From the FFT of pairs of samples as complex numbers to the energies of the samples' spectrum, in
// place, without the first and the last: a bin and its mirror image come of the same two numbers.
void midge_energies(uint32_t *z, uint32_t points, const uint8_t *wave);

// The value of a window where it has come to, and by how much it rose.
typedef struct {
    int32_t value, slope;
} midge_taper_t;

// x times the window's next value.
static inline int16_t midge_weighted(int32_t x, midge_taper_t *window, int32_t bend,
    uint32_t shift) {
    window->slope += bend;
    window->value += window->slope;
    return (int16_t)((int32_t)((uint32_t)x * (uint32_t)window->value) >> shift);
}

// Two second differences in a byte.
static inline int32_t midge_first_bend(uint8_t bends) {
    return ((bends + 8) & 15) - 8;
}

static inline int32_t midge_second_bend(uint8_t bends) {
    return (int8_t)bends >> 4;
}

static inline int32_t midge_re(uint32_t word) {
    return (int16_t)word;
}

static inline int32_t midge_im(uint32_t word) {
    return (int32_t)word >> 16;
}

static inline uint32_t midge_complex(int32_t re, int32_t im) {
    return ((uint32_t)re & 0xffff) | (uint32_t)im << 16;
}

// The rest of a sum of products with a factor of 15 bits, halves upwards.
static inline int32_t midge_rounded(uint32_t sum) {
    return (int32_t)(sum + 0x4000) >> 15;
}

static inline int32_t midge_scaled(int32_t value, uint32_t factor) {
    return midge_rounded((uint32_t)value * factor);
}

static inline uint32_t midge_energy(int32_t re, int32_t im) {
    return (uint32_t)((int16_t)re * (int16_t)re) + (uint32_t)((int16_t)im * (int16_t)im);
}

#endif
