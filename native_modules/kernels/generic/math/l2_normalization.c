// L2_NORMALIZATION: rows divided by their lengths.

#include "call.h"
#include "fixed_point.h"

// 1 / sqrt(x) for x >= 1 as a multiplier of Q0.31 and a shift; 0 counts as 1. Newton's method.
static int32_t inverse_square_root(uint32_t x, int32_t *shift) {
    *shift = 0;
    if (x <= 1) {
        return INT32_MAX;
    }
    int32_t right = 11;
    for (; x >= 1u << 29; x >>= 2) {
        right++;
    }
    for (; x < 1u << 27; x <<= 2) {
        right--;
    }
    const int32_t half = midge_rounding_shift((int32_t)(x >> 1), 1);
    int32_t root = 1 << 28; // Q3.28, as half
    for (int i = 0; i < 5; i++) {
        int32_t cube = midge_high_mul(midge_high_mul(root, root), root) * 64;
        root = (midge_high_mul(3 << 27, root) - midge_high_mul(half, cube)) * 8;
    }
    root = midge_high_mul(root, 1518500250); // sqrt(1/2)
    if (right < 0) {
        return root * (1 << -right);
    }
    *shift = -right;
    return root;
}

void midge_l2_normalization(const midge_call_t *call) {
    const midge_normalize_t *op = call->op;
    const int8_t *input = call->arena + op->input;
    int8_t *out = call->arena + op->output;
    for (uint32_t row = 0; row < op->rows; row++, input += op->depth, out += op->depth) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < op->depth; i++) {
            int32_t x = input[i] - op->input_zero;
            sum += (uint32_t)(x * x);
        }
        int32_t shift;
        const int32_t multiplier = inverse_square_root(sum, &shift);
        for (uint32_t i = 0; i < op->depth; i++) {
            int32_t x = input[i] - op->input_zero;
            out[i] = midge_clamp(midge_rescale(x, multiplier, shift + 7), -128, 127); // * 2^7
        }
    }
}
