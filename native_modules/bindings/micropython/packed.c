// midge_packed: decodes the weights of a file with coded pieces. midge/_coded.py prepares what
// comes in here.

#include "py/dynruntime.h"

#include "function_table.h"
#include "packed_functions.h"

// Compilers may call these for loops.
void *memcpy(void *to, const void *from, size_t n) {
    return mp_fun_table.memmove_(to, from, n);
}

void *memset(void *to, int value, size_t n) {
    return mp_fun_table.memset_(to, value, n);
}

// Whoever imports the module has made its globals the current ones.
mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    check_function_table(&unpack_obj);
    mp_store_global(MP_QSTR_FORMAT, MP_OBJ_NEW_SMALL_INT(MIDGE_FORMAT_VERSION));
    mp_store_global(MP_QSTR_prepare, MP_OBJ_FROM_PTR(&prepare_obj));
    mp_store_global(MP_QSTR_unpack, MP_OBJ_FROM_PTR(&unpack_obj));
    return mp_const_none;
}
