// ADD: what an input's value contributes stands in a table for each input, and the sum is scaled
// as scale.h says.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

#include "call.h"
#include "scale.h"

#define VALUES 256

// What the value `x` of an input contributes.
static uint32_t share(const midge_add_t *op, int32_t x, int second) {
    x = (x - (second ? op->zero2 : op->zero1)) * (1 << op->left_shift);
    return (uint32_t)midge_rescale(x, second ? op->multiplier2 : op->multiplier1,
        second ? op->shift2 : op->shift1);
}

void midge_add_armv6m(const midge_call_t *call) {
    const midge_add_t *op = call->op;
    uint32_t *first = (uint32_t *)(void *)(call->arena + op->scratch), *second = first + VALUES;
    const int aligned = !((uintptr_t)first & 3);
    const int has_tables = aligned && op->scratch_bytes >= 2 * VALUES * sizeof(uint32_t);
    for (int32_t x = 0; has_tables && x < VALUES; x++) {
        first[x] = share(op, (int8_t)x, 0);
        second[x] = share(op, (int8_t)x, 1);
    }

    // The sum without its last `spare` bits, which leaves MIDGE_SUM_SHIFT to scale by.
    const int32_t spare = -op->shift > MIDGE_SUM_SHIFT ? -op->shift - MIDGE_SUM_SHIFT : 0;
    midge_window_t output;
    output.output_zero = op->output_zero;
    output.clamp_min = op->clamp_min;
    output.clamp_max = op->clamp_max;
    midge_scale_t scale;
    scale.channel = (midge_channel_t){0, op->multiplier, op->shift + spare};
    midge_scale_channel(&output, &scale);
    if (spare && scale.limit) {
        // Their worth, and the rounding of 1/2 that counts in units of the whole sum.
        const uint32_t half = 1u << (23 - MIDGE_SUM_SHIFT);
        scale.base -= half;
        scale.limit -= (half + scale.high + 2) << 8;
    }
    scale.channel.shift = op->shift;
    // Beyond these shifts, which no converted model has, x' could wrap.
    if (op->left_shift > 20 || op->shift1 > 0 || op->shift2 > 0) {
        scale.range = UINT32_MAX;
        scale.limit = 0;
    }

    const int8_t *a = call->arena + op->input, *b = call->arena + op->input2;
    int8_t *out = call->arena + op->output;
    for (const int8_t *end = out + op->count; out < end; out++, a++, b++) {
        const uint32_t sum = has_tables ? first[(uint8_t)*a] + second[(uint8_t)*b]
                                        : share(op, *a, 0) + share(op, *b, 1);
        const uint32_t x = (uint32_t)((int32_t)sum >> spare) + scale.start;
        if (x > scale.range) {
            *out = (int8_t)((int32_t)x >> 31 ^ 127);
            continue;
        }
        const uint32_t v = x * scale.high + scale.base;
        *out = v << 8 < scale.limit ? (int8_t)(v >> 24)
                                    : midge_output(&output, &scale.channel, sum);
    }
}

#endif
