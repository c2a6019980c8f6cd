// Fuzz target: the functions of midge_packed, on a section CODE and a piece of any kind, in buffers
// of any size; and on any state.

#include <stdlib.h>
#include <string.h>

#include "packed/packed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_BYTES = 1 << 14, MOST_CALLS = 64 };

// The input; what follows it is the section CODE, and the piece.
typedef struct {
    uint16_t code, part, out, at; // bytes; of the piece that come at a time
    uint8_t skew, is_raw;
    uint16_t state; // words of it that are what the piece's end says
} packed_t;

// No byte more than it says.
static uint8_t *whole(const uint8_t *data, uint32_t bytes) {
    uint8_t *memory = malloc(bytes + !bytes);
    memcpy(memory, data, bytes);
    return memory;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    packed_t in;
    if (size < sizeof(in)) {
        return 0;
    }
    memcpy(&in, data, sizeof(in));
    data += sizeof(in);
    size -= sizeof(in);
    const uint32_t code_bytes = in.code < size ? in.code : (uint32_t)size;
    const uint32_t piece = (uint32_t)size - code_bytes, out_bytes = in.out % MOST_BYTES;
    uint8_t *code = whole(data, code_bytes);
    const uint32_t count = code_bytes > 2 ? code[2] % 16 : 0;
    const uint32_t table_bytes = count * MIDGE_TABLE_SIZE * sizeof(uint16_t);
    uint16_t *tables = calloc(table_bytes + 2, 1);
    midge_unpacking_t state = {.phase = in.is_raw & 1};
    const midge_bytes_t coding = {code, code_bytes};
    const uint32_t status
        = midge_prepare(coding, (midge_arena_t){(int8_t *)tables, table_bytes});
    // Any script can call the one without the other, with what it likes.
    for (uint32_t i = 0; i < in.state % 32 && 4 * i + 4 <= piece; i++) {
        memcpy((uint8_t *)&state + 4 * (i % (sizeof(state) / 4)), data + size - 4 * i - 4, 4);
    }
    int8_t *out = malloc(out_bytes + 1);
    uint32_t at = in.at, from = 0;
    for (int call = 0; call < MOST_CALLS; call++) {
        const uint32_t left = piece - from, bytes = left < in.part ? left : in.part;
        uint8_t *part = whole(data + code_bytes + from, bytes);
        const int32_t made = midge_unpack(coding,
            (midge_bytes_t){(const uint8_t *)tables, table_bytes},
            (midge_arena_t){(int8_t *)&state, sizeof(state)}, (midge_bytes_t){part, bytes},
            (midge_arena_t){out, out_bytes}, at);
        free(part);
        from += bytes;
        if (made < 0 || (uint32_t)made >= out_bytes || !bytes || status) {
            break;
        }
        at = (uint32_t)made;
        state.taken = 0;
    }
    free(code);
    free(tables);
    free(out);
    return 0;
}
