// ARITHMETIC: two tensors element by element, with broadcasting; int8 or int16.

#include "../fixed_point.h"
#include "../operators.h"
#include "fixed_point_wide.h"

#define DIMS 5
#define INT16 1

// Elements of a tensor that is repeated along the dimensions with a bit in `repeat`.
static uint32_t elements(const midge_arithmetic_t *op, uint32_t repeat) {
    uint32_t count = 1;
    for (int i = 0; i < DIMS; i++) {
        count = midge_times(count, repeat >> i & 1 ? 1 : op->shape[i]);
    }
    return count;
}

uint32_t midge_arithmetic_check(const void *record, uint32_t arena_bytes) {
    const midge_arithmetic_t *op = record;
    const uint32_t unit = op->flags & INT16 ? 2 : 1;
    const uint32_t count = elements(op, 0);
    if (op->flags > INT16 || op->kind > MIDGE_KIND_PRELU || count == 0
        || !midge_is_rescale(op->multiplier1, op->shift1)
        || !midge_is_rescale(op->multiplier2, op->shift2)
        || !midge_is_rescale(op->multiplier, op->shift) || op->left_shift < 0
        || op->left_shift > 22 || op->clamp_min > op->clamp_max
        || (unit == 1 && (op->clamp_min < INT8_MIN || op->clamp_max > INT8_MAX))
        || ((op->input | op->input2 | op->output) & (unit - 1))) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times(elements(op, op->repeat1), unit), arena_bytes)
        || !midge_fits(op->input2, midge_times(elements(op, op->repeat2), unit), arena_bytes)
        || !midge_fits(op->output, midge_times(count, unit), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

// x << shift, rescaled. Unsigned: what a file asks for may overflow.
static uint32_t scaled(int32_t x, int32_t shift, int32_t multiplier, int32_t exponent) {
    return (uint32_t)midge_rescale((int32_t)((uint32_t)x << shift), multiplier, exponent);
}

static int32_t unclamped(const midge_arithmetic_t *op, int32_t a, int32_t b) {
    if (op->kind == MIDGE_KIND_MAXIMUM) {
        return a > b ? a : b;
    }
    if (op->kind == MIDGE_KIND_MINIMUM) {
        return a < b ? a : b;
    }
    a -= op->zero1;
    b -= op->zero2;
    uint32_t result;
    if (op->kind == MIDGE_KIND_MUL) {
        result = scaled(a * b, 0, op->multiplier, op->shift);
    } else if (op->kind == MIDGE_KIND_PRELU) {
        result = a < 0 ? scaled(a * b, 0, op->multiplier2, op->shift2)
                       : scaled(a, 0, op->multiplier1, op->shift1);
    } else {
        uint32_t x = scaled(a, op->left_shift, op->multiplier1, op->shift1);
        uint32_t y = scaled(b, op->left_shift, op->multiplier2, op->shift2);
        result = scaled((int32_t)(op->kind == MIDGE_KIND_SUB ? x - y : x + y), 0, op->multiplier,
            op->shift);
    }
    return (int32_t)(result + (uint32_t)op->output_zero);
}

static int16_t compute(const midge_arithmetic_t *op, int32_t a, int32_t b) {
    return midge_clamp16(unclamped(op, a, b), op->clamp_min, op->clamp_max);
}

void midge_arithmetic(const midge_call_t *call) {
    const midge_arithmetic_t *op = call->op;
    const int wide = op->flags & INT16;
    const int8_t *input1 = call->arena + op->input;
    const int8_t *input2 = call->arena + op->input2;
    int8_t *out = call->arena + op->output;
    // Elements from one value of an index to the next.
    int32_t step1[DIMS], step2[DIMS], size1 = 1, size2 = 1;
    for (int d = DIMS - 1; d >= 0; d--) {
        step1[d] = op->repeat1 >> d & 1 ? 0 : size1;
        step2[d] = op->repeat2 >> d & 1 ? 0 : size2;
        size1 *= step1[d] ? op->shape[d] : 1;
        size2 *= step2[d] ? op->shape[d] : 1;
    }
    uint16_t index[DIMS] = {0, 0, 0, 0, 0};
    int32_t a = 0, b = 0;
    for (uint32_t i = 0;; i++) {
        if (wide) {
            ((int16_t *)(void *)out)[i] = compute(op,
                ((const int16_t *)(const void *)input1)[a],
                ((const int16_t *)(const void *)input2)[b]);
        } else {
            out[i] = (int8_t)compute(op, input1[a], input2[b]);
        }
        int d = DIMS - 1;
        while (++index[d] == op->shape[d]) {
            index[d] = 0;
            a -= step1[d] * (op->shape[d] - 1);
            b -= step2[d] * (op->shape[d] - 1);
            if (--d < 0) {
                return;
            }
        }
        a += step1[d];
        b += step2[d];
    }
}
