// midge_packed: decodes the weights of a file with coded pieces. midge/_coded.py prepares what
// comes in here.

#include "py/dynruntime.h"

#include "function_table.h"
#include "packed_functions.h"

#define NEEDS_MEMCPY
#define NEEDS_MEMSET
#include "libc.h"

// Whoever imports the module has made its globals the current ones.
mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    check_function_table(&unpack_obj);
    mp_store_global(MP_QSTR_FORMAT, MP_OBJ_NEW_SMALL_INT(MIDGE_FORMAT_VERSION));
    mp_store_global(MP_QSTR_prepare, MP_OBJ_FROM_PTR(&prepare_obj));
    mp_store_global(MP_QSTR_unpack, MP_OBJ_FROM_PTR(&unpack_obj));
    return mp_const_none;
}
