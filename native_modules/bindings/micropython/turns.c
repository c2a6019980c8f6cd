// midge_rows: takes the turns of a region, docs/FORMAT.md, "Rows". Each makes rows by a call of the
// core's run(), which checks the record. midge/_rows.py prepares what comes in here.

#include "py/dynruntime.h"

#include "call.h"
#include "function_table.h"

void *memcpy(void *to, const void *from, size_t n) {
    return mp_fun_table.memmove_(to, from, n);
}

void *memmove(void *to, const void *from, size_t n) {
    return mp_fun_table.memmove_(to, from, n);
}

enum { CALL = 8 }; // arguments of run() of the core

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
} region_t;

// Makes room for a ring's next rows; 0 where it has none.
static int make_room(const region_t *region, uint32_t number, place_t *place) {
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
static uint32_t input(const region_t *region, uint32_t number, int32_t first, int32_t last) {
    const midge_ring_t *ring = &region->rings[number];
    const held_t *held = &region->held[number];
    if (first < held->low || first >= last || last > held->made) {
        return UINT32_MAX;
    }
    return ring->offset + ((uint32_t)first - held->low) * ring->row_bytes;
}

// The record of a ring's next rows, for which there is room then; 0 where there is none.
static int make_record(const region_t *region, uint32_t number) {
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
        add->input = input(region, ring->source, start, end);
        add->input2 = input(region, ring->source2, start, end);
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
        window->input = input(region, ring->source, first, last);
        window->in_h = (uint16_t)(last - first);
        window->out_h = (uint16_t)rows;
    }
    window->output = place.output;
    window->output_bytes = rows * ring->row_bytes;
    return window->input != UINT32_MAX;
}

static void *buffer(mp_obj_t object, uint32_t access, uint32_t *bytes) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(object, &info, access);
    *bytes = info.len;
    return info.buf;
}

// run(single, program, first, rows, state, record, arena, weights, base, turn, end), as the
// function of this name in midge/_portable_rows.py.
static mp_obj_t run(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    uint32_t program_bytes, rows_bytes, state_bytes, record_bytes, arena_bytes;
    const uint8_t *program = buffer(args[1], MP_BUFFER_READ, &program_bytes);
    const uint8_t *rows = buffer(args[3], MP_BUFFER_READ, &rows_bytes);
    void *state = buffer(args[4], MP_BUFFER_WRITE, &state_bytes);
    void *record = buffer(args[5], MP_BUFFER_WRITE, &record_bytes);
    int8_t *arena = buffer(args[6], MP_BUFFER_WRITE, &arena_bytes);
    const uint32_t first = mp_obj_get_int(args[2]), end = mp_obj_get_int(args[10]);
    uint32_t turn = mp_obj_get_int(args[9]);
    const midge_region_t *head = (const void *)rows;
    if ((((uintptr_t)rows | (uintptr_t)state | (uintptr_t)record) & 3)
        || rows_bytes < sizeof(*head) || record_bytes != MIDGE_RECORD_BYTES
        || arena_bytes > INT32_MAX || first >= UINT16_MAX) {
        return MP_OBJ_NEW_SMALL_INT(-(16 + MIDGE_BAD_PARAMETER));
    }
    const uint32_t count = head->records + 1u;
    const uint32_t turns = sizeof(*head) + count * sizeof(midge_ring_t);
    if (rows_bytes != turns + head->turns || state_bytes != count * sizeof(held_t)
        || end > head->turns || (first + head->records) * MIDGE_RECORD_BYTES > program_bytes) {
        return MP_OBJ_NEW_SMALL_INT(-(16 + MIDGE_BAD_PARAMETER));
    }
    const region_t region = {(const void *)(rows + sizeof(*head)), state, count,
        {arena, arena_bytes}, record};
    const mp_obj_t call[CALL] = {args[5], MP_OBJ_NEW_SMALL_INT(0), MP_OBJ_NEW_SMALL_INT(1),
        args[6], args[7], args[8], MP_OBJ_NEW_SMALL_INT(0), MP_OBJ_NEW_SMALL_INT(UINT16_MAX)};
    while (turn < end) {
        const uint32_t number = rows[turns + turn++];
        int32_t status = 16 + MIDGE_BAD_PARAMETER;
        if (number == 0) {
            if (!make_room(&region, 0, record)) {
                return MP_OBJ_NEW_SMALL_INT(-status);
            }
            break;
        }
        const uint32_t index = first + number - 1;
        if (number < count) {
            memcpy(record, program + index * MIDGE_RECORD_BYTES, MIDGE_RECORD_BYTES);
            if (make_record(&region, number)) {
                status = mp_obj_get_int(mp_call_function_n_kw(args[0], CALL, 0, call));
            }
        }
        if (status) {
            return MP_OBJ_NEW_SMALL_INT(-(status + 16 * (int32_t)index));
        }
    }
    return MP_OBJ_NEW_SMALL_INT(turn);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(run_obj, 11, 11, run);

// Whoever imports the module has made its globals the current ones.
mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    check_function_table(&run_obj);
    mp_store_global(MP_QSTR_FORMAT, MP_OBJ_NEW_SMALL_INT(MIDGE_FORMAT_VERSION));
    mp_store_global(MP_QSTR_run, MP_OBJ_FROM_PTR(&run_obj));
    return mp_const_none;
}
