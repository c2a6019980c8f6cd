// Words of tables in a weight block, which lies anywhere but is mostly aligned.

#ifndef MIDGE_TABLE_H
#define MIDGE_TABLE_H

#include "bytes.h"

__attribute__((always_inline)) static inline uint32_t midge_word_at(const uint8_t *bytes) {
#ifndef __wasm__ // which loads from anywhere
    if (((uintptr_t)bytes & 3) == 0) {
        return *(const uint32_t *)(const void *)bytes;
    }
#endif
    return midge_uint32_at(bytes);
}

#endif
