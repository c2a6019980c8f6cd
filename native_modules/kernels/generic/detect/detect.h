// Things in pictures, of what a model's heads say: a native module of its own, midge_detect, and
// no bank of operators. What is computed: docs/NUMERICS.md, "Finding things".

#ifndef MIDGE_DETECT_H
#define MIDGE_DETECT_H

#include "midge.h"

// What stands of a candidate in `found`: int16, places and sizes in 1/16 pixels of the input.
enum {
    MIDGE_FOUND_SCORE, // in 1/2^15
    MIDGE_FOUND_CLASS,
    MIDGE_FOUND_X, // of the left edge
    MIDGE_FOUND_Y, // of the upper edge
    MIDGE_FOUND_WIDTH,
    MIDGE_FOUND_HEIGHT,
    MIDGE_FOUND_KEYPOINTS, // x and y of each
};

// Candidates, int16 [most][6 + 2 * keypoints], and their order, uint8 [1 + most]: how many there
// are, and their numbers, the highest score first.
typedef struct {
    int16_t *found;
    uint8_t *order;
    uint32_t size; // of a candidate
    uint32_t most;
} midge_candidates_t;

static inline int16_t *midge_candidate(const midge_candidates_t *list, uint32_t place) {
    return list->found + list->order[1 + place] * list->size;
}

// Finds things in what a prediction left in the arena. section: DETE, aligned to 4; found and
// order: room for candidates, for int16 aligned to 2. Returns 0, or why the section is refused:
// nothing was written then.
uint32_t midge_find(
    midge_bytes_t section, midge_bytes_t arena, midge_arena_t found, midge_arena_t order);

// Makes one box of those of one thing.
void midge_join(const midge_candidates_t *list, const midge_detect_t *facts);

#endif
