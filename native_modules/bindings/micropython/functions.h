// The functions that the native core has in MicroPython: those of native modules, and of a user
// C module.

#ifndef MIDGE_FUNCTIONS_H
#define MIDGE_FUNCTIONS_H

#include "midge.h"
#include "target.h"

// Not inlined: small cores have little room for code.
__attribute__((noinline)) static midge_arena_t get_buffer(mp_obj_t object, uint32_t access) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(object, &info, access);
    return (midge_arena_t){info.buf, info.len};
}

static midge_arena_t get_arena(mp_obj_t object) {
    return get_buffer(object, MP_BUFFER_WRITE);
}

static midge_bytes_t get_bytes(mp_obj_t object) {
    midge_arena_t buffer = get_buffer(object, MP_BUFFER_READ);
    return (midge_bytes_t){(const uint8_t *)buffer.data, buffer.bytes};
}

// The type code of a buffer's elements; a bytearray has one of its own.
static uint32_t type_code(const mp_buffer_info_t *info) {
    return info->typecode == 1 ? MIDGE_UINT8 : (uint32_t)info->typecode;
}

__attribute__((noinline)) static mp_int_t get_int(mp_obj_t object) {
    return mp_obj_get_int(object);
}

// Numbers of records, which a status holds times 16, have 16 bits.
static mp_obj_t status_object(uint32_t status) {
    return MP_OBJ_NEW_SMALL_INT(status);
}

// check(program, arena_bytes, weights_bytes) -> status
static mp_obj_t check(mp_obj_t program, mp_obj_t arena_bytes, mp_obj_t weights_bytes) {
    return status_object(
        midge_check(get_bytes(program), get_int(arena_bytes), get_int(weights_bytes)));
}
static MP_DEFINE_CONST_FUN_OBJ_3(check_obj, check);

// run(program, first, last, arena, weights[, base, begin, end[, part, parts]]) -> status
static mp_obj_t run(size_t n_args, const mp_obj_t *args) {
    uint32_t more[] = {0, 0, UINT32_MAX, 0, 1};
    for (size_t i = 5; i < n_args; i++) {
        more[i - 5] = get_int(args[i]);
    }
    midge_bytes_t weights = get_bytes(args[4]);
    midge_weights_t window = {weights.data, weights.bytes, more[0]};
    midge_share_t share = {more[1], more[2], more[3], more[4]};
    return status_object(midge_run(get_bytes(args[0]), get_int(args[1]), get_int(args[2]),
        get_arena(args[3]), window, &share));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(run_obj, 5, 10, run);

typedef uint32_t encode_t(midge_bytes_t, midge_bytes_t, uint32_t, midge_arena_t);
typedef uint32_t decode_t(midge_bytes_t, midge_arena_t, uint8_t *, uint32_t, uint32_t);

// Results of encode and decode for a list, no exceptions: one would take the caller's time.
#define NO_BUFFER MP_OBJ_NEW_SMALL_INT(MIDGE_BAD_PARAMETER)

// encode(tensor, reading, arena) -> status
static inline mp_obj_t encode_by(encode_t *encode, mp_obj_t tensor, mp_obj_t reading,
    mp_obj_t arena) {
    mp_buffer_info_t info;
    if (!mp_get_buffer(reading, &info, MP_BUFFER_READ)) {
        return NO_BUFFER;
    }
    midge_bytes_t bytes = {info.buf, info.len};
    return status_object(encode(get_bytes(tensor), bytes, type_code(&info), get_arena(arena)));
}

// decode(tensor, arena, out) -> status
static inline mp_obj_t decode_by(decode_t *decode, mp_obj_t tensor, mp_obj_t arena, mp_obj_t out) {
    mp_buffer_info_t info;
    if (!mp_get_buffer(out, &info, MP_BUFFER_WRITE)) {
        return NO_BUFFER;
    }
    return status_object(decode(get_bytes(tensor), get_arena(arena), info.buf, info.len,
        type_code(&info)));
}

#if MIDGE_HAS(MIDGE_BANK_CORE)
static mp_obj_t encode(mp_obj_t tensor, mp_obj_t reading, mp_obj_t arena) {
    return encode_by(midge_encode, tensor, reading, arena);
}
static MP_DEFINE_CONST_FUN_OBJ_3(encode_obj, encode);

static mp_obj_t decode(mp_obj_t tensor, mp_obj_t arena, mp_obj_t out) {
    return decode_by(midge_decode, tensor, arena, out);
}
static MP_DEFINE_CONST_FUN_OBJ_3(decode_obj, decode);
#endif

#if MIDGE_HAS(MIDGE_BANK_WIDE)
static mp_obj_t encode_wide(mp_obj_t tensor, mp_obj_t reading, mp_obj_t arena) {
    return encode_by(midge_encode_wide, tensor, reading, arena);
}
static MP_DEFINE_CONST_FUN_OBJ_3(encode_wide_obj, encode_wide);

static mp_obj_t decode_wide(mp_obj_t tensor, mp_obj_t arena, mp_obj_t out) {
    return decode_by(midge_decode_wide, tensor, arena, out);
}
static MP_DEFINE_CONST_FUN_OBJ_3(decode_wide_obj, decode_wide);
#endif

#if MIDGE_HAS(MIDGE_BANK_AUDIO) || MIDGE_HAS(MIDGE_BANK_MEL)
// take(arena, to, end, reading, at) -> bytes, or -1
static mp_obj_t take(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info;
    (void)n_args;
    if (!mp_get_buffer(args[3], &info, MP_BUFFER_READ)) {
        return MP_OBJ_NEW_SMALL_INT(-1);
    }
    midge_bytes_t bytes = {info.buf, info.len};
    uint32_t taken = midge_take(get_arena(args[0]), get_int(args[1]), get_int(args[2]), bytes,
        type_code(&info), get_int(args[4]));
    return MP_OBJ_NEW_SMALL_INT((int32_t)taken);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(take_obj, 5, 5, take);
#endif

#if MIDGE_HAS(MIDGE_BANK_TREES)
static mp_obj_t encode_float(mp_obj_t tensor, mp_obj_t reading, mp_obj_t arena) {
    return encode_by(midge_encode_float, tensor, reading, arena);
}
static MP_DEFINE_CONST_FUN_OBJ_3(encode_float_obj, encode_float);

static mp_obj_t decode_float(mp_obj_t tensor, mp_obj_t arena, mp_obj_t out) {
    return decode_by(midge_decode_float, tensor, arena, out);
}
static MP_DEFINE_CONST_FUN_OBJ_3(decode_float_obj, decode_float);
#endif

#endif
