// midge_rows: takes the turns of a region, docs/FORMAT.md, "Rows". Each makes rows by a call of
// the core's run(), which checks the record. midge/_rows.py prepares what comes in here.

#include "py/dynruntime.h"

#include "function_table.h"

#define NEEDS_MEMCPY
#define NEEDS_MEMMOVE
#include "libc.h"

#include "turns.h"

enum { CALL = 8 }; // arguments of run() of the core

static uint32_t run_record(void *context) {
    const mp_obj_t *call = context;
    return (uint32_t)mp_obj_get_int(mp_call_function_n_kw(call[0], CALL, 0, call + 1));
}

static void *buffer(mp_obj_t object, uint32_t access, uint32_t *bytes) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(object, &info, access);
    *bytes = info.len;
    return info.buf;
}

// run(single, program, first, rows, state, record, arena, weights, base, turn, end), as the
// function of this name in midge/_portable_rows.py.
static mp_obj_t run(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    uint32_t program_bytes, rows_bytes, state_bytes, record_bytes, arena_bytes;
    const uint8_t *program = buffer(args[1], MP_BUFFER_READ, &program_bytes);
    const uint8_t *rows = buffer(args[3], MP_BUFFER_READ, &rows_bytes);
    void *state = buffer(args[4], MP_BUFFER_WRITE, &state_bytes);
    void *record = buffer(args[5], MP_BUFFER_WRITE, &record_bytes);
    int8_t *arena = buffer(args[6], MP_BUFFER_WRITE, &arena_bytes);
    const uint32_t first = mp_obj_get_int(args[2]), end = mp_obj_get_int(args[10]);
    const uint32_t turn = mp_obj_get_int(args[9]);
    region_t region;
    if (!open_region(&region, (midge_bytes_t){program, program_bytes}, first,
            (midge_bytes_t){rows, rows_bytes}, (midge_arena_t){state, state_bytes},
            (midge_arena_t){record, record_bytes}, (midge_arena_t){arena, arena_bytes})
        || end > region.turn_count) {
        return MP_OBJ_NEW_SMALL_INT(-(16 + MIDGE_BAD_PARAMETER));
    }
    mp_obj_t call[1 + CALL] = {args[0], args[5], MP_OBJ_NEW_SMALL_INT(0), MP_OBJ_NEW_SMALL_INT(1),
        args[6], args[7], args[8], MP_OBJ_NEW_SMALL_INT(0), MP_OBJ_NEW_SMALL_INT(UINT16_MAX)};
    return MP_OBJ_NEW_SMALL_INT(take_turns(&region, turn, end, run_record, call));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(run_obj, 11, 11, run);

// Whoever imports the module has made its globals the current ones.
mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    check_function_table(&run_obj);
    mp_store_global(MP_QSTR_FORMAT, MP_OBJ_NEW_SMALL_INT(MIDGE_FORMAT_VERSION));
    mp_store_global(MP_QSTR_run, MP_OBJ_FROM_PTR(&run_obj));
    return mp_const_none;
}
