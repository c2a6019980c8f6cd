// FILTER_BANK: features of a spectrum: sums of bins, their roots less noise, an automatic gain,
// logarithms.

#include "call.h"
#include "table.h"

#define WORD_BYTES 4
#define WEIGHT_MASK 0x1fff
// Fractions of a bit behind and before the automatic gain's curve.
#define SNR_BITS 12
#define OUTPUT_BITS 6

static uint32_t bit_length(uint32_t x) {
    uint32_t bits = 0;
    for (uint32_t step = 16; step; step >>= 1) {
        if (x >> step) {
            bits += step;
            x >>= step;
        }
    }
    return bits + x;
}

// (x * factor + y * other) >> bits in 32 bits; factor + other <= 2^16, bits <= 16.
static uint32_t scaled(uint32_t x, uint32_t factor, uint32_t y, uint32_t other, uint32_t bits) {
    const uint32_t high = (x >> 16) * factor + (y >> 16) * other;
    const uint32_t low = (x & 0xffff) * factor + (y & 0xffff) * other;
    return (high << (16 - bits)) + (low >> bits);
}

// A row's energies times the weights that stand in its words from bit `at` on.
static uint64_t weighted(const uint32_t *energies, const uint8_t *column, uint32_t width,
    uint32_t at) {
    uint64_t sum = 0;
    while (width) {
        // As many products of 16 and 13 bits fit into 32.
        uint32_t copy[8];
        const uint32_t count = width < 8 ? width : 8;
        const uint32_t *weights = midge_words_at(column, count, copy);
        const uint32_t *const end = energies + count;
        uint32_t low = 0, high = 0;
        do {
            const uint32_t energy = *energies++, weight = *weights++ >> at & WEIGHT_MASK;
            low += (energy & 0xffff) * weight;
            high += (energy >> 16) * weight;
        } while (energies < end);
        sum += low + ((uint64_t)high << 16);
        column += count * WORD_BYTES;
        width -= count;
    }
    return sum;
}

// Rounded, of less than 2^62; the largest one of 16 bits stays below 2^16.
static uint32_t square_root(uint64_t x) {
    uint32_t word = (uint32_t)(x >> 32), next = (uint32_t)x, pairs = 32;
    if (!x) {
        return 0;
    }
    if (!word) {
        word = next;
        next = 0;
        pairs = 16;
    }
    for (uint32_t bits = 16; bits > 1; bits /= 2) { // zeros in front make none in the root
        if (!(word >> (32 - bits))) {
            word = word << bits | next >> (32 - bits);
            next <<= bits;
            pairs -= bits / 2;
        }
    }
    uint32_t root = 0, rest = 0;
    const uint32_t limit = x >> 32 ? UINT32_MAX : 0xffff;
    for (; pairs; pairs--) {
        rest = rest << 2 | word >> 30;
        word = word << 2 | next >> 30;
        next <<= 2;
        const uint32_t trial = root << 2 | 1;
        root <<= 1;
        if (rest >= trial) {
            rest -= trial;
            root |= 1;
        }
    }
    return root + (rest > root && root != limit);
}

// Of an estimate: values for 0, 1 and 2, and a parabola from each power of two to the next.
static uint32_t gain(const uint8_t *table, uint32_t x) {
    if (x <= 2) {
        return (uint16_t)midge_int16_at(table + 2 * x);
    }
    const uint32_t k = bit_length(x);
    const uint8_t *piece = table + 2 * (4 * k - 6);
    const int32_t fraction = (int32_t)((k < 11 ? x << (11 - k) : x >> (k - 11)) & 0x3ff);
    const int32_t slope = (midge_int16_at(piece + 4) * fraction >> 5)
        + midge_int16_at(piece + 2) * 32;
    const int32_t rise = (int32_t)((uint32_t)slope * (uint32_t)fraction + 0x4000) >> 15;
    return (uint16_t)(midge_int16_at(piece) + rise);
}

// x^2 / 4 below 2, x - 1 above.
static uint32_t shrunk(uint32_t snr) {
    if (snr < 2u << SNR_BITS) {
        return snr * snr >> (2 + 2 * SNR_BITS - OUTPUT_BITS);
    }
    return (snr >> (SNR_BITS - OUTPUT_BITS)) - (1u << OUTPUT_BITS);
}

