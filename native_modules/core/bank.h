// A bank as the executor sees it: the generated operators.h has one of these for each.

#ifndef MIDGE_BANK_H
#define MIDGE_BANK_H

#include "call.h"

typedef struct {
    // MIDGE_OK, or the reason why the record cannot run in an arena of that size. Where its weight
    // blocks lie has been checked; what they must hold is checked here.
    uint32_t (*check)(const void *record, uint32_t arena_bytes);
    void (*run)(const midge_call_t *call);
} midge_operator_t;

// Operators by code, from `first` on. In the masks the first one is bit 0.
typedef struct {
    const midge_operator_t *operators;
    uint32_t first;
    uint32_t int8, int16; // has a kernel for this type of activations
    uint32_t blocks; // may have weight blocks
    uint32_t by_rows; // the rows of its output can be shared out: `narrow` does it (share.h)
    int (*narrow)(void *record, uint32_t part, uint32_t parts);
} midge_bank_t;

#endif
