// The functions that midge_learn has in MicroPython: in a native module, and in a user C module.

#ifndef MIDGE_LEARN_FUNCTIONS_H
#define MIDGE_LEARN_FUNCTIONS_H

#include "learn/learn.h"

// All arguments are buffers; those from `writable` on are written to.
static void learn_buffers(
    const mp_obj_t *args, size_t count, size_t writable, mp_buffer_info_t *to) {
    for (size_t i = 0; i < count; i++) {
        mp_get_buffer_raise(args[i], &to[i], i < writable ? MP_BUFFER_READ : MP_BUFFER_WRITE);
    }
}

#define READ(i) ((midge_bytes_t){info[i].buf, info[i].len})
#define WRITE(i) ((midge_arena_t){info[i].buf, info[i].len})

// embed(learn, matrix, centre, x, vector) -> status
static mp_obj_t embed(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info[5];
    learn_buffers(args, n_args, 4, info);
    return MP_OBJ_NEW_SMALL_INT(midge_embed(READ(0), READ(1), READ(2), READ(3), WRITE(4)));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(embed_obj, 5, 5, embed);

// prototype(learn, sums, row) -> status
static mp_obj_t prototype(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info[3];
    learn_buffers(args, n_args, 2, info);
    return MP_OBJ_NEW_SMALL_INT(midge_prototype(READ(0), READ(1), WRITE(2)));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(prototype_obj, 3, 3, prototype);

// distances(rows, vector, squares) -> status
static mp_obj_t distances(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info[3];
    learn_buffers(args, n_args, 2, info);
    return MP_OBJ_NEW_SMALL_INT(midge_row_distances(READ(0), READ(1), WRITE(2)));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(distances_obj, 3, 3, distances);

// probabilities(learn, exponents, weights, vector, p) -> status
static mp_obj_t probabilities(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info[5];
    learn_buffers(args, n_args, 4, info);
    return MP_OBJ_NEW_SMALL_INT(
        midge_probabilities(READ(0), READ(1), READ(2), READ(3), WRITE(4)));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(probabilities_obj, 5, 5, probabilities);

// epoch(learn, exponents, samples, classes, weights, order, seed, vector, p) -> status
static mp_obj_t epoch(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info[9];
    learn_buffers(args, n_args, 4, info);
    return MP_OBJ_NEW_SMALL_INT(midge_epoch(READ(0), READ(1), READ(2), READ(3), WRITE(4), WRITE(5),
        WRITE(6), WRITE(7), WRITE(8)));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(epoch_obj, 9, 9, epoch);

#undef READ
#undef WRITE

#endif
