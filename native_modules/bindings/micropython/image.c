// midge_image: takes frames of cameras into a model's input. midge/_image.py prepares what comes
// in here.

#include "py/dynruntime.h"

#include "function_table.h"
#include "image_functions.h"

#define NEEDS_MEMSET
#include "libc.h"

// Whoever imports the module has made its globals the current ones.
mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    check_function_table(&load_obj);
    mp_store_global(MP_QSTR_FORMAT, MP_OBJ_NEW_SMALL_INT(MIDGE_FORMAT_VERSION));
    mp_store_global(MP_QSTR_load, MP_OBJ_FROM_PTR(&load_obj));
    return mp_const_none;
}
