// SERIES_FEATURES: statistics and bands of the spectrum of each channel of a window of samples.

#include "bytes.h"
#include "call.h"
#include "root.h"
#include "table.h"

#define UNIT_BITS 8 // features are multiples of 1 / 256
#define TURN_BYTES 4 // a cosine and a sine
#define ONE_BITS 14 // of these
#define FRACTION 4 // bits of a bin's parts

// A channel: its samples are `step` apart.
typedef struct {
    const int16_t *x;
    uint32_t step;
    uint32_t rows;
} channel_t;

// Of a channel, in one go.
typedef struct {
    int32_t sum, least, largest;
    uint32_t changes; // sum of the differences' magnitudes
    uint64_t squares;
} moments_t;

static moments_t moments_of(channel_t channel) {
    const int16_t *x = channel.x;
    int32_t before = *x;
    moments_t made = {0, before, before, 0, 0};
    for (uint32_t i = 0; i < channel.rows; i++, x += channel.step) {
        const int32_t value = *x, change = value - before;
        made.sum += value;
        made.squares += (uint32_t)(value * value);
        made.changes += (uint32_t)(change < 0 ? -change : change);
        made.least = value < made.least ? value : made.least;
        made.largest = value > made.largest ? value : made.largest;
        before = value;
    }
    return made;
}

// value * 2^bits / divisor, rounded down; divisor below 2^31.
static uint64_t ratio(uint64_t value, uint32_t divisor, uint32_t bits) {
    uint64_t quotient = 0;
    uint32_t rest = 0;
    for (uint32_t i = 0; i < 64 + bits; i++) {
        rest = rest << 1 | (uint32_t)(value >> 63);
        value <<= 1;
        quotient <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            quotient |= 1;
        }
    }
    return quotient;
}

// Of value / 2^fraction / divisor, in 1 / 256.
static int32_t root_of_ratio(uint64_t value, uint32_t divisor, uint32_t fraction) {
    uint32_t rest;
    return (int32_t)midge_root(ratio(value, divisor, 2 * UNIT_BITS - fraction), &rest);
}

static int32_t mean(int32_t sum, uint32_t rows) {
    if (sum >= 0) {
        return (int32_t)ratio((uint32_t)sum, rows, UNIT_BITS);
    }
    const uint64_t most = ((uint64_t)(uint32_t)-sum << UNIT_BITS) + rows - 1;
    return -(int32_t)ratio(most, rows, 0);
}

// How often a sample is below the mean and the one before is not, or the reverse.
static int32_t crossings(channel_t channel, int32_t sum) {
    const int16_t *x = channel.x;
    const int32_t rows = (int32_t)channel.rows;
    int was = *x * rows >= sum;
    int32_t count = 0;
    for (uint32_t i = 0; i < channel.rows; i++, x += channel.step) {
        const int is = *x * rows >= sum;
        count += is != was;
        was = is;
    }
    return count;
}

