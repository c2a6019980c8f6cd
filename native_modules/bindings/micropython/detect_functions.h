// The function that midge_detect has in MicroPython: in a native module, and in a user C module.

#ifndef MIDGE_DETECT_FUNCTIONS_H
#define MIDGE_DETECT_FUNCTIONS_H

#include "detect/detect.h"

// find(section, arena, found, order) -> status
static mp_obj_t find(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info[4];
    (void)n_args;
    for (size_t i = 0; i < 4; i++) {
        mp_get_buffer_raise(args[i], &info[i], i < 2 ? MP_BUFFER_READ : MP_BUFFER_WRITE);
    }
    const midge_bytes_t section = {info[0].buf, info[0].len}, arena = {info[1].buf, info[1].len};
    const midge_arena_t found = {info[2].buf, info[2].len}, order = {info[3].buf, info[3].len};
    return MP_OBJ_NEW_SMALL_INT(midge_find(section, arena, found, order));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(find_obj, 4, 4, find);

#endif
