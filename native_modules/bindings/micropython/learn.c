// midge_learn: learns from what a model sees. midge/_learner.py prepares what comes in here.

#include "py/dynruntime.h"

#include "function_table.h"
#include "learn_functions.h"

#define NEEDS_MEMCPY
#define NEEDS_MEMSET
#include "libc.h"

// Whoever imports the module has made its globals the current ones.
mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    check_function_table(&embed_obj);
    mp_store_global(MP_QSTR_FORMAT, MP_OBJ_NEW_SMALL_INT(MIDGE_FORMAT_VERSION));
    mp_store_global(MP_QSTR_embed, MP_OBJ_FROM_PTR(&embed_obj));
    mp_store_global(MP_QSTR_prototype, MP_OBJ_FROM_PTR(&prototype_obj));
    mp_store_global(MP_QSTR_distances, MP_OBJ_FROM_PTR(&distances_obj));
    mp_store_global(MP_QSTR_probabilities, MP_OBJ_FROM_PTR(&probabilities_obj));
    mp_store_global(MP_QSTR_epoch, MP_OBJ_FROM_PTR(&epoch_obj));
    return mp_const_none;
}
