// Learning on the board: a native module of its own, midge_learn, and no bank of operators. What
// each function computes: docs/NUMERICS.md, "Learning". All buffers of wider numbers are aligned
// to them; `learn` is a midge_learn_t. Each returns 0, or MIDGE_BAD_PARAMETER where lengths do not
// fit together or a field of `learn` is impossible: nothing was written then.

#ifndef MIDGE_LEARNING_H
#define MIDGE_LEARNING_H

#include "midge.h"

// The vector that a method compares, int16 [size] (and the bias's input behind it, for a head), of
// an embedding x, int8 [size]. matrix, int8 [size][size], and centre, int32 [size]: of whitening,
// else of 0 bytes.
uint32_t midge_embed(midge_bytes_t learn, midge_bytes_t matrix, midge_bytes_t centre,
    midge_bytes_t x, midge_arena_t vector);

// A class's row, int16 [size], of the sums of its vectors, int32 [size], and behind them their
// number.
uint32_t midge_prototype(midge_bytes_t learn, midge_bytes_t sums, midge_arena_t row);

// The squared distance, uint32 [rows], of a vector from each row, int16 [rows][size].
uint32_t midge_row_distances(midge_bytes_t rows, midge_bytes_t vector, midge_arena_t squares);

// A head's probability of each class, int32 [classes] in 1/2^15. exponents: uint16 [256];
// weights: int16 [classes][size + 1].
uint32_t midge_probabilities(midge_bytes_t learn, midge_bytes_t exponents, midge_bytes_t weights,
    midge_bytes_t vector, midge_arena_t probabilities);

// Trains a head once with all samples, int8 [samples][size], of `classes`, uint8 [samples]. order,
// uint16 [samples]: their numbers, shuffled on the way by `seed`, a uint32. vector and
// probabilities: room for both.
uint32_t midge_epoch(midge_bytes_t learn, midge_bytes_t exponents, midge_bytes_t samples,
    midge_bytes_t classes, midge_arena_t weights, midge_arena_t order, midge_arena_t seed,
    midge_arena_t vector, midge_arena_t probabilities);

#endif
