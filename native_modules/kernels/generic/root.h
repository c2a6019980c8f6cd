// Integer square roots, for cores that divide slowly or not at all.

#ifndef MIDGE_ROOT_H
#define MIDGE_ROOT_H

#include <stdint.h>

static inline uint32_t midge_bit_length(uint32_t x) {
    uint32_t bits = 0;
    if (x >> 16) {
        bits = 16;
        x >>= 16;
    }
    if (x >> 8) {
        bits += 8;
        x >>= 8;
    }
    if (x >> 4) {
        bits += 4;
        x >>= 4;
    }
    // 4 bits of x, 3 of a length, for each x.
    return bits + (x < 8 ? 0x33332210 >> 4 * x & 7 : 4);
}

// Of x < 2^62, downwards: root^2 + rest = x.
static inline uint32_t midge_root(uint64_t x, uint32_t *rest) {
    // First of the upper 32 bits, by squares; then of a pair of bits after the other.
    uint32_t head = (uint32_t)x, next = 0, pairs = 0;
    const uint32_t high = (uint32_t)(x >> 32);
    if (high) {
        pairs = (midge_bit_length(high) + 1) / 2;
        next = head << (32 - 2 * pairs);
        head = high << (32 - 2 * pairs) | head >> 2 * pairs;
    }
    uint32_t root = 0;
    for (uint32_t bit = 1u << (midge_bit_length(head | 1) - 1) / 2; bit; bit >>= 1) {
        const uint32_t trial = root | bit;
        if (trial * trial <= head) {
            root = trial;
        }
    }
    uint32_t left = head - root * root;
    for (; pairs; pairs--) {
        left = left << 2 | next >> 30;
        next <<= 2;
        const uint32_t trial = root << 2 | 1;
        root <<= 1;
        if (left >= trial) {
            left -= trial;
            root |= 1;
        }
    }
    *rest = left;
    return root;
}

#endif
