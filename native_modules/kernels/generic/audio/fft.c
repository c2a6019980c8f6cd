#include "fft.h"
#include "target.h"

#ifndef MIDGE_TUNED_FFT

static inline uint32_t magnitude(int16_t value) {
    return value == INT16_MIN ? MIDGE_LOWEST : (uint32_t)(value < 0 ? -value : value);
}

uint32_t midge_spread(const int16_t *x, uint32_t samples, const uint8_t *window, uint32_t shift,
    uint32_t *z, uint32_t points) {
    const int16_t *const end = x + samples;
    const uint32_t highest = points / 4;
    uint32_t place = 0, magnitudes = 0;
    midge_taper_t at = {0, 0};
    for (uint32_t i = 0; i < points; i += 4) {
        // The highest digit of the place is the lowest one of i.
        for (uint32_t *to = z + place; to < z + points; to += highest) {
            uint32_t word = 0;
            if (x < end) {
                const uint8_t bends = *window++;
                const int16_t first = midge_weighted(x[0], &at, midge_first_bend(bends), shift);
                const int16_t second = midge_weighted(x[1], &at, midge_second_bend(bends), shift);
                magnitudes |= magnitude(first) | magnitude(second);
                word = midge_complex(first, second);
                x += 2;
            }
            *to = word;
        }
        // The next place: one more in the next digit, with what that carries.
        uint32_t digit = highest / 4;
        while (digit > 1 && (place & 3 * digit) == 3 * digit) {
            place -= 3 * digit;
            digit = digit > 2 ? digit / 4 : 1;
        }
        place += digit;
    }
    return magnitudes;
}

// e^-ia
typedef struct {
    int32_t re, im;
} turn_t;

static inline int32_t cosine(const uint8_t *wave, uint32_t points, uint32_t angle) {
    return midge_int16_at(wave + 2 * (angle < points ? angle : 2 * points - angle));
}

static inline turn_t turn_of(const uint8_t *wave, uint32_t points, uint32_t angle) {
    const turn_t turn = {cosine(wave, points, angle), cosine(wave, points, angle + points / 2)};
    return turn;
}

static inline int32_t turned_re(int32_t re, int32_t im, turn_t turn) {
    return midge_rounded((uint32_t)(re * turn.re) - (uint32_t)(im * turn.im));
}

static inline int32_t turned_im(int32_t re, int32_t im, turn_t turn) {
    return midge_rounded((uint32_t)(re * turn.im) + (uint32_t)(im * turn.re));
}

// `turns`: by which the later three are turned, or NULL for none.
static inline void butterfly(uint32_t *z, uint32_t size, uint32_t scale, const turn_t *turns) {
    uint32_t *const second = z + size, *const third = second + size, *const fourth = third + size;
    int32_t br = midge_scaled(midge_re(*second), scale);
    int32_t bi = midge_scaled(midge_im(*second), scale);
    int32_t dr = midge_scaled(midge_re(*fourth), scale);
    int32_t di = midge_scaled(midge_im(*fourth), scale);
    if (turns) {
        const int32_t b = br, d = dr;
        br = turned_re(b, bi, turns[0]);
        bi = turned_im(b, bi, turns[0]);
        dr = turned_re(d, di, turns[2]);
        di = turned_im(d, di, turns[2]);
    }
    const int32_t sum_re = br + dr, sum_im = bi + di, turn_re = bi - di, turn_im = br - dr;
    int32_t cr = midge_scaled(midge_re(*third), scale), ci = midge_scaled(midge_im(*third), scale);
    if (turns) {
        const int32_t c = cr;
        cr = turned_re(c, ci, turns[1]);
        ci = turned_im(c, ci, turns[1]);
    }
    const int32_t ar = midge_scaled(midge_re(*z), scale), ai = midge_scaled(midge_im(*z), scale);
    *z = midge_complex(ar + cr + sum_re, ai + ci + sum_im);
    *third = midge_complex(ar + cr - sum_re, ai + ci - sum_im);
    *second = midge_complex(ar - cr + turn_re, ai - ci - turn_im);
    *fourth = midge_complex(ar - cr - turn_re, ai - ci + turn_im);
}

void midge_quarter(uint32_t *z, uint32_t points, uint32_t size, uint32_t scale,
    const uint8_t *wave, uint32_t step) {
    uint32_t *const end = z + points;
    for (uint32_t *at = z; at < end; at += 4 * size) {
        butterfly(at, size, scale, 0);
    }
    uint32_t angle = step;
    for (uint32_t *first = z + 1; first < z + size; first++, angle += step) {
        const turn_t turns[] = {turn_of(wave, points, angle), turn_of(wave, points, 2 * angle),
            turn_of(wave, points, 3 * angle)};
        for (uint32_t *at = first; at < end; at += 4 * size) {
            butterfly(at, size, scale, turns);
        }
    }
}

void midge_energies(uint32_t *z, uint32_t points, const uint8_t *wave) {
    for (uint32_t k = 1; k <= points / 2; k++) {
        const turn_t turn = turn_of(wave, points, points / 2 + k);
        const uint32_t a = z[k], b = z[points - k];
        const int32_t ar = midge_scaled(midge_re(a), 16383), ai = midge_scaled(midge_im(a), 16383);
        const int32_t br = midge_scaled(midge_re(b), 16383);
        const int32_t bi = midge_scaled((int16_t)-midge_im(b), 16383);
        const int32_t re = ar - br, im = ai - bi;
        const int32_t tr = (int16_t)turned_re(re, im, turn);
        const int32_t ti = (int16_t)turned_im(re, im, turn);
        z[k] = midge_energy((ar + br + tr) >> 1, (ai + bi + ti) >> 1);
        z[points - k] = midge_energy((ar + br - tr) >> 1, (ti - ai - bi) >> 1);
    }
}

#endif
