// SPECTRUM: samples under a window, scaled up to 16 bits, their real FFT in 16 bits, the energy of
// each bin. The spectrum is computed where its energies go.

#include "call.h"
#include "fft.h"

#define HALF 16383 // of 2^15
#define FOURTH 8191

// By how many bits numbers can grow, the largest of which is as long as this magnitude. With the
// flag PEAK_WRAPS those of none do not.
static uint32_t room(const midge_spectrum_t *op, int32_t largest) {
    if (largest <= 0 && op->flags & MIDGE_PEAK_WRAPS) {
        return 0;
    }
    uint32_t bits = 15;
    for (; largest > 0; largest >>= 1) {
        bits--;
    }
    return bits;
}

// With that flag -32768 is the largest magnitude until the next sample.
static int32_t wrapped_peak(const midge_spectrum_t *op, const int16_t *x, const uint8_t *window) {
    int32_t largest = 0;
    midge_taper_t at = {0, 0};
    for (uint32_t i = 0; i < op->size; i++) {
        const uint8_t bends = window[i / 2];
        const int32_t bend = i & 1 ? midge_second_bend(bends) : midge_first_bend(bends);
        const int16_t value = midge_weighted(x[i], &at, bend, op->window_shift);
        if (value > largest) {
            largest = value;
        } else if (-value > largest) {
            largest = (int16_t)-value;
        }
    }
    return largest;
}

static void grow(uint32_t *z, uint32_t points, uint32_t bits) {
    for (uint32_t *end = z + points; z < end; z++) {
        *z = (*z << bits & 0xffff) | (*z >> 16 << bits) << 16;
    }
}

// Steps of two: each number times scale / 2^15.
static void halve(uint32_t *z, uint32_t points, uint32_t scale) {
    for (uint32_t i = 0; i < points; i += 2) {
        const int32_t ar = midge_scaled(midge_re(z[i]), scale);
        const int32_t ai = midge_scaled(midge_im(z[i]), scale);
        const int32_t br = midge_scaled(midge_re(z[i + 1]), scale);
        const int32_t bi = midge_scaled(midge_im(z[i + 1]), scale);
        z[i] = midge_complex(ar + br, ai + bi);
        z[i + 1] = midge_complex(ar - br, ai - bi);
    }
}

void midge_spectrum(const midge_call_t *call) {
    const midge_spectrum_t *op = call->op;
    const uint32_t points = op->points;
    const uint8_t *wave = call->weights, *window = wave + 2 * (points + 1);
    const int16_t *x = (const int16_t *)(const void *)(call->arena + op->input);
    uint32_t *z = (uint32_t *)(void *)(call->arena + op->output);
    const uint32_t found = midge_spread(x, op->size, window, op->window_shift, z, points);
    int32_t largest = (int32_t)(found & ~MIDGE_LOWEST);
    if (found & MIDGE_LOWEST && op->flags & MIDGE_PEAK_WRAPS) {
        largest = wrapped_peak(op, x, window);
    }
    const uint32_t bits = room(op, largest);
    uint32_t growth = bits; // in the first step, if no number wraps
    if (found & MIDGE_LOWEST) {
        grow(z, points, bits);
        growth = 0;
    }
    uint32_t size = 1, step = points / 2;
    if (points & 0xaaaaaaaa) { // an odd power of two
        halve(z, points, HALF << growth);
        size = 2;
        step /= 2;
        growth = 0;
    }
    for (; size < points; size *= 4, step /= 4) {
        midge_quarter(z, points, size, FOURTH << growth, wave, step);
        growth = 0;
    }
    const int32_t even = midge_scaled(midge_re(z[0]), HALF);
    const int32_t odd = midge_scaled(midge_im(z[0]), HALF);
    z[0] = midge_energy(even + odd, 0);
    z[points] = midge_energy(even - odd, 0);
    midge_energies(z, points, wave);
    z[points + 1] = bits;
}
