// SCORES: float32 results of sums in double precision.

#include "call.h"
#include "double.h"
#include "float_order.h"

// What a score is made of: the sum number i / divisor, or one of a pair.
static uint64_t score(const midge_scores_t *op, const uint32_t *sums, uint32_t i) {
    const int pair = op->flags & MIDGE_SCORES_PAIR;
    const uint64_t sum = midge_double_at(sums + (pair ? 0 : 2 * i));
    const uint64_t value = midge_double_divide(sum, midge_double_at(op->divisor));
    if (!pair || i) {
        return value;
    }
    if (op->flags & MIDGE_SCORES_PROBABILITIES) {
        return 0;
    }
    return midge_double_is_nan(value) ? value : value ^ MIDGE_DOUBLE_SIGN;
}

static uint64_t power(uint64_t value, uint64_t largest) {
    // Of NaN the sign may be anything: the sum is NaN.
    return midge_double_exp(midge_double_add(value, largest ^ MIDGE_DOUBLE_SIGN));
}

static int32_t order(uint32_t bits) {
    return MIDGE_FLOAT_IS_NAN(bits) ? INT32_MAX : midge_float_order(bits);
}

void midge_scores(const midge_call_t *call) {
    const midge_scores_t *op = call->op;
    const uint32_t *sums = (const uint32_t *)(const void *)(call->arena + op->input);
    uint32_t *out = (uint32_t *)(void *)(call->arena + op->output);
    uint64_t largest = score(op, sums, 0);
    uint32_t winner = 0;
    for (uint32_t i = 1; i < op->outputs; i++) {
        const uint64_t value = score(op, sums, i);
        if (midge_double_order(value) > midge_double_order(largest)) {
            largest = value;
            winner = i;
        }
    }
    if (op->flags & MIDGE_SCORES_PAIR) {
        const uint64_t sum = midge_double_at(sums), threshold = midge_double_at(op->threshold);
        winner = !midge_double_is_nan(sum) && !midge_double_is_nan(threshold)
            && midge_double_order(sum) >= midge_double_order(threshold);
    }
    uint64_t whole = 0;
    if (op->flags & MIDGE_SCORES_PROBABILITIES) {
        for (uint32_t i = 0; i < op->outputs; i++) {
            whole = midge_double_add(whole, power(score(op, sums, i), largest));
        }
    }
    for (uint32_t i = 0; i < op->outputs; i++) {
        uint64_t value = score(op, sums, i);
        if (op->flags & MIDGE_SCORES_PROBABILITIES) {
            value = midge_double_divide(power(value, largest), whole);
        }
        out[i] = midge_double_to_float(value);
    }
    if (!(op->flags & MIDGE_SCORES_DECIDE)) {
        return;
    }
    for (uint32_t i = 0; i < op->outputs; i++) {
        // The first of the largest scores has to be the winner's.
        const int32_t limit = order(out[winner]) - (i < winner);
        if (i != winner && order(out[i]) > limit) {
            out[i] = limit < 0 ? 1u << 31 | (uint32_t)-limit : (uint32_t)limit;
        }
    }
}
