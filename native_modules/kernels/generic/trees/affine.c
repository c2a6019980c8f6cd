// AFFINE, SCALE, DISTANCES: products and sums in double precision.

#include "bytes.h"
#include "call.h"
#include "double.h"
#include "float_order.h"

#define SIGN MIDGE_DOUBLE_SIGN
#define ONE 0x3ff0000000000000ull

static uint64_t uint64_at(const uint8_t *bytes) {
    return midge_uint32_at(bytes) | (uint64_t)midge_uint32_at(bytes + 4) << 32;
}

static uint64_t negative(uint64_t value) {
    return midge_double_is_nan(value) ? value : value ^ SIGN;
}

// The value number i of a reading in float32, or of what a layer gives in double precision.
static uint64_t value_at(const uint32_t *x, uint32_t i, int wide) {
    return wide ? midge_double_at(x + 2 * i) : midge_double_of_float(x[i]);
}

// 1 / (1 + e^-x), or the hyperbolic tangent: both by a power of e that is not above 1.
static uint64_t sigmoid(uint64_t x, int tanh) {
    const int is_negative = x >> 63 && !midge_double_is_nan(x);
    const uint64_t far = is_negative ? x : negative(x);
    const uint64_t power = midge_double_exp(tanh ? midge_double_add(far, far) : far);
    const uint64_t below = midge_double_add(ONE, power);
    if (tanh) {
        const uint64_t y = midge_double_divide(midge_double_add(ONE, negative(power)), below);
        return is_negative ? negative(y) : y;
    }
    return midge_double_divide(is_negative ? power : ONE, below);
}

void midge_affine(const midge_call_t *call) {
    const midge_affine_t *op = call->op;
    const uint32_t *x = (const uint32_t *)(const void *)(call->arena + op->input);
    uint32_t *out = (uint32_t *)(void *)(call->arena + op->output);
    const int wide = op->flags & MIDGE_AFFINE_WIDE;
    const uint8_t *block = call->weights;
    for (uint32_t b = call->begin; b < call->end; b++, block += op->block_bytes) {
        const uint8_t *w = block + 8 * op->rows;
        for (uint32_t r = 0; r < op->rows; r++) {
            uint64_t sum = uint64_at(block + 8 * r);
            for (uint32_t i = 0; i < op->inputs; i++, w += 4) {
                const uint64_t weight = midge_double_of_float(midge_uint32_at(w));
                sum = midge_double_add(sum, midge_double_multiply(value_at(x, i, wide), weight));
            }
            if (op->activation == MIDGE_AFFINE_RELU) {
                sum = midge_double_order(sum) > 0 ? sum : 0;
            } else if (op->activation) {
                sum = sigmoid(sum, op->activation == MIDGE_AFFINE_TANH);
            }
            const uint32_t row = b * op->rows + r;
            if (op->flags & MIDGE_AFFINE_FLOAT) {
                out[row] = midge_double_to_float(sum);
            } else {
                midge_store_double(out + 2 * row, sum);
            }
        }
    }
}

void midge_distances(const midge_call_t *call) {
    const midge_affine_t *op = call->op;
    const uint32_t *x = (const uint32_t *)(const void *)(call->arena + op->input);
    uint32_t *out = (uint32_t *)(void *)(call->arena + op->output);
    const uint8_t *block = call->weights;
    for (uint32_t b = call->begin; b < call->end; b++, block += op->block_bytes) {
        const uint8_t *w = block + 8 * op->rows;
        for (uint32_t r = 0; r < op->rows; r++) {
            uint64_t sum = uint64_at(block + 8 * r);
            for (uint32_t i = 0; i < op->inputs; i++, w += 8) {
                const uint64_t centre = midge_double_of_float(midge_uint32_at(w));
                const uint64_t weight = midge_double_of_float(midge_uint32_at(w + 4));
                const uint64_t value = value_at(x, i, op->flags & MIDGE_AFFINE_WIDE);
                const uint64_t far = midge_double_add(value, negative(centre));
                const uint64_t square = midge_double_multiply(far, far);
                sum = midge_double_add(sum, negative(midge_double_multiply(square, weight)));
            }
            midge_store_double(out + 2 * (b * op->rows + r), sum);
        }
    }
}

static uint32_t clipped(uint32_t x, uint32_t low, uint32_t high) {
    if (MIDGE_FLOAT_IS_NAN(x)) {
        return x;
    }
    x = midge_float_order(x) < midge_float_order(low) ? low : x;
    return midge_float_order(x) > midge_float_order(high) ? high : x;
}

void midge_scale_floats(const midge_call_t *call) {
    const midge_scaler_t *op = call->op;
    const uint32_t *x = (const uint32_t *)(const void *)(call->arena + op->input);
    uint32_t *out = (uint32_t *)(void *)(call->arena + op->output);
    const uint8_t *first = call->weights, *second = first + 8 * op->count;
    for (uint32_t i = 0; i < op->count; i++) {
        const uint64_t a = uint64_at(first + 8 * i), b = uint64_at(second + 8 * i);
        const int multiply = op->flags & MIDGE_SCALE_MULTIPLY;
        uint64_t y = midge_double_of_float(x[i]);
        y = multiply ? midge_double_multiply(y, a) : midge_double_add(y, negative(a));
        y = midge_double_of_float(midge_double_to_float(y));
        y = multiply ? midge_double_add(y, b) : midge_double_divide(y, b);
        out[i] = midge_double_to_float(y);
        if (op->flags & MIDGE_SCALE_CLIP) {
            out[i] = clipped(out[i], op->low, op->high);
        }
    }
}