// Of x times `scale`, to the base e; straight lines between the table's values.
static uint32_t logarithm(const uint8_t *table, uint32_t x, uint32_t scale) {
    if (x <= 1) {
        return 0;
    }
    const uint32_t k = bit_length(x) - 1;
    const uint32_t fraction = (k < 16 ? x << (16 - k) : x >> (k - 16)) & 0xffff;
    const uint8_t *segment = table + 2 * (fraction >> 9);
    const int32_t low = (uint16_t)midge_int16_at(segment);
    const int32_t high = (uint16_t)midge_int16_at(segment + 2);
    const uint32_t base_2 = (k << 16) + fraction
        + (uint32_t)(low + ((high - low) * (int32_t)(fraction & 511) >> 16));
    const uint32_t base_e = (base_2 >> 16) * MIDGE_LOG_E
        + (((base_2 & 0xffff) * MIDGE_LOG_E + 0x8000) >> 16);
    const uint32_t value = (base_e * scale + 0x8000) >> 16;
    return value < INT16_MAX ? value : INT16_MAX;
}

// What is left of a channel when its noise, which the estimate follows, is gone.
static uint32_t without_noise(const midge_filter_bank_t *op, uint32_t channel, uint32_t signal,
    uint32_t *estimate) {
    const uint32_t odd = channel & 1;
    const uint32_t larger = signal << op->smoothing_bits;
    *estimate = scaled(larger, op->smoothing[odd], *estimate, op->one_minus[odd],
        op->estimate_bits);
    const uint32_t noise = *estimate < larger ? *estimate : larger;
    if (op->flags & MIDGE_CLAMPS) {
        *estimate = noise;
    }
    const uint32_t least = scaled(signal, op->remaining, 0, 0, op->estimate_bits);
    const uint32_t left = (larger - noise) >> op->smoothing_bits;
    return left > least ? left : least;
}

void midge_filter_bank(const midge_call_t *call) {
    const midge_filter_bank_t *op = call->op;
    const uint8_t *row = call->weights;
    const uint8_t *column = row + WORD_BYTES * (op->channels + 1u);
    const uint8_t *logarithms = column + WORD_BYTES * op->columns;
    const uint8_t *gains = logarithms + MIDGE_LOG_BYTES;
    const uint32_t *energies = (const uint32_t *)(const void *)(call->arena + op->input);
    uint32_t *estimates = (uint32_t *)(void *)(call->arena + op->input2);
    int8_t *out = call->arena + op->output;
    const uint32_t grown = energies[op->bins] & 31;
    uint32_t left = op->columns;
    uint64_t carry = 0; // what the row before gives to this channel
    for (uint32_t i = 0; i <= op->channels; i++, row += WORD_BYTES) {
        const uint32_t bounds = midge_word_at(row), first = bounds & 0xffff;
        const uint32_t start = first < op->bins ? first : op->bins;
        uint32_t width = bounds >> 16 & 0xff;
        width = width < op->bins - start ? width : op->bins - start;
        width = width < left ? width : left;
        left -= width;
        const uint64_t sum = carry + weighted(energies + start, column, width, 0);
        carry = weighted(energies + start, column, width, 16);
        column += width * WORD_BYTES;
        if (i == 0) {
            continue;
        }
        uint32_t *estimate = estimates + i - 1;
        uint32_t value = without_noise(op, i - 1, square_root(sum) >> grown, estimate);
        if (op->flags & MIDGE_GAIN) {
            value = shrunk(scaled(value, gain(gains, *estimate), 0, 0, op->snr_shift));
        }
        value = logarithm(logarithms, value << op->correction_bits, op->log_scale);
        if (op->types == MIDGE_DTYPE_INT16) {
            ((int16_t *)(void *)out)[i - 1] = (int16_t)value;
        } else {
            value = value < op->limit ? value : op->limit;
            value = (value * op->multiplier + op->addend) >> op->shift;
            out[i - 1] = midge_clamp((int32_t)value + op->offset, INT8_MIN, INT8_MAX);
        }
    }
}
