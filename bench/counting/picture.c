// The function that is called and counted: it takes a frame into an input tensor.

#include <stddef.h>

#include "image/picture.h"

// Compilers may call it to clear memory.
void *memset(void *to, int value, size_t n) {
    for (size_t i = 0; i < n; i++) {
        ((volatile uint8_t *)to)[i] = (uint8_t)value;
    }
    return to;
}

// host: bench/counting/pictures.py
typedef struct {
    midge_bytes_t view, frame, tensor, tables;
    midge_arena_t scratch, arena;
} picture_t;

uint32_t run_picture(const picture_t *p) {
    return midge_picture(p->view, p->frame, p->tensor, p->tables, p->scratch, p->arena);
}
