// The function that midge_image has in MicroPython: in a native module, and in a user C module.

#ifndef MIDGE_IMAGE_FUNCTIONS_H
#define MIDGE_IMAGE_FUNCTIONS_H

#include "image/picture.h"

// load(view, frame, tensor, tables, scratch, arena) -> status
static mp_obj_t load(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info[6];
    (void)n_args;
    for (size_t i = 0; i < 6; i++) {
        mp_get_buffer_raise(args[i], &info[i], i < 4 ? MP_BUFFER_READ : MP_BUFFER_WRITE);
    }
    const midge_bytes_t view = {info[0].buf, info[0].len}, frame = {info[1].buf, info[1].len};
    const midge_bytes_t tensor = {info[2].buf, info[2].len}, tables = {info[3].buf, info[3].len};
    const midge_arena_t scratch = {info[4].buf, info[4].len}, arena = {info[5].buf, info[5].len};
    return MP_OBJ_NEW_SMALL_INT(midge_picture(view, frame, tensor, tables, scratch, arena));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(load_obj, 6, 6, load);

#endif
