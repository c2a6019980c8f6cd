// Samples of sound into the arena: in the banks of front ends, `audio` and `mel`.

#include "target.h"

#if MIDGE_HAS(MIDGE_BANK_AUDIO) || MIDGE_HAS(MIDGE_BANK_MEL)

#include "midge.h"

uint32_t midge_take(midge_arena_t arena, uint32_t to, uint32_t end, midge_bytes_t reading,
    uint32_t type, uint32_t at) {
    if ((type != MIDGE_INT16 && type != MIDGE_UINT8) || ((to | end | reading.bytes | at) & 1)
        || to > end || end > arena.bytes || at > reading.bytes) {
        return UINT32_MAX;
    }
    const uint32_t room = end - to, left = reading.bytes - at;
    const uint32_t bytes = left < room ? left : room;
    const uint8_t *from = reading.data + at;
    uint8_t *out = (uint8_t *)arena.data + to;
    for (uint32_t i = 0; i < bytes; i++) {
        out[i] = from[i];
    }
    return bytes;
}

#endif
