// A bank as a native module. (The modules of firmware stand in user_module.c: the linker gives
// every name that it finds in here to the module, and names take memory on a board.)
//
// >>> import midge_core
// >>> midge_core.run(program, 0, op_count, arena, weights)
// 0

#include "py/dynruntime.h"

#include "function_table.h"
#include "functions.h"

#define NEEDS_MEMCPY
#if MIDGE_BANK == MIDGE_BANK_TREES
#define NEEDS_MEMMOVE
#endif
#define NEEDS_MEMSET
#include "libc.h"

// Whoever imports the module has made its globals the current ones.
mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    check_function_table(&run_obj);
    mp_store_global(MP_QSTR_FORMAT, MP_OBJ_NEW_SMALL_INT(MIDGE_FORMAT_VERSION));
    mp_store_global(MP_QSTR_check, MP_OBJ_FROM_PTR(&check_obj));
    mp_store_global(MP_QSTR_run, MP_OBJ_FROM_PTR(&run_obj));
#if MIDGE_BANK == MIDGE_BANK_CORE
    mp_store_global(MP_QSTR_encode, MP_OBJ_FROM_PTR(&encode_obj));
    mp_store_global(MP_QSTR_decode, MP_OBJ_FROM_PTR(&decode_obj));
#elif MIDGE_BANK == MIDGE_BANK_WIDE
    mp_store_global(MP_QSTR_encode, MP_OBJ_FROM_PTR(&encode_wide_obj));
    mp_store_global(MP_QSTR_decode, MP_OBJ_FROM_PTR(&decode_wide_obj));
#elif MIDGE_BANK == MIDGE_BANK_TREES
    mp_store_global(MP_QSTR_encode, MP_OBJ_FROM_PTR(&encode_float_obj));
    mp_store_global(MP_QSTR_decode, MP_OBJ_FROM_PTR(&decode_float_obj));
#elif MIDGE_BANK == MIDGE_BANK_AUDIO || MIDGE_BANK == MIDGE_BANK_MEL
    mp_store_global(MP_QSTR_take, MP_OBJ_FROM_PTR(&take_obj));
#endif
    return mp_const_none;
}
