// NEAREST: the rows of a table that are nearest to a reading; VOTES: what they say.

#include "bytes.h"
#include "call.h"
#include "double.h"

#define ONE 0x3ff0000000000000ull

static uint64_t uint64_at(const uint8_t *bytes) {
    return midge_uint32_at(bytes) | (uint64_t)midge_uint32_at(bytes + 4) << 32;
}

// The square of the distance; what is beyond `limit` already may end early.
static uint64_t distance(const midge_nearest_t *op, const uint32_t *x, const uint8_t *row,
    int64_t limit) {
    const int wide_row = op->flags & MIDGE_NEAREST_DOUBLES;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < op->inputs && midge_double_order(sum) < limit; i++) {
        const uint64_t value = op->flags & MIDGE_NEAREST_WIDE ? midge_double_at(x + 2 * i)
                                                              : midge_double_of_float(x[i]);
        const uint64_t other = wide_row ? uint64_at(row + 8 * i)
                                        : midge_double_of_float(midge_uint32_at(row + 4 * i));
        const uint64_t far = midge_double_add(value, other ^ MIDGE_DOUBLE_SIGN);
        sum = midge_double_add(sum, midge_double_multiply(far, far));
    }
    return sum;
}

void midge_nearest(const midge_call_t *call) {
    const midge_nearest_t *op = call->op;
    const uint32_t *x = (const uint32_t *)(const void *)(call->arena + op->input);
    uint32_t *found = (uint32_t *)(void *)(call->arena + op->output);
    const uint32_t row_bytes = 8 + (op->flags & MIDGE_NEAREST_DOUBLES ? 8 : 4) * op->inputs;
    const uint8_t *block = call->weights;
    for (uint32_t i = 0; call->begin == 0 && i < op->neighbors; i++) {
        midge_store_double(found + 4 * i, MIDGE_DOUBLE_INFINITY);
        midge_store_double(found + 4 * i + 2, 0);
    }
    for (uint32_t b = call->begin; b < call->end; b++, block += op->block_bytes) {
        const uint8_t *row = block;
        for (uint32_t r = 0; r < op->rows; r++, row += row_bytes) {
            uint32_t at = op->neighbors - 1;
            const int64_t limit = midge_double_order(midge_double_at(found + 4 * at));
            const uint64_t far = distance(op, x, row + 8, limit);
            if (midge_double_order(far) >= limit) {
                continue;
            }
            for (; at; at--) {
                const uint32_t *before = found + 4 * (at - 1);
                if (midge_double_order(midge_double_at(before)) <= midge_double_order(far)) {
                    break;
                }
                for (int i = 0; i < 4; i++) {
                    found[4 * at + i] = before[i];
                }
            }
            midge_store_double(found + 4 * at, far);
            midge_store_double(found + 4 * at + 2, uint64_at(row));
        }
    }
}

static void add(uint32_t *sum, uint64_t value) {
    midge_store_double(sum, midge_double_add(midge_double_at(sum), value));
}

// 1 / distance; where the nearest row is the reading itself, such rows alone count.
static uint64_t weight_of(uint64_t square, int hit) {
    if (hit) {
        return midge_double_order(square) == 0 ? ONE : 0;
    }
    return midge_double_divide(ONE, midge_double_root(square));
}

void midge_votes(const midge_call_t *call) {
    const midge_votes_t *op = call->op;
    const uint32_t *found = (const uint32_t *)(const void *)(call->arena + op->input);
    uint32_t *sums = (uint32_t *)(void *)(call->arena + op->output);
    for (uint32_t i = 0; i < op->outputs; i++) {
        midge_store_double(sums + 2 * i, 0);
    }
    const int weighted = op->flags & MIDGE_VOTES_WEIGHTED, values = op->flags & MIDGE_VOTES_VALUES;
    const int hit = midge_double_order(midge_double_at(found)) == 0;
    uint64_t whole = 0;
    for (uint32_t i = 0; i < op->neighbors; i++) {
        const uint64_t target = midge_double_at(found + 4 * i + 2);
        uint64_t weight = ONE;
        if (weighted) {
            weight = weight_of(midge_double_at(found + 4 * i), hit);
        }
        if (values) {
            add(sums, weighted ? midge_double_multiply(target, weight) : target);
            whole = midge_double_add(whole, weight);
        } else if (target < op->outputs) {
            add(sums + 2 * (uint32_t)target, weight);
        }
    }
    for (uint32_t i = 0; weighted && !values && i < op->outputs; i++) {
        whole = midge_double_add(whole, midge_double_at(sums + 2 * i));
    }
    for (uint32_t i = 0; weighted && i < op->outputs; i++) {
        uint32_t *sum = sums + 2 * i;
        midge_store_double(sum, midge_double_divide(midge_double_at(sum), whole));
    }
}
