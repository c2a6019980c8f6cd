// LSTM: sequences through four gates, a hidden and a cell state.

#include "bytes.h"
#include "call.h"
#include "dot.h"
#include "fixed_point.h"
#include "fixed_point_wide.h"
#include "sigmoid.h"

#define GATES 4
#define GATE_POWER (-12) // gates enter their functions on a scale of 2^-12, leave them on 2^-15

// A weight block: the sigmoid's table, the multipliers of the gates' two sums, and for each cell
// and gate a row of biases (two of int32; for int16 one of int48), input and recurrent weights.
#define ROWS (MIDGE_SIGMOID_BYTES + MIDGE_GATES_BYTES)
#define BIAS_BYTES 8

static int is_wide(const midge_lstm_t *op) {
    return op->types == MIDGE_DTYPE_INT16;
}

static int32_t clamp16(int32_t x) {
    return x < INT16_MIN ? INT16_MIN : x > INT16_MAX ? INT16_MAX : x;
}

static int64_t dot_wide(const int16_t *x, const int8_t *w, uint32_t count) {
    int64_t total = 0;
    while (count) {
        const uint32_t part = count < 256 ? count : 256; // so many products fit into 32 bits
        int32_t sum = 0;
        for (uint32_t i = 0; i < part; i++) {
            sum += x[i] * w[i];
        }
        total += sum;
        x += part;
        w += part;
        count -= part;
    }
    return total;
}

// The argument of a gate's function: the sums over the input `x` and over the hidden state `h`.
static int32_t gate(const midge_lstm_t *op, const int32_t *multipliers, const int8_t *shifts,
    const uint8_t *row, const int8_t *x, const int8_t *h) {
    const int32_t m1 = multipliers[0], m2 = multipliers[1];
    const int32_t s1 = shifts[0], s2 = shifts[1];
    const uint32_t bias = midge_uint32_at(row);
    const int8_t *w = (const int8_t *)row + BIAS_BYTES;
    int32_t a, b;
    if (is_wide(op)) {
        int64_t sum = midge_int16_at(row + 4) * ((int64_t)1 << 32) + bias;
        sum += dot_wide((const int16_t *)(const void *)x, w, op->depth);
        a = midge_rescale_wide(sum, m1, s1);
        sum = dot_wide((const int16_t *)(const void *)h, w + op->depth, op->cells);
        b = midge_rescale_wide(sum, m2, s2);
    } else {
        uint32_t sum = bias + midge_dot(x, w, op->depth);
        a = midge_rescale((int32_t)sum, m1, s1);
        sum = midge_uint32_at(row + 4) + midge_dot(h, w + op->depth, op->cells);
        b = midge_rescale((int32_t)sum, m2, s2);
    }
    return clamp16(clamp16(a) + clamp16(b));
}

// Of a value on a scale of 2^power.
static int32_t tanh_of(const uint8_t *table, int32_t x, int32_t power) {
    const int32_t left = power - GATE_POWER;
    x = left < 0 ? (3 * x + (1 << (-left - 1))) >> -left : 3 * x * (1 << left);
    return midge_tanh16(table, x);
}

// One row of a sequence; its output is the new hidden state.
static void step(const midge_call_t *call, const int32_t *multipliers, const int8_t *x,
    const int8_t *h, int16_t *cell, int8_t *out) {
    const midge_lstm_t *op = call->op;
    const uint8_t *table = call->weights, *row = table + ROWS;
    const uint32_t row_bytes = BIAS_BYTES + op->depth + op->cells;
    const int32_t clip = op->cell_clip;
    for (uint32_t c = 0; c < op->cells; c++) {
        int32_t gates[GATES];
        for (uint32_t g = 0; g < GATES; g++, row += row_bytes) {
            const int32_t sum = gate(op, multipliers + 2 * g, op->shifts + 2 * g, row, x, h);
            gates[g] = g == 2 ? tanh_of(table, sum, GATE_POWER) : midge_logistic16(table, 3 * sum);
        }
        const int32_t kept = midge_rescale(gates[0] * cell[c], 1 << 30, -14);
        const int32_t added = midge_rescale(gates[1] * gates[2], 1 << 30, -29 - op->cell_power);
        int32_t value = clamp16(clamp16(kept) + clamp16(added));
        value = value < -clip ? -clip : value > clip ? clip : value;
        cell[c] = (int16_t)value;
        value = tanh_of(table, value, op->cell_power) * gates[3];
        value = midge_rescale(value, op->multiplier, op->shift);
        value = (int32_t)((uint32_t)value + (uint32_t)op->output_zero);
        if (is_wide(op)) {
            ((int16_t *)(void *)out)[c] = (int16_t)clamp16(value);
        } else {
            out[c] = midge_clamp(value, INT8_MIN, INT8_MAX);
        }
    }
}

void midge_lstm(const midge_call_t *call) {
    const midge_lstm_t *op = call->op;
    const uint32_t unit = is_wide(op) ? 2 : 1;
    const uint32_t in_bytes = op->depth * unit, out_bytes = op->cells * unit;
    int32_t multipliers[GATES * 2];
    for (uint32_t i = 0; i < GATES * 2; i++) {
        const uint8_t *at = call->weights + MIDGE_SIGMOID_BYTES + i * 4;
        multipliers[i] = (int32_t)(midge_uint32_at(at) & INT32_MAX);
    }
    for (uint32_t b = 0; b < op->batch; b++) {
        int8_t *h = call->arena + op->input2 + b * out_bytes;
        int16_t *cell = (int16_t *)(void *)(call->arena + op->input3) + b * op->cells;
        for (uint32_t t = 0; t < op->steps; t++) {
            const uint32_t row
                = op->flags & MIDGE_TIME_MAJOR ? t * op->batch + b : b * op->steps + t;
            int8_t *out = call->arena + op->output + row * out_bytes;
            step(call, multipliers, call->arena + op->input + row * in_bytes, h, cell, out);
            for (uint32_t i = 0; i < out_bytes; i++) {
                h[i] = out[i];
            }
        }
    }
}
