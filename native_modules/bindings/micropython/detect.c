// midge_detect: finds things in pictures. midge/_detect.py prepares what comes in here.

#include "py/dynruntime.h"

#include "function_table.h"
#include "detect_functions.h"

#define NEEDS_MEMCPY
#define NEEDS_MEMMOVE
#define NEEDS_MEMSET
#include "libc.h"

// Whoever imports the module has made its globals the current ones.
mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    check_function_table(&find_obj);
    mp_store_global(MP_QSTR_FORMAT, MP_OBJ_NEW_SMALL_INT(MIDGE_FORMAT_VERSION));
    mp_store_global(MP_QSTR_find, MP_OBJ_FROM_PTR(&find_obj));
    return mp_const_none;
}
