// The turns of a region, docs/FORMAT.md, "Rows", without MicroPython, so that they can be fuzzed.

#ifndef MIDGE_TURNS_H
#define MIDGE_TURNS_H

#include "call.h" // and memcpy and memmove come before this file

// Of a ring: its first row that is in memory, and the one behind its last.
typedef struct {
    uint16_t low, made;
} held_t;

// Rows, the first and the one behind the last, and where in the arena they go.
typedef struct {
    uint32_t start, end, output;
} place_t;

// What a script may have made of it, too.
typedef struct {
    const midge_ring_t *rings;
    held_t *held;
    uint32_t count; // of rings
    midge_arena_t arena;
    uint8_t *record;
    const uint8_t *program; // from the region's first record on
    const uint8_t *turns;
    uint32_t turn_count;
    uint32_t first; // number of the record at `program`
} region_t;

// Makes room for a ring's next rows; 0 where it has none.
static inline int make_room(const region_t *region, uint32_t number, place_t *place) {
    const midge_ring_t *ring = &region->rings[number];
    held_t *held = &region->held[number];
    const uint32_t made = held->made, room = ring->rows, size = ring->row_bytes;
    uint32_t end = made + ring->step, low = held->low;
    if (end > ring->height) {
        end = ring->height;
    }
    if (low > made || made - low > room || end <= made || end - made > room
        || ring->offset > region->arena.bytes || !size
        || room > (region->arena.bytes - ring->offset) / size) {
        return 0;
    }
    if (end - low > room) {
        const uint32_t first = end - room;
        int8_t *rows = region->arena.data + ring->offset;
        memmove(rows, rows + (first - low) * size, (made - first) * size);
        low = first;
    }
    *place = (place_t){made, end, ring->offset + (made - low) * size};
    held->low = (uint16_t)low;
    held->made = (uint16_t)end;
    return 1;
}

// Where in the arena a ring's rows lie, or UINT32_MAX where they do not.
static inline uint32_t input_at(
    const region_t *region, uint32_t number, int32_t first, int32_t last
) {
    const midge_ring_t *ring = &region->rings[number];
    const held_t *held = &region->held[number];
    if (first < held->low || first >= last || last > held->made) {
        return UINT32_MAX;
    }
    return ring->offset + ((uint32_t)first - held->low) * ring->row_bytes;
}

// The record of a ring's next rows, for which there is room then; 0 where there is none.
static inline int make_record(const region_t *region, uint32_t number) {
    const midge_ring_t *ring = &region->rings[number];
    place_t place;
    if (ring->source >= region->count || ring->source2 >= region->count
        || !make_room(region, number, &place)) {
        return 0;
    }
    midge_window_t *window = (void *)region->record;
    const uint32_t rows = place.end - place.start;
    if (window->code == MIDGE_ADD) {
        midge_add_t *add = (void *)region->record;
        const int32_t start = (int32_t)place.start, end = (int32_t)place.end;
        add->input = input_at(region, ring->source, start, end);
        add->input2 = input_at(region, ring->source2, start, end);
        add->count = rows * ring->row_bytes;
    } else {
        const int32_t stride = window->stride_h, padding = window->pad_top;
        const int32_t height = region->rings[ring->source].height;
        int32_t first = (int32_t)place.start * stride - padding;
        int32_t last = ((int32_t)place.end - 1) * stride - padding
            + (window->kernel_h - 1) * window->dilation_h + 1;
        window->pad_top = (uint16_t)(first < 0 ? -first : 0);
        first = first < 0 ? 0 : first;
        last = last < height ? last : height;
        window->input = input_at(region, ring->source, first, last);
        window->in_h = (uint16_t)(last - first);
        window->out_h = (uint16_t)rows;
    }
    window->output = place.output;
    window->output_bytes = rows * ring->row_bytes;
    return window->input != UINT32_MAX;
}

// What midge_run says of the record that was made.
typedef uint32_t (*run_record_t)(void *context);

// A region that is checked against its buffers; 0 where it does not fit them. rows: the section.
static inline int open_region(region_t *region, midge_bytes_t program, uint32_t first,
    midge_bytes_t rows, midge_arena_t state, midge_arena_t record, midge_arena_t arena) {
    const midge_region_t *head = (const void *)rows.data;
    const uintptr_t places = (uintptr_t)rows.data | (uintptr_t)state.data | (uintptr_t)record.data;
    if ((places & 3) || rows.bytes < sizeof(*head) || record.bytes != MIDGE_RECORD_BYTES
        || arena.bytes > INT32_MAX || first >= UINT16_MAX) {
        return 0;
    }
    const uint32_t count = head->records + 1u;
    const uint32_t turns = sizeof(*head) + count * sizeof(midge_ring_t);
    if (rows.bytes != turns + head->turns || state.bytes != count * sizeof(held_t)
        || (first + head->records) * MIDGE_RECORD_BYTES > program.bytes) {
        return 0;
    }
    *region = (region_t){(const void *)(rows.data + sizeof(*head)), (void *)state.data, count,
        arena, (void *)record.data, program.data + first * MIDGE_RECORD_BYTES, rows.data + turns,
        head->turns, first};
    return 1;
}

// Takes turns until rows of the source are due. Returns the number of the turn behind the last
// one; minus the status where one was refused.
static inline int32_t take_turns(const region_t *region, uint32_t turn, uint32_t end,
    run_record_t run_record, void *context) {
    while (turn < end) {
        const uint32_t number = region->turns[turn++];
        if (number == 0) {
            if (!make_room(region, 0, (void *)region->record)) {
                return -(16 + MIDGE_BAD_PARAMETER);
            }
            break;
        }
        uint32_t status = 16 + MIDGE_BAD_PARAMETER;
        if (number < region->count) {
            memcpy(region->record, region->program + (number - 1) * MIDGE_RECORD_BYTES,
                MIDGE_RECORD_BYTES);
            if (make_record(region, number)) {
                status = run_record(context);
            }
        }
        if (status) {
            return -(int32_t)(((status & 31) + 16 * (region->first + number - 1)) & INT32_MAX);
        }
    }
    return (int32_t)turn;
}

#endif
