// Bands of magnitudes or of powers, and their logarithms.

#include "mel/bands.h"

#include "call.h"
#include "table.h"

#define WORD_BYTES 4
#define WEIGHT_BITS 30
#define ONE (1u << WEIGHT_BITS) // a weight

// To the base 2 in 2^-24.
static int32_t logarithm(const uint8_t *polynomial, uint64_t x) {
    int32_t bits = 63;
    for (; !(x >> 63); x <<= 1) {
        bits--;
    }
    const int32_t fraction = (int32_t)(x >> 32 & INT32_MAX);
    int32_t value = (int32_t)midge_word_at(polynomial);
    for (uint32_t i = 1; i < MIDGE_LOG2_WORDS; i++) {
        polynomial += WORD_BYTES;
        value = (int32_t)((uint32_t)midge_high_mul(value, fraction) + midge_word_at(polynomial));
    }
    return (bits << MIDGE_LOG_BITS) + (value >> (30 - MIDGE_LOG_BITS));
}

const uint8_t *midge_band_logarithms(const midge_bands_t *from, uint64_t added, int is_power,
    int32_t *logarithms) {
    const uint8_t *width = from->table + WORD_BYTES * MIDGE_LOG2_WORDS;
    const uint8_t *rise = width + WORD_BYTES * (from->bands + 1);
    const uint8_t *const behind = rise + WORD_BYTES * from->columns;
    uint32_t at = from->first, left = from->columns;
    uint64_t rest = 0; // what the bins before give to this band
    for (uint32_t band = 0; band <= from->bands; band++, width += WORD_BYTES) {
        uint64_t held = rest + added;
        rest = 0;
        for (uint32_t n = midge_word_at(width); n && left && at < from->bins; n--, left--, at++) {
            const uint32_t weight = midge_word_at(rise);
            rise += WORD_BYTES;
            if (is_power) {
                const uint32_t *power = from->magnitudes + 2 * at;
                const uint64_t low = (uint64_t)power[0] * weight + ONE / 2;
                const uint64_t up
                    = ((uint64_t)power[1] * weight << (32 - WEIGHT_BITS)) + (low >> WEIGHT_BITS);
                held += ((uint64_t)power[1] << 32 | power[0]) - up;
                rest += up;
            } else {
                held += (uint64_t)from->magnitudes[at] * (ONE - weight);
                rest += (uint64_t)from->magnitudes[at] * weight;
            }
        }
        if (band) {
            logarithms[band - 1] = logarithm(from->table, held ? held : 1);
        }
    }
    return behind;
}

void midge_put_limited(int8_t *output, uint32_t at, int is_wide, int32_t value) {
    if (is_wide) {
        const int32_t least = value < INT16_MIN ? INT16_MIN : value;
        ((int16_t *)(void *)output)[at] = (int16_t)(least > INT16_MAX ? INT16_MAX : least);
    } else {
        output[at] = midge_clamp(value, INT8_MIN, INT8_MAX);
    }
}
