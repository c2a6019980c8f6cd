// SOFTMAX in gemmlowp's fixed point.

#include "softmax.h"

void midge_softmax(const midge_call_t *call) {
    const midge_softmax_t *op = call->op;
    const int8_t *input = call->arena + op->input;
    int8_t *out = call->arena + op->output;
    for (uint32_t row = 0; row < op->rows; row++, input += op->depth, out += op->depth) {
        const int32_t largest = midge_largest(input, op->depth);
        const uint32_t sum = midge_sum_of_exps(op, input, largest);
        uint32_t headroom = 0;
        while (!(sum << headroom >> 31)) {
            headroom++;
        }
        int32_t scale = midge_reciprocal((int32_t)((sum << headroom) - (1u << 31)));
        int32_t exponent = 12 - (int32_t)headroom + 31 - 8;
        for (uint32_t i = 0; i < op->depth; i++) {
            int32_t diff = input[i] - largest;
            int32_t q = -128;
            // Beyond 31, with a sum of 512 and more, TFLM aborts; a share is then below 1/512.
            if (diff >= op->diff_min && exponent <= 31) {
                int32_t product = midge_high_mul(scale, midge_exp_of_difference(op, diff));
                q += midge_rounding_shift(product, exponent);
            }
            out[i] = midge_clamp(q, -128, 127);
        }
    }
}
