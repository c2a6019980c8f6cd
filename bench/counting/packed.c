// The functions that are called and counted: they make the tables of Huffman codes, and decode a
// piece of weights.

#include <stddef.h>

#include "packed/packed.h"

// Compilers may call these.
void *memset(void *to, int value, size_t n) {
    for (size_t i = 0; i < n; i++) {
        ((volatile uint8_t *)to)[i] = (uint8_t)value;
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t n) {
    for (size_t i = 0; i < n; i++) {
        ((volatile uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    }
    return to;
}

// host: bench/counting/unpacking.py
typedef struct {
    midge_bytes_t code;
    midge_arena_t tables, state;
    midge_bytes_t data;
    midge_arena_t out;
} piece_t;

uint32_t run_prepare(const piece_t *p) {
    return midge_prepare(p->code, p->tables);
}

uint32_t run_unpack(const piece_t *p) {
    const midge_bytes_t tables = {(const uint8_t *)p->tables.data, p->tables.bytes};
    return (uint32_t)midge_unpack(p->code, tables, p->state, p->data, p->out, 0);
}
