// SOFTMAX to int16, from int8 or int16, over the last axis. From int16 the weight block holds two
// tables of 513 int16 values, on straight lines between which a function lies: exp from -10 to 0,
// and 1 / (1 + x) from 0 to 1.

#include "bytes.h"
#include "fixed_point_wide.h"
#include "softmax.h"

#define LEAST_SUM (1 << 14) // the tables of a sound file give larger ones

static void from_int8(const midge_call_t *call) {
    const midge_softmax_t *op = call->op;
    const int8_t *input = call->arena + op->input;
    int16_t *out = (int16_t *)(void *)(call->arena + op->output);
    for (uint32_t row = 0; row < op->rows; row++, input += op->depth, out += op->depth) {
        const int32_t largest = midge_largest(input, op->depth);
        const uint32_t sum = midge_sum_of_exps(op, input, largest);
        uint32_t headroom = 0;
        while (!(sum << headroom >> 31)) {
            headroom++;
        }
        const int32_t scale = midge_reciprocal((int32_t)((sum << headroom) - (1u << 31)));
        const int32_t exponent = 12 - (int32_t)headroom + 31 - 16;
        for (uint32_t i = 0; i < op->depth; i++) {
            const int32_t diff = input[i] - largest;
            int32_t q = INT16_MIN;
            if (diff >= op->diff_min) {
                const int32_t product = midge_high_mul(scale, midge_exp_of_difference(op, diff));
                q += midge_rounding_shift(product, exponent);
            }
            out[i] = (int16_t)(q > INT16_MAX ? INT16_MAX : q);
        }
    }
}

// The function at x, which is clamped to int16.
static int16_t look_up(const uint8_t *table, int32_t x) {
    x = midge_clamp16(x, INT16_MIN, INT16_MAX);
    table += 2 * ((x >> 7) + 256);
    const int32_t base = midge_int16_at(table);
    const int16_t slope = (int16_t)(midge_int16_at(table + 2) - base);
    return (int16_t)(base + ((slope * (x & 127) + 64) >> 7));
}

static void from_int16(const midge_call_t *call) {
    const midge_softmax_t *op = call->op;
    const int16_t *input = (const int16_t *)(const void *)(call->arena + op->input);
    int16_t *out = (int16_t *)(void *)(call->arena + op->output);
    for (uint32_t row = 0; row < op->rows; row++, input += op->depth, out += op->depth) {
        int32_t max = INT16_MIN;
        for (uint32_t i = 0; i < op->depth; i++) {
            max = input[i] > max ? input[i] : max;
        }
        int32_t sum = 0;
        for (uint32_t i = 0; i < op->depth; i++) {
            uint32_t scaled = midge_rescale(input[i] - max, op->multiplier, op->shift);
            out[i] = look_up(call->weights, (int32_t)(scaled + INT16_MAX));
            sum += out[i];
        }
        uint32_t total = sum < LEAST_SUM ? LEAST_SUM : (uint32_t)sum;
        uint32_t shift = 30; // of the results
        for (; !(total >> 30); total <<= 1) {
            shift--;
        }
        // total is 1 + x in Q1.30.
        const int32_t x = (int32_t)((total + (1 << 13)) >> 14) - (1 << 15) - (1 << 16);
        const int32_t factor = look_up(call->weights + MIDGE_EXP_TABLE_BYTES, x);
        for (uint32_t i = 0; i < op->depth; i++) {
            out[i] = midge_clamp16((out[i] * factor + (1 << (shift - 1))) >> shift, 0, INT16_MAX);
        }
    }
}

void midge_softmax16(const midge_call_t *call) {
    const midge_softmax_t *op = call->op;
    if (op->flags & MIDGE_INPUT_INT8) {
        from_int8(call);
    } else {
        from_int16(call);
    }
}
