// What both parts of midge_packed read of the section CODE.

#ifndef MIDGE_PACKED_CODING_H
#define MIDGE_PACKED_CODING_H

#include "packed/packed.h"

// How many kinds of rows there are; 0 where they cannot be.
static inline uint32_t midge_kinds(midge_bytes_t code) {
    if (code.bytes < sizeof(midge_coding_t)) {
        return 0;
    }
    const uint32_t kinds = (uint32_t)(code.data[0] | code.data[1] << 8);
    const int fits = kinds <= MIDGE_CODE_MOST_KINDS
        && sizeof(midge_coding_t) + 2 * kinds <= code.bytes;
    return fits ? kinds : 0;
}

#endif
