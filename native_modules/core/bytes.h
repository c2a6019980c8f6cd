// Numbers in weight blocks, readings and results, which need not lie at aligned addresses.

#ifndef MIDGE_BYTES_H
#define MIDGE_BYTES_H

#include <stdint.h>

static inline int32_t midge_int16_at(const uint8_t *bytes) {
    return (int16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t midge_uint32_at(const uint8_t *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16
        | (uint32_t)bytes[3] << 24;
}

static inline void midge_store_uint32(uint8_t *bytes, uint32_t value) {
    for (int i = 0; i < 4; i++, value >>= 8) {
        bytes[i] = (uint8_t)value;
    }
}

#endif
