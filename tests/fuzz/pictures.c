// Fuzz target: frames of cameras into an input tensor, midge_picture, with views and descriptors of any kind.

#include <stdlib.h>
#include <string.h>

#include "image/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 16 }; // bounds the work

// The input; what follows it is the frame, again and again.
typedef struct {
    midge_view_t view;
    midge_tensor_t tensor;
    uint16_t frame_bytes, scratch_bytes, arena_bytes;
    uint8_t tables; // how many of 256 bytes
    uint8_t skew; // of the frame
} picture_t;

static void *filled(uint32_t bytes, const uint8_t *data, size_t size) {
    uint8_t *memory = malloc(bytes + !bytes);
    for (uint32_t i = 0; i < bytes; i++) {
        memory[i] = size ? data[i % size] : (uint8_t)(i * 37);
    }
    return memory;
}

static int64_t magnitude(int32_t n) {
    return n < 0 ? -(int64_t)n : n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    picture_t p;
    if (size < sizeof(p)) {
        return 0;
    }
    memcpy(&p, data, sizeof(p));
    data += sizeof(p);
    size -= sizeof(p);
    if (magnitude(p.view.width) * (magnitude(p.view.height) + magnitude(p.view.rows)) > MOST) {
        return 0;
    }
    const uint32_t skew = p.skew & 1, table_bytes = 256u * (p.tables & 3);
    midge_view_t *view = malloc(sizeof(*view));
    midge_tensor_t *tensor = malloc(sizeof(*tensor));
    *view = p.view;
    *tensor = p.tensor;
    uint8_t *frame = filled(p.frame_bytes + skew, data, size);
    uint8_t *tables = filled(table_bytes, data, size);
    uint8_t *scratch = filled(p.scratch_bytes, data, size);
    int8_t *arena = filled(p.arena_bytes, data, size);
    midge_picture((midge_bytes_t){(const uint8_t *)view, sizeof(*view)},
        (midge_bytes_t){frame + skew, p.frame_bytes},
        (midge_bytes_t){(const uint8_t *)tensor, sizeof(*tensor)},
        (midge_bytes_t){tables, table_bytes}, (midge_arena_t){(int8_t *)scratch, p.scratch_bytes},
        (midge_arena_t){arena, p.arena_bytes});
    free(view);
    free(tensor);
    free(frame);
    free(tables);
    free(scratch);
    free(arena);
    return 0;
}
