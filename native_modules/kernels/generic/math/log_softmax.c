// LOG_SOFTMAX in TensorFlow Lite's fixed point. QI.F names I integer and F fractional bits.

#include "softmax.h"

// x * 2^shift, x >= 0, or INT32_MAX.
static int32_t saturating_shift(int32_t x, uint32_t shift) {
    return x > INT32_MAX >> shift ? INT32_MAX : (int32_t)((uint32_t)x << shift);
}

static uint32_t leading_zeros(int32_t x) {
    uint32_t zeros = 0;
    while (!((uint32_t)x << zeros >> 31)) {
        zeros++;
    }
    return zeros;
}

// log(x) in Q5.26 for x >= 1 in Q12.19. x is r * 2^power with r about 2^-0.25, and log(r) a
// rational function of the distance from there.
static int32_t log_of_sum(int32_t x) {
    const int32_t root_half = 1518500250, fourth_root_half = 1805811301; // Q0.31
    const int32_t unit = 1 << 25, quarter = unit / 4;                    // Q6.25
    uint32_t shift = leading_zeros(x) - 1;
    int32_t r = saturating_shift(midge_high_mul(x << shift, root_half), 1);
    int32_t power = (11 - (int32_t)shift) * unit + quarter;
    shift = leading_zeros(midge_high_mul(x, root_half)) - 1;
    int32_t other = saturating_shift(x, shift);
    r = other < r ? other : r;
    int32_t other_power = (12 - (int32_t)shift) * unit - quarter;
    power = other_power > power ? other_power : power;

    int32_t p = (int32_t)(((uint32_t)r + (uint32_t)fourth_root_half + 1) >> 1);
    int32_t q = (r - fourth_root_half) * 2;
    int32_t q2 = midge_high_mul(q, q);
    int32_t numerator = midge_high_mul(q, r) + midge_high_mul(midge_high_mul(q, q2), 117049297);
    int32_t denominator = midge_high_mul(p, 1057819769 + q + midge_high_mul(127690142, q2))
        + midge_high_mul(638450708, q);
    int32_t fraction
        = midge_high_mul(midge_rounding_shift(numerator, 6), midge_reciprocal(denominator));
    return (midge_high_mul(power, 1488522236) + fraction) * 2; // log(2)
}

void midge_log_softmax(const midge_call_t *call) {
    const midge_softmax_t *op = call->op;
    const int8_t *input = call->arena + op->input;
    int8_t *out = call->arena + op->output;
    for (uint32_t row = 0; row < op->rows; row++, input += op->depth, out += op->depth) {
        const int32_t largest = midge_largest(input, op->depth);
        const int32_t log = log_of_sum((int32_t)midge_sum_of_exps(op, input, largest));
        for (uint32_t i = 0; i < op->depth; i++) {
            int32_t diff = input[i] - largest;
            int32_t q = -128;
            // Below, the output would be less than -128, and the difference may not fit.
            if (diff >= op->diff_min && midge_difference(op, diff) >= -255 * (1 << 22)) {
                int32_t real = (int32_t)((uint32_t)midge_difference(op, diff) - (uint32_t)log);
                q = midge_rounding_shift(real, 22) + 127;
            }
            out[i] = midge_clamp(q, -128, 127);
        }
    }
}
