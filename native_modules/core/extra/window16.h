// What convolutions and pools of int16 activations share.

#ifndef MIDGE_WINDOW16_H
#define MIDGE_WINDOW16_H

#include "../window.h"

// Checks shapes, clamp and tensors.
uint32_t midge_window16_check(const midge_window16_t *op, uint32_t arena_bytes);

#endif
