// Fuzz target: the turns of midge_rows, with a section ROWS, a program and a state of any kind, in
// buffers of any size. Records are checked, not run: core.c runs any record.

#include <stdlib.h>
#include <string.h>

#include "../../native_modules/bindings/micropython/turns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS = 3, MOST_BYTES = 1 << 15 };

// The input; what follows it is the section, the program, and the state.
typedef struct {
    uint16_t bytes[PARTS];
    uint16_t arena, first, turn, end;
    uint16_t skew; // of each buffer, two bits
} turning_t;

static uint32_t check_record(void *context) {
    const region_t *region = context;
    return midge_check((midge_bytes_t){region->record, MIDGE_RECORD_BYTES}, region->arena.bytes,
        UINT32_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    turning_t in;
    if (size < sizeof(in)) {
        return 0;
    }
    memcpy(&in, data, sizeof(in));
    data += sizeof(in);
    size -= sizeof(in);
    uint8_t *memory[PARTS + 2], *part[PARTS + 2];
    uint32_t bytes[PARTS + 2];
    for (uint32_t i = 0; i < PARTS + 2; i++) {
        const uint32_t skew = in.skew >> 2 * i & 3;
        const uint32_t wanted = i < PARTS ? in.bytes[i] : i == PARTS ? in.arena % MOST_BYTES : 72;
        const uint32_t given = i < PARTS && wanted > size ? (uint32_t)size : i < PARTS ? wanted : 0;
        bytes[i] = wanted % MOST_BYTES;
        memory[i] = calloc(skew + bytes[i] + 1, 1);
        uint8_t *whole = malloc(skew + bytes[i] + !(skew + bytes[i])); // no byte more than it says
        memcpy(memory[i] + skew, data, given < bytes[i] ? given : bytes[i]);
        memcpy(whole, memory[i], skew + bytes[i]);
        free(memory[i]);
        memory[i] = whole;
        part[i] = whole + skew;
        data += given;
        size -= given;
    }
    region_t region;
    if (open_region(&region, (midge_bytes_t){part[1], bytes[1]}, in.first,
            (midge_bytes_t){part[0], bytes[0]}, (midge_arena_t){(int8_t *)part[2], bytes[2]},
            (midge_arena_t){(int8_t *)part[4], bytes[4]},
            (midge_arena_t){(int8_t *)part[3], bytes[3]})) {
        const uint32_t end = in.end < region.turn_count ? in.end : region.turn_count;
        int32_t turn = in.turn;
        while (turn >= 0 && (uint32_t)turn < end) {
            turn = take_turns(&region, (uint32_t)turn, end, check_record, &region);
        }
    }
    for (uint32_t i = 0; i < PARTS + 2; i++) {
        free(memory[i]);
    }
    return 0;
}
