// The functions that midge_packed has in MicroPython: in a native module, and in a user C module.

#ifndef MIDGE_PACKED_FUNCTIONS_H
#define MIDGE_PACKED_FUNCTIONS_H

#include "packed/packed.h"

static midge_bytes_t packed_bytes(mp_obj_t object) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(object, &info, MP_BUFFER_READ);
    return (midge_bytes_t){info.buf, info.len};
}

static midge_arena_t packed_memory(mp_obj_t object) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(object, &info, MP_BUFFER_WRITE);
    return (midge_arena_t){info.buf, info.len};
}

// At most the `most` bytes that there are.
static uint32_t packed_bytes_of(mp_obj_t object, uint32_t most) {
    const mp_int_t bytes = mp_obj_get_int(object);
    return bytes >= 0 && (mp_uint_t)bytes < most ? (uint32_t)bytes : most;
}

// prepare(code, tables) -> status
static mp_obj_t prepare(size_t n_args, const mp_obj_t *args) {
    return MP_OBJ_NEW_SMALL_INT(midge_prepare(packed_bytes(args[0]), packed_memory(args[1])));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(prepare_obj, 2, 2, prepare);

// unpack(code, tables, state, data, data_bytes, out, at, end) -> up to where
static mp_obj_t unpack(size_t n_args, const mp_obj_t *args) {
    midge_bytes_t data = packed_bytes(args[3]);
    data.bytes = packed_bytes_of(args[4], data.bytes);
    midge_arena_t out = packed_memory(args[5]);
    out.bytes = packed_bytes_of(args[7], out.bytes);
    return MP_OBJ_NEW_SMALL_INT(midge_unpack(packed_bytes(args[0]), packed_bytes(args[1]),
        packed_memory(args[2]), data, out, packed_bytes_of(args[6], UINT32_MAX)));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(unpack_obj, 8, 8, unpack);

#endif
