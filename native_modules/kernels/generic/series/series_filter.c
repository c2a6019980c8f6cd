// SERIES_FILTER: each channel of a window of samples through recursive filters of second order.

#include "bytes.h"
#include "call.h"
#include "fixed_point_wide.h"

#define FACTORS 5
#define ONE ((int64_t)1 << MIDGE_COEFFICIENT_BITS)

static int32_t limited(int64_t value) {
    if (value > MIDGE_FILTERED_LIMIT) {
        return MIDGE_FILTERED_LIMIT;
    }
    return value < -MIDGE_FILTERED_LIMIT ? -MIDGE_FILTERED_LIMIT : (int32_t)value;
}

// One section of a channel, whose samples are `step` apart; out may be x. Whatever its factors
// are, the sum stays below 2^63: samples have 28 bits here, and what it gave has 30.
static void filter(const int16_t *x, int16_t *out, uint32_t rows, uint32_t step,
    const uint8_t *section) {
    int32_t factors[FACTORS];
    for (uint32_t i = 0; i < FACTORS; i++, section += 4) {
        factors[i] = (int32_t)midge_uint32_at(section);
    }
    const int32_t first = *x * (1 << MIDGE_FILTERED_BITS);
    const int32_t steady = limited((int64_t)(int32_t)midge_uint32_at(section) * *x);
    int32_t values[FACTORS] = {0, first, first, steady, steady};
    int64_t rest = ONE / 2;
    for (; rows; rows--, x += step, out += step) {
        int64_t sum = rest;
        values[0] = *x * (1 << MIDGE_FILTERED_BITS);
        for (uint32_t i = 0; i < FACTORS; i++) {
            sum += (int64_t)factors[i] * values[i];
        }
        rest = sum & (ONE - 1);
        values[2] = values[1];
        values[1] = values[0];
        values[4] = values[3];
        values[3] = limited(sum >> MIDGE_COEFFICIENT_BITS);
        const int32_t rounded =
            (values[3] + (1 << (MIDGE_FILTERED_BITS - 1))) >> MIDGE_FILTERED_BITS;
        *out = midge_clamp16(rounded, INT16_MIN, INT16_MAX);
    }
}

void midge_series_filter(const midge_call_t *call) {
    const midge_series_filter_t *op = call->op;
    const int16_t *x = (const int16_t *)(const void *)(call->arena + op->input);
    int16_t *out = (int16_t *)(void *)(call->arena + op->output);
    for (uint32_t i = 0; i < op->channels; i++) {
        const uint8_t *section = call->weights;
        const int16_t *from = x + i;
        for (uint32_t s = 0; s < op->sections; s++, section += MIDGE_SECTION_BYTES) {
            filter(from, out + i, op->rows, op->channels, section);
            from = out + i;
        }
    }
}
