// MicroPython binding of the native core: one source for the native modules midge_native.mpy and
// midge_extra.mpy, and for a user C module built into firmware, which has all operators.
//
// >>> import midge_native
// >>> midge_native.run(program, 0, op_count, arena, weights)
// 0

#if MICROPY_ENABLE_DYNRUNTIME
#include "py/dynruntime.h"
#else
#include "py/runtime.h"
#endif

#include "midge.h"

#if MICROPY_ENABLE_DYNRUNTIME
// Compilers may call these for loops and struct copies; a native module has no libc.
void *memcpy(void *to, const void *from, size_t n) {
    return mp_fun_table.memmove_(to, from, n);
}

void *memset(void *to, int value, size_t n) {
    return mp_fun_table.memset_(to, value, n);
}
#endif

static midge_bytes_t get_bytes(mp_obj_t object) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(object, &info, MP_BUFFER_READ);
    return (midge_bytes_t){info.buf, info.len};
}

static midge_arena_t get_arena(mp_obj_t object) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(object, &info, MP_BUFFER_WRITE);
    return (midge_arena_t){info.buf, info.len};
}

// The type code of a buffer's elements; a bytearray has one of its own.
static uint32_t type_code(const mp_buffer_info_t *info) {
    return info->typecode == 1 ? MIDGE_UINT8 : (uint32_t)info->typecode;
}

// check(program, arena_bytes, weights_bytes) -> status
static mp_obj_t check(mp_obj_t program, mp_obj_t arena_bytes, mp_obj_t weights_bytes) {
    uint32_t status = midge_check(get_bytes(program), mp_obj_get_int(arena_bytes),
        mp_obj_get_int(weights_bytes));
    return mp_obj_new_int(status);
}
static MP_DEFINE_CONST_FUN_OBJ_3(check_obj, check);

// run(program, first, last, arena, weights[, base, begin, end]) -> status
static mp_obj_t run(size_t n_args, const mp_obj_t *args) {
    midge_bytes_t weights = get_bytes(args[4]);
    midge_weights_t window = {weights.data, weights.bytes, 0};
    uint32_t begin = 0, end = UINT32_MAX;
    if (n_args == 8) {
        window.base = mp_obj_get_int(args[5]);
        begin = mp_obj_get_int(args[6]);
        end = mp_obj_get_int(args[7]);
    }
    uint32_t status = midge_run(get_bytes(args[0]), mp_obj_get_int(args[1]),
        mp_obj_get_int(args[2]), get_arena(args[3]), window, begin, end);
    return mp_obj_new_int(status);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(run_obj, 5, 8, run);

typedef uint32_t encode_t(midge_bytes_t, midge_bytes_t, uint32_t, midge_arena_t);
typedef uint32_t decode_t(midge_bytes_t, midge_arena_t, uint8_t *, uint32_t, uint32_t);

// What encode and decode say of a list: an exception would take the caller's time.
#define NO_BUFFER MP_OBJ_NEW_SMALL_INT(MIDGE_BAD_PARAMETER)

// encode(tensor, reading, arena) -> status
static inline mp_obj_t encode_by(encode_t *encode, mp_obj_t tensor, mp_obj_t reading,
    mp_obj_t arena) {
    mp_buffer_info_t info;
    if (!mp_get_buffer(reading, &info, MP_BUFFER_READ)) {
        return NO_BUFFER;
    }
    midge_bytes_t bytes = {info.buf, info.len};
    return mp_obj_new_int(encode(get_bytes(tensor), bytes, type_code(&info), get_arena(arena)));
}

// decode(tensor, arena, out) -> status
static inline mp_obj_t decode_by(decode_t *decode, mp_obj_t tensor, mp_obj_t arena, mp_obj_t out) {
    mp_buffer_info_t info;
    if (!mp_get_buffer(out, &info, MP_BUFFER_WRITE)) {
        return NO_BUFFER;
    }
    return mp_obj_new_int(decode(get_bytes(tensor), get_arena(arena), info.buf, info.len,
        type_code(&info)));
}

#ifndef MIDGE_EXTRA_ONLY
static mp_obj_t encode(mp_obj_t tensor, mp_obj_t reading, mp_obj_t arena) {
    return encode_by(midge_encode, tensor, reading, arena);
}
static MP_DEFINE_CONST_FUN_OBJ_3(encode_obj, encode);

static mp_obj_t decode(mp_obj_t tensor, mp_obj_t arena, mp_obj_t out) {
    return decode_by(midge_decode, tensor, arena, out);
}
static MP_DEFINE_CONST_FUN_OBJ_3(decode_obj, decode);
#endif

#ifndef MIDGE_NATIVE_ONLY
static mp_obj_t encode_wide(mp_obj_t tensor, mp_obj_t reading, mp_obj_t arena) {
    return encode_by(midge_encode_wide, tensor, reading, arena);
}
static MP_DEFINE_CONST_FUN_OBJ_3(encode_wide_obj, encode_wide);

static mp_obj_t decode_wide(mp_obj_t tensor, mp_obj_t arena, mp_obj_t out) {
    return decode_by(midge_decode_wide, tensor, arena, out);
}
static MP_DEFINE_CONST_FUN_OBJ_3(decode_wide_obj, decode_wide);
#endif

#if MICROPY_ENABLE_DYNRUNTIME

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    mp_store_global(MP_QSTR_FORMAT, MP_OBJ_NEW_SMALL_INT(MIDGE_FORMAT_VERSION));
    mp_store_global(MP_QSTR_check, MP_OBJ_FROM_PTR(&check_obj));
    mp_store_global(MP_QSTR_run, MP_OBJ_FROM_PTR(&run_obj));
#ifdef MIDGE_EXTRA_ONLY
    mp_store_global(MP_QSTR_encode, MP_OBJ_FROM_PTR(&encode_wide_obj));
    mp_store_global(MP_QSTR_decode, MP_OBJ_FROM_PTR(&decode_wide_obj));
#else
    mp_store_global(MP_QSTR_encode, MP_OBJ_FROM_PTR(&encode_obj));
    mp_store_global(MP_QSTR_decode, MP_OBJ_FROM_PTR(&decode_obj));
#endif
    MP_DYNRUNTIME_INIT_EXIT
}

#else

// Each of the two modules has all operators; they differ in whose tensors they convert.
#define TABLE(name, encode, decode) \
    static const mp_rom_map_elem_t name##_table[] = { \
        {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_##name)}, \
        {MP_ROM_QSTR(MP_QSTR_FORMAT), MP_ROM_INT(MIDGE_FORMAT_VERSION)}, \
        {MP_ROM_QSTR(MP_QSTR_check), MP_ROM_PTR(&check_obj)}, \
        {MP_ROM_QSTR(MP_QSTR_run), MP_ROM_PTR(&run_obj)}, \
        {MP_ROM_QSTR(MP_QSTR_encode), MP_ROM_PTR(&encode)}, \
        {MP_ROM_QSTR(MP_QSTR_decode), MP_ROM_PTR(&decode)}, \
    }

TABLE(midge_native, encode_obj, decode_obj);
static MP_DEFINE_CONST_DICT(native_globals, midge_native_table);
const mp_obj_module_t midge_native_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&native_globals,
};
MP_REGISTER_MODULE(MP_QSTR_midge_native, midge_native_module);

TABLE(midge_extra, encode_wide_obj, decode_wide_obj);
static MP_DEFINE_CONST_DICT(extra_globals, midge_extra_table);
const mp_obj_module_t midge_extra_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&extra_globals,
};
MP_REGISTER_MODULE(MP_QSTR_midge_extra, midge_extra_module);

#endif
