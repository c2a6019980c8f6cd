// midge_detect: finds things in pictures. midge/_detect.py prepares what comes in here.

#include "py/dynruntime.h"

#include "function_table.h"
#include "detect_functions.h"

// Compilers may call these for loops.
void *memcpy(void *to, const void *from, size_t n) {
    return mp_fun_table.memmove_(to, from, n);
}

// no_icf: as the body is memcpy's, GCC would make a memcpy of it, and expand that to a copy that
// goes forwards only.
__attribute__((no_icf)) void *memmove(void *to, const void *from, size_t n) {
    return mp_fun_table.memmove_(to, from, n);
}

void *memset(void *to, int value, size_t n) {
    return mp_fun_table.memset_(to, value, n);
}

// Whoever imports the module has made its globals the current ones.
mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    check_function_table(&find_obj);
    mp_store_global(MP_QSTR_FORMAT, MP_OBJ_NEW_SMALL_INT(MIDGE_FORMAT_VERSION));
    mp_store_global(MP_QSTR_find, MP_OBJ_FROM_PTR(&find_obj));
    return mp_const_none;
}
