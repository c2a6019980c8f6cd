// The section CODE: its kinds of rows, and the tables of its Huffman codes.

#include "packed/coding.h"

// What follows a table that begins at `at`; 0 where it is none.
static uint32_t behind(midge_bytes_t code, uint32_t at) {
    if (code.bytes < MIDGE_CODE_BITS || at > code.bytes - MIDGE_CODE_BITS) {
        return 0;
    }
    uint32_t values = 0, used = 0;
    for (uint32_t bits = 1; bits <= MIDGE_CODE_BITS; bits++) {
        const uint32_t count = code.data[at + bits - 1];
        values += count;
        used += count << (MIDGE_CODE_BITS - bits);
    }
    at += MIDGE_CODE_BITS + values;
    return used == 1u << MIDGE_CODE_BITS && at <= code.bytes ? at : 0;
}

static void make(const uint8_t *counts, uint32_t at, uint16_t *table) {
    const uint8_t *values = counts + MIDGE_CODE_BITS;
    uint16_t *lookup = table + MIDGE_TABLE_LOOKUP;
    uint32_t next = 0, index = 0;
    for (uint32_t bits = 1; bits <= MIDGE_LOOKUP_BITS; bits++) {
        for (uint32_t i = 0; i < counts[bits - 1]; i++) {
            for (uint32_t k = 1u << (MIDGE_LOOKUP_BITS - bits); k > 0; k--) {
                lookup[next++] = (uint16_t)(bits << 8 | values[index]);
            }
            index++;
        }
    }
    table[MIDGE_TABLE_FIRST] = (uint16_t)(next << 1);
    table[MIDGE_TABLE_INDEX] = (uint16_t)index;
    table[MIDGE_TABLE_AT] = (uint16_t)at;
    while (next < 1u << MIDGE_LOOKUP_BITS) {
        lookup[next++] = 0;
    }
}

uint32_t midge_prepare(midge_bytes_t code, midge_arena_t tables) {
    const uint32_t kinds = midge_kinds(code), count = kinds ? code.data[2] | code.data[3] << 8 : 0;
    if (!kinds || count > MIDGE_CODE_MOST_TABLES || ((uintptr_t)tables.data & 1)
        || tables.bytes != count * MIDGE_TABLE_SIZE * sizeof(uint16_t)) {
        return MIDGE_BAD_PARAMETER;
    }
    for (uint32_t i = 0; i < kinds; i++) {
        const uint32_t how = code.data[sizeof(midge_coding_t) + 2 * i + 1];
        if (how > MIDGE_CODE_MOST_ROW_BITS && how - MIDGE_IS_TABLE >= count) {
            return MIDGE_BAD_PARAMETER;
        }
    }
    uint32_t at = sizeof(midge_coding_t) + 2 * kinds;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t end = behind(code, at);
        if (!end) {
            return MIDGE_BAD_PARAMETER;
        }
        make(code.data + at, at, (uint16_t *)(void *)tables.data + i * MIDGE_TABLE_SIZE);
        at = end;
    }
    return at == code.bytes ? MIDGE_OK : MIDGE_BAD_PARAMETER;
}
