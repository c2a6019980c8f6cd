// Words of tables in a weight block, which lies anywhere but is mostly aligned.

#ifndef MIDGE_TABLE_H
#define MIDGE_TABLE_H

#include "bytes.h"

static inline uint32_t midge_word_at(const uint8_t *bytes) {
    if (((uintptr_t)bytes & 3) == 0) {
        return *(const uint32_t *)(const void *)bytes;
    }
    return midge_uint32_at(bytes);
}

// The same of several: where they are, if that is aligned, or else in `copy`.
static inline const uint32_t *midge_words_at(const uint8_t *bytes, uint32_t count,
    uint32_t *copy) {
    if (((uintptr_t)bytes & 3) == 0) {
        return (const uint32_t *)(const void *)bytes;
    }
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = midge_uint32_at(bytes + 4 * i);
    }
    return copy;
}

#endif
