// Decodes weights: a native module of its own, midge_packed, and no bank of operators. How they
// are coded: docs/FORMAT.md, "Coded weights".

#ifndef MIDGE_PACKED_H
#define MIDGE_PACKED_H

#include "midge.h"

// uint16 for each table: the first code that is not looked up, how many values stand before its
// own, where the table begins in `code`; then by the next bits of a piece a value and, above it,
// the length of its code, or 0 where that is longer.
enum {
    MIDGE_TABLE_FIRST,
    MIDGE_TABLE_INDEX,
    MIDGE_TABLE_AT,
    MIDGE_TABLE_LOOKUP,
    MIDGE_TABLE_SIZE = MIDGE_TABLE_LOOKUP + (1 << MIDGE_LOOKUP_BITS),
};

// Checks `code`, the section CODE, and makes its tables, uint16 [tables][MIDGE_TABLE_SIZE].
// Returns 0, or MIDGE_BAD_PARAMETER.
uint32_t midge_prepare(midge_bytes_t code, midge_arena_t tables);

// Goes on with a piece: decodes from `data`, of which state->taken bytes are taken already, to
// `out` from byte `at` on. Returns up to where: the end of `out`, or less where it has taken all
// data; then state->taken has to be 0 again for the data that follow. Returns -1 where the piece
// is impossible. `state` is a midge_unpacking_t: one of 0, or of 0 but for its phase, begins a
// piece.
int32_t midge_unpack(midge_bytes_t code, midge_bytes_t tables, midge_arena_t state,
    midge_bytes_t data, midge_arena_t out, uint32_t at);

#endif
