// SOFTMAX from int8 to int16.

#include "../softmax.h"

uint32_t midge_softmax16_check(const void *record, uint32_t arena_bytes) {
    const midge_softmax_t *op = record;
    const uint32_t reason = midge_rows_check(op, arena_bytes);
    if (reason || (op->output & 1)) {
        return reason ? reason : MIDGE_BAD_PARAMETER;
    }
    const uint32_t bytes = midge_times(op->rows, op->depth * 2);
    return midge_fits(op->output, bytes, arena_bytes) ? MIDGE_OK : MIDGE_BAD_TENSOR;
}

void midge_softmax16(const midge_call_t *call) {
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
