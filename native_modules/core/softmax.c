// SOFTMAX in gemmlowp's fixed point. QI.F below names I integer and F fractional bits.

#include "fixed_point.h"
#include "operators.h"

// exp(a) for a <= 0 in Q5.26; the result is Q0.31.
static int32_t exp_on_negative(int32_t a) {
    if (a == 0) {
        return INT32_MAX;
    }
    const int32_t quarter = 1 << 24;
    int32_t fraction = (a & (quarter - 1)) - quarter; // [-1/4, 0)
    uint32_t remainder = (uint32_t)fraction - (uint32_t)a;

    // exp(-1/8 + x) by its Taylor series of degree 4, x in [-1/8, 1/8), Q0.31.
    const int32_t exp_eighth = 1895147668; // exp(-1/8)
    int32_t x = fraction * 32 + (1 << 28);
    int32_t x2 = midge_high_mul(x, x);
    int32_t x3 = midge_high_mul(x, x2);
    int32_t x4 = midge_high_mul(x2, x2);
    int32_t tail = midge_rounding_shift(x4, 2) + x3;
    tail = midge_rounding_shift(midge_high_mul(tail, 715827883) + x2, 1); // 1/3
    int32_t result = exp_eighth + midge_high_mul(x + tail, exp_eighth);

    // Multiplied by exp(-2^i) for every bit of the rest, -2 <= i <= 4.
    static const int32_t factors[] = {
        1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242,
    };
    for (uint32_t i = 0; i < 7; i++) {
        if (remainder >> (24 + i) & 1) {
            result = midge_high_mul(result, factors[i]);
        }
    }
    return result;
}

// 1 / (1 + a) for a in [0, 1), both Q0.31, by three Newton-Raphson steps.
static int32_t reciprocal(int32_t a) {
    int32_t half = (int32_t)(((int64_t)a + INT32_MAX + 1) >> 1);
    int32_t x = 1515870810 + midge_high_mul(-1010580540, half); // 48/17 - 32/17 * half, Q2.29
    for (int i = 0; i < 3; i++) {
        int32_t error = (1 << 29) - midge_high_mul(x, half);
        // Q4.27 back to Q2.29; the error is at most 1/17, so that nothing saturates.
        x += midge_high_mul(x, error) * 4;
    }
    int64_t doubled = (int64_t)x * 2;
    return doubled > INT32_MAX ? INT32_MAX : (int32_t)doubled;
}

uint32_t midge_softmax_check(const void *record, uint32_t arena_bytes) {
    const midge_softmax_t *op = record;
    // An exponential is at most 2^19 in Q12.19, so that 4095 of them stay below 2^31.
    if (op->depth == 0 || op->depth > 4095 || op->multiplier < 0 || op->shift < 0
        || op->shift > 30 || op->diff_min > 0) {
        return MIDGE_BAD_PARAMETER;
    }
    uint32_t bytes = midge_times(op->rows, op->depth);
    if (!midge_fits(op->input, bytes, arena_bytes)
        || !midge_fits(op->output, bytes, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static int32_t exp_of_difference(const midge_softmax_t *op, int32_t diff) {
    return exp_on_negative(midge_rescale(diff, op->multiplier, op->shift));
}

void midge_softmax(const midge_call_t *call) {
    const midge_softmax_t *op = call->op;
    const int8_t *input = call->arena + op->input;
    int8_t *out = call->arena + op->output;
    for (uint32_t row = 0; row < op->rows; row++, input += op->depth, out += op->depth) {
        int32_t max = -128;
        for (uint32_t i = 0; i < op->depth; i++) {
            max = input[i] > max ? input[i] : max;
        }
        uint32_t sum = 0; // Q12.19
        for (uint32_t i = 0; i < op->depth; i++) {
            int32_t diff = input[i] - max;
            if (diff >= op->diff_min) {
                sum += midge_rounding_shift(exp_of_difference(op, diff), 12);
            }
        }
        uint32_t headroom = 0;
        while (!(sum << headroom >> 31)) {
            headroom++;
        }
        int32_t scale = reciprocal((int32_t)((sum << headroom) - (1u << 31)));
        int32_t exponent = 12 - (int32_t)headroom + 31 - 8;
        for (uint32_t i = 0; i < op->depth; i++) {
            int32_t diff = input[i] - max;
            int32_t q = -128;
            // Beyond 31, with a sum of 512 and more, TFLM aborts; a share is then below 1/512.
            if (diff >= op->diff_min && exponent <= 31) {
                int32_t product = midge_high_mul(scale, exp_of_difference(op, diff));
                q += midge_rounding_shift(product, exponent);
            }
            out[i] = midge_clamp(q, -128, 127);
        }
    }
}