// The least sample that half of them are not above; of an even number the lower one in the middle.
static int32_t median(channel_t channel) {
    int32_t low = INT16_MIN, high = INT16_MAX;
    while (low < high) {
        const int32_t middle = (low + high) >> 1;
        const int16_t *x = channel.x;
        uint32_t count = 0;
        for (uint32_t i = 0; i < channel.rows; i++, x += channel.step) {
            count += *x <= middle;
        }
        if (count > (channel.rows - 1) / 2) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

// A sum of products of 31 bits: its lower half, and the sum of each product's upper half. Sums of
// 64 bits are slow where registers are few.
typedef struct {
    uint32_t low;
    int32_t high;
} sum_t;

static inline void add_product(sum_t *sum, int32_t product) {
    sum->low += (uint32_t)product;
    sum->high += product >> 16;
}

// With FRACTION bits, then squared. The sum is above high * 2^16, by less than 2^16 for each
// product and so by less than 2^32.
static uint64_t square_of(const sum_t *sum) {
    const uint32_t above = sum->low - ((uint32_t)sum->high << 16);
    const int64_t whole = (int64_t)sum->high * (1 << 16) + above;
    const int64_t part = (whole + (1 << (ONE_BITS - FRACTION - 1))) >> (ONE_BITS - FRACTION);
    return (uint64_t)part * (uint64_t)part;
}

// Of both bins of that number, as there are two but for the highest one of an even number; in
// 2^(-2 * FRACTION).
static uint64_t energy(channel_t channel, const uint8_t *turns, uint32_t bin) {
    const int16_t *x = channel.x;
    sum_t re = {0, 0}, im = {0, 0};
    uint32_t at = 0;
    for (uint32_t left = channel.rows; left; left--, x += channel.step) {
        const int32_t turn = (int32_t)midge_word_at(turns + TURN_BYTES * at);
        add_product(&re, *x * (int16_t)turn);
        add_product(&im, *x * (turn >> 16));
        at += bin;
        at -= at >= channel.rows ? channel.rows : 0;
    }
    const uint64_t both = square_of(&re) + square_of(&im);
    return 2 * bin == channel.rows ? both : 2 * both;
}

static int32_t band(channel_t channel, const uint8_t *turns, uint32_t number, uint32_t bands) {
    const uint32_t bins = channel.rows / 2;
    uint32_t bin = 1 + midge_divide(number * bins, bands);
    const uint32_t end = 1 + midge_divide((number + 1) * bins, bands);
    uint64_t sum = 0;
    for (; bin < end && bin <= bins; bin++) {
        sum += energy(channel, turns, bin);
    }
    return root_of_ratio(sum, channel.rows * channel.rows, 2 * FRACTION);
}

// A feature other than bands, in 1 / 256; 0 for one that is unknown.
static int32_t statistic(channel_t channel, const moments_t *of, uint32_t kind) {
    const uint32_t rows = channel.rows;
    if (kind == MIDGE_SERIES_MEAN) {
        return mean(of->sum, rows);
    }
    if (kind == MIDGE_SERIES_STD) {
        const uint64_t square = (uint64_t)((int64_t)of->sum * of->sum);
        return root_of_ratio(rows * of->squares - square, rows * rows, 0);
    }
    if (kind == MIDGE_SERIES_RMS) {
        return root_of_ratio(of->squares, rows, 0);
    }
    if (kind == MIDGE_SERIES_DIFF) {
        return (int32_t)ratio(of->changes, rows - 1, UNIT_BITS);
    }
    int32_t whole = 0;
    if (kind == MIDGE_SERIES_MIN) {
        whole = of->least;
    } else if (kind == MIDGE_SERIES_MAX) {
        whole = of->largest;
    } else if (kind == MIDGE_SERIES_RANGE) {
        whole = of->largest - of->least;
    } else if (kind == MIDGE_SERIES_CROSSINGS) {
        whole = crossings(channel, of->sum);
    } else if (kind == MIDGE_SERIES_MEDIAN) {
        whole = median(channel);
    }
    return whole * (1 << UNIT_BITS);
}

// The bits of value / 256 as float32, which holds it exactly: its magnitude is at most 2^24.
static uint32_t float_of(int32_t value) {
    if (value == 0) {
        return 0;
    }
    uint32_t mantissa = (uint32_t)(value < 0 ? -value : value), exponent = 127 + 31 - UNIT_BITS;
    for (; !(mantissa >> 31); exponent--) {
        mantissa <<= 1;
    }
    return (value < 0 ? 1u << 31 : 0) | exponent << 23 | (mantissa >> 8 & 0x7fffff);
}

// A value as int8 or int16, by its multiplier, shift and zero point.
static int32_t requantised(int32_t value, const uint8_t *rescale, int32_t limit) {
    const int32_t multiplier = (int32_t)midge_uint32_at(rescale);
    const uint32_t shift = midge_uint32_at(rescale + 4) & 63;
    int64_t made = (int64_t)value * multiplier;
    // Bit by bit: few of the cores shift 64 bits by a number that is not constant.
    for (uint32_t i = 0; i < shift; i++) {
        made = (made + (i == shift - 1)) >> 1;
    }
    made += (int32_t)midge_uint32_at(rescale + 8);
    return made > limit ? limit : made < ~limit ? ~limit : (int32_t)made;
}

void midge_series_features(const midge_call_t *call) {
    const midge_series_features_t *op = call->op;
    const uint8_t *kinds = call->weights, *turns = kinds + (op->features + 3u) / 4 * 4;
    const int16_t *x = (const int16_t *)(const void *)(call->arena + op->input);
    const uint8_t *rescale = turns + (op->flags & MIDGE_HAS_BANDS ? TURN_BYTES * op->rows : 0);
    int8_t *out = call->arena + op->output;
    for (uint32_t i = 0; i < op->channels; i++) {
        const channel_t channel = {x + i, op->channels, op->rows};
        const moments_t moments = moments_of(channel);
        uint32_t bands = 0;
        for (uint32_t k = 0; k < op->features; k++) {
            int32_t value = 0;
            if (kinds[k] != MIDGE_SERIES_BAND) {
                value = statistic(channel, &moments, kinds[k]);
            } else if (bands < op->bands && op->flags & MIDGE_HAS_BANDS) {
                value = band(channel, turns, bands++, op->bands);
            }
            if (op->flags & MIDGE_SERIES_INT8) {
                *out = (int8_t)requantised(value, rescale, INT8_MAX);
                out += 1;
            } else if (op->flags & MIDGE_SERIES_INT16) {
                *(int16_t *)(void *)out = (int16_t)requantised(value, rescale, INT16_MAX);
                out += 2;
            } else {
                *(uint32_t *)(void *)out = float_of(value);
                out += 4;
            }
            rescale += MIDGE_RESCALE_BYTES;
        }
    }
}
