// WebAssembly binding of the native core, with all banks: what the library in JavaScript calls,
// host/midge_host/web/midge.mjs. Pointers are places in the module's memory, of which the caller
// has all from __heap_base on.

#include "midge.h"

#define EXPORT(name) __attribute__((export_name(name)))

EXPORT("format") uint32_t midge_format(void) {
    return MIDGE_FORMAT_VERSION;
}

EXPORT("check") uint32_t check(const uint8_t *program, uint32_t bytes, uint32_t arena_bytes,
    uint32_t weights_bytes) {
    return midge_check((midge_bytes_t){program, bytes}, arena_bytes, weights_bytes);
}

EXPORT("run") uint32_t run(const uint8_t *program, uint32_t bytes, uint32_t first, uint32_t last,
    int8_t *arena, uint32_t arena_bytes, const uint8_t *weights, uint32_t weights_bytes) {
    const midge_share_t all = {0, UINT32_MAX, 0, 1};
    return midge_run((midge_bytes_t){program, bytes}, first, last,
        (midge_arena_t){arena, arena_bytes}, (midge_weights_t){weights, weights_bytes, 0}, &all);
}

#define CONVERSIONS(encode, decode) \
    EXPORT(#encode) \
    uint32_t encode(const uint8_t *tensor, uint32_t tensor_bytes, const uint8_t *reading, \
        uint32_t bytes, uint32_t type, int8_t *arena, uint32_t arena_bytes) { \
        return midge_##encode((midge_bytes_t){tensor, tensor_bytes}, \
            (midge_bytes_t){reading, bytes}, type, (midge_arena_t){arena, arena_bytes}); \
    } \
    EXPORT(#decode) \
    uint32_t decode(const uint8_t *tensor, uint32_t tensor_bytes, int8_t *arena, \
        uint32_t arena_bytes, uint8_t *out, uint32_t bytes, uint32_t type) { \
        return midge_##decode((midge_bytes_t){tensor, tensor_bytes}, \
            (midge_arena_t){arena, arena_bytes}, out, bytes, type); \
    }

CONVERSIONS(encode, decode)
CONVERSIONS(encode_wide, decode_wide)
CONVERSIONS(encode_float, decode_float)
