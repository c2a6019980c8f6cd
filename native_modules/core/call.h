// The arguments of a kernel: its record, checked, and the memory that the record speaks of.

#ifndef MIDGE_CALL_H
#define MIDGE_CALL_H

#include "fixed_point.h"
#include "midge.h"
#include "target.h"

// One record to run. `weights` points at weight block `begin`. Of several parts each has a
// record of its own: the executor gives it its rows and its share of the scratch memory.
typedef struct {
    const void *op;
    int8_t *arena;
    const uint8_t *weights;
    uint32_t begin;
    uint32_t end;
} midge_call_t;

// True when `bytes` bytes from `offset` lie within `limit` bytes; never for UINT32_MAX bytes.
static inline int midge_fits(uint32_t offset, uint32_t bytes, uint32_t limit) {
    return offset <= limit && bytes <= limit - offset;
}

// Elements of a tensor that is repeated along the dimensions with a bit in `repeat`; at most
// UINT32_MAX.
static inline uint32_t midge_elements(const uint16_t *shape, uint32_t dims, uint32_t repeat) {
    uint32_t count = 1;
    for (uint32_t i = 0; i < dims; i++) {
        count = midge_times(count, repeat >> i & 1 ? 1 : shape[i]);
    }
    return count;
}

#include "kernels.h"

#endif
