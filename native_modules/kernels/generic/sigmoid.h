// The sigmoid and the hyperbolic tangent of int16 activations and of an LSTM's gates, from a table
// of 256 uint16 values in a weight block: docs/NUMERICS.md, "LOGISTIC and TANH of int16".

#ifndef MIDGE_SIGMOID_H
#define MIDGE_SIGMOID_H

#include "bytes.h"

// The sigmoid of x / 24 / 2^bits in Q0.16 with `bits` more, on a line between two entries;
// x >> bits below 255.
static inline int32_t midge_sigmoid(const uint8_t *table, uint32_t x, uint32_t bits) {
    const uint8_t *entry = table + 2 * (x >> bits);
    const int32_t low = entry[0] | entry[1] << 8, high = entry[2] | entry[3] << 8;
    return (low << bits) + (int32_t)(x & ((1u << bits) - 1)) * (high - low);
}

// From a scale of 2^-12 / 3 to one of 2^-15.
static inline int32_t midge_logistic16(const uint8_t *table, int32_t x) {
    const uint32_t size = x < 0 ? -(uint32_t)x : (uint32_t)x;
    const int32_t y = size >= 255 << 9 ? 0x7fff << 10 : midge_sigmoid(table, size, 9);
    return (x < 0 ? (1 << 25) - y + 511 : y + 512) >> 10;
}

// The same; 2 * sigmoid(2 x) - 1.
static inline int32_t midge_tanh16(const uint8_t *table, int32_t x) {
    const uint32_t size = x < 0 ? -(uint32_t)x : (uint32_t)x;
    const int32_t y = (size >= 255 << 8 ? 0xffff << 8 : midge_sigmoid(table, size, 8)) - (1 << 23);
    return (x < 0 ? 127 - y : y + 128) >> 8;
}

#endif
