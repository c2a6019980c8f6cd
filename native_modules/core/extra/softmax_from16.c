// SOFTMAX of int16 over the last axis. The weight block holds two tables of 513 int16 values, on
// straight lines between which a function lies: exp from -10 to 0, and 1 / (1 + x) from 0 to 1.

#include "../bytes.h"
#include "../fixed_point.h"
#include "../operators.h"
#include "fixed_point_wide.h"

#define LEAST_SUM (1 << 14) // the tables of a sound file give larger ones

uint32_t midge_softmax_from16_check(const void *record, uint32_t arena_bytes) {
    const midge_softmax_t *op = record;
    // Up to 4,095 elements the sum has four bits to spare.
    if (op->depth == 0 || op->depth > 4095 || !midge_is_rescale(op->multiplier, op->shift)
        || ((op->input | op->output) & 1)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (op->blocks != 1 || op->block_bytes < 2 * MIDGE_EXP_TABLE_BYTES) {
        return MIDGE_BAD_WEIGHTS;
    }
    uint32_t bytes = midge_times(midge_times(op->rows, op->depth), 2);
    if (!midge_fits(op->input, bytes, arena_bytes)
        || !midge_fits(op->output, bytes, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

// The function at x, which is clamped to int16.
static int16_t look_up(const uint8_t *table, int32_t x) {
    x = midge_clamp16(x, INT16_MIN, INT16_MAX);
    table += 2 * ((x >> 7) + 256);
    const int32_t base = midge_int16_at(table);
    const int16_t slope = (int16_t)(midge_int16_at(table + 2) - base);
    return (int16_t)(base + ((slope * (x & 127) + 64) >> 7));
}

void midge_softmax_from16(const midge_call_t *call) {
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
