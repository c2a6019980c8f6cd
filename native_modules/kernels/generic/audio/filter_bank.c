// FILTER_BANK: features of a spectrum: sums of bins, their roots less noise, an automatic gain,
// logarithms.

#include "bytes.h"
#include "call.h"
#include "root.h"
#include "weigh.h"

#define SUM_BITS 60
// Fractions of a bit behind and before the automatic gain's curve.
#define SNR_BITS 12
#define OUTPUT_BITS 6

// (x * factor + y * other) >> bits in 32 bits; factor + other <= 2^16, bits <= 16.
static uint32_t scaled(uint32_t x, uint32_t factor, uint32_t y, uint32_t other, uint32_t bits) {
    const uint32_t high = (x >> 16) * factor + (y >> 16) * other;
    const uint32_t low = (x & 0xffff) * factor + (y & 0xffff) * other;
    return (high << (16 - bits)) + (low >> bits);
}

// Rounded; the largest one of 16 bits stays below 2^16.
static uint32_t rounded_root(uint64_t x) {
    uint32_t rest;
    const uint32_t root = midge_root(x, &rest);
    return root + (rest > root && (root != 0xffff || x >> 32));
}

// Of an estimate: values for 0 and 1, and a parabola from each power of two to the next.
static uint32_t gain(const uint8_t *table, uint32_t x) {
    if (x < 2) {
        return (uint16_t)midge_int16_at(table + 2 * x);
    }
    const uint32_t k = midge_bit_length(x);
    const uint8_t *piece = table + 4 * (k - 1);
    const int32_t first = midge_int16_at(piece), linear = midge_int16_at(piece + 2);
    const int32_t square = midge_int16_at(piece + 4) - first - linear;
    const int32_t fraction = (int32_t)((k < 11 ? x << (11 - k) : x >> (k - 11)) & 0x3ff);
    const int32_t slope = (square * fraction >> 5) + linear * 32;
    const int32_t rise = (int32_t)((uint32_t)slope * (uint32_t)fraction + 0x4000) >> 15;
    return (uint16_t)(first + rise);
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
    const uint32_t k = midge_bit_length(x) - 1;
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
    const uint32_t taken = op->smoothing[odd], kept = (1u << MIDGE_ESTIMATE_BITS) - taken;
    *estimate = scaled(larger, taken, *estimate, kept, MIDGE_ESTIMATE_BITS);
    const uint32_t noise = *estimate < larger ? *estimate : larger;
    if (op->flags & MIDGE_CLAMPS) {
        *estimate = noise;
    }
    const uint32_t least = scaled(signal, op->remaining, 0, 0, MIDGE_ESTIMATE_BITS);
    const uint32_t left = (larger - noise) >> op->smoothing_bits;
    return left > least ? left : least;
}

void midge_filter_bank(const midge_call_t *call) {
    const midge_filter_bank_t *op = call->op;
    const uint8_t *weights = call->weights;
    const uint8_t *logarithms = weights + 2 * op->columns;
    const uint8_t *gains = logarithms + MIDGE_LOG_BYTES;
    const uint8_t *widths = op->flags & MIDGE_GAIN ? gains + MIDGE_GAIN_BYTES : gains;
    const uint32_t *energies = (const uint32_t *)(const void *)(call->arena + op->input);
    uint32_t *estimates = (uint32_t *)(void *)(call->arena + op->input2);
    int8_t *out = call->arena + op->output;
    const uint32_t grown = energies[op->bins] & 31;
    uint32_t left = op->first < op->bins ? op->bins - op->first : 0;
    left = left < op->columns ? left : op->columns;
    energies += op->first;
    uint64_t carry = 0; // what the row before gives to this channel
    for (uint32_t i = 0; i <= op->channels; i++) {
        const uint32_t width = widths[i] < left ? widths[i] : left;
        left -= width;
        uint64_t rest;
        const uint64_t part = midge_weigh(energies, weights, width, op->unit, &rest);
        const uint64_t sum = (carry + part) << (64 - SUM_BITS) >> (64 - SUM_BITS);
        carry = rest;
        energies += width;
        weights += 2 * width;
        if (i == 0) {
            continue;
        }
        uint32_t *estimate = estimates + i - 1;
        uint32_t value = without_noise(op, i - 1, rounded_root(sum) >> grown, estimate);
        if (op->flags & MIDGE_GAIN) {
            value = shrunk(scaled(value, gain(gains, *estimate), 0, 0, op->snr_shift));
        }
        value = logarithm(logarithms, value << op->correction_bits, op->log_scale);
        if (op->types == MIDGE_DTYPE_INT16) {
            ((int16_t *)(void *)out)[i - 1] = (int16_t)value;
        } else {
            value = value < op->limit ? value : op->limit;
            value = (value * op->multiplier + op->addend) >> op->shift;
            value = value < UINT8_MAX ? value : UINT8_MAX; // which is above 127 with any offset
            out[i - 1] = midge_clamp((int32_t)value + op->offset, INT8_MIN, INT8_MAX);
        }
    }
}
