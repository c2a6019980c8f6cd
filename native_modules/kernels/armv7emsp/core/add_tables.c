// ADD: what an input's value contributes stands in a table for each input, and the sum is scaled
// as lanes.h says.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV7EMSP

#include "kernels_armv7emsp.h"
#include "lanes.h"

#define VALUES 256
#define MOST_LEFT_SHIFT 20 // with the differences of two bytes: 28 bits

// Twice what each value contributes.
static void fill(int32_t *table, const midge_add_t *op, int32_t zero, int32_t multiplier,
    int32_t shift) {
    for (int32_t i = 0; i < VALUES; i++) {
        const int32_t x = (int8_t)i - zero;
        table[i] = 2 * midge_rescale(x * (1 << op->left_shift), multiplier, shift);
    }
}

void midge_add_armv7emsp(const midge_call_t *call) {
    const midge_add_t *op = call->op;
    const int suits = op->left_shift <= MOST_LEFT_SHIFT && op->shift1 <= 0 && op->shift2 <= 0
        && op->shift < 0 && op->shift >= -MIDGE_MOST_SHIFT;
    const int aligned = !((uintptr_t)(call->arena + op->scratch) & 3);
    if (!suits || !aligned || op->scratch_bytes < 2 * VALUES * sizeof(int32_t)) {
        midge_add(call);
        return;
    }
    int32_t *first = (void *)(call->arena + op->scratch), *second = first + VALUES;
    fill(first, op, op->zero1, op->multiplier1, op->shift1);
    fill(second, op, op->zero2, op->multiplier2, op->shift2);
    const int32_t shift = -op->shift, multiplier = op->multiplier;
    const int32_t offset = midge_offset(shift, op->output_zero);
    const uint8_t *a = (const uint8_t *)call->arena + op->input;
    const uint8_t *b = (const uint8_t *)call->arena + op->input2;
    int8_t *out = call->arena + op->output;
    int8_t *const end = out + op->count;
    for (int8_t *to = out; to < end; to++) {
        *to = midge_scaled(first[*a++] + second[*b++], multiplier, offset, shift);
    }
    midge_clamp_all(out, op->count, op->clamp_min, op->clamp_max);
}

#endif
