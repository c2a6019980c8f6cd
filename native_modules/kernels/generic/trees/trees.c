// TREES: what the leaves of decision trees add up to. Comparisons of integers, sums in double
// precision.

#include "bytes.h"
#include "call.h"
#include "double.h"
#include "float_order.h"

#define NODE_BYTES 8
#define PLACE(word) ((word) & 0x7fff)
#define FEATURE(word) ((word) >> 15 & 0x3fff)
#define MISSING_LEFT (1u << 29)
#define LEFT_LEAF (1u << 30)
#define RIGHT_LEAF (1u << 31)
#define LAST 0x8000
#define NOWHERE UINT32_MAX

static uint32_t uint16_at(const uint8_t *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint64_t uint64_at(const uint8_t *bytes) {
    return midge_uint32_at(bytes) | (uint64_t)midge_uint32_at(bytes + 4) << 32;
}

// The leaf that the reading comes to, as nodes name it. NOWHERE where a block makes no sense: a
// node's children lie behind it, so that the way ends.
static uint32_t leaf_of(const uint8_t *nodes, uint32_t count, const uint32_t *x,
    uint32_t features) {
    for (uint32_t at = 0; at < count;) {
        const uint8_t *node = nodes + at * NODE_BYTES;
        const uint32_t word = midge_uint32_at(node + 4), feature = FEATURE(word);
        if (feature >= features) {
            return NOWHERE;
        }
        const uint32_t bits = x[feature];
        const int goes_left = MIDGE_FLOAT_IS_NAN(bits)
            ? (word & MISSING_LEFT) != 0
            : midge_float_order(bits) <= (int32_t)midge_uint32_at(node);
        if (word & (goes_left ? LEFT_LEAF : RIGHT_LEAF)) {
            // Two leaves are neighbours.
            return PLACE(word) + (!goes_left && (word & LEFT_LEAF));
        }
        const uint32_t step = goes_left || (word & LEFT_LEAF) ? 1 : PLACE(word);
        if (!step) {
            return NOWHERE;
        }
        at += step;
    }
    return NOWHERE;
}

static void add(const midge_trees_t *op, uint32_t *sum, const uint8_t *value) {
    uint64_t total = midge_double_add(midge_double_at(sum), uint64_at(value));
    if (op->flags & MIDGE_TREES_SINGLE) {
        total = midge_double_of_float(midge_double_to_float(total));
    }
    midge_store_double(sum, total);
}

void midge_trees(const midge_call_t *call) {
    const midge_trees_t *op = call->op;
    const uint32_t *x = (const uint32_t *)(const void *)(call->arena + op->input);
    uint32_t *sums = (uint32_t *)(void *)(call->arena + op->output);
    const uint8_t *heads = call->weights;
    if (op->flags & MIDGE_TREES_FIRST) {
        for (uint32_t i = 0; i < 2u * op->outputs; i++, heads += 4) {
            sums[i] = midge_uint32_at(heads);
        }
    }
    const uint8_t *nodes = heads + 4 * op->trees;
    const uint8_t *values = nodes + NODE_BYTES * op->nodes;
    const uint8_t *entries = values + 8 * op->values;
    const uint8_t *leaves = entries + 4 * op->entries;
    uint32_t left = op->nodes, base = 0;
    for (uint32_t t = 0; t < op->trees; t++, heads += 4) {
        const uint32_t count = uint16_at(heads), output = uint16_at(heads + 2);
        if (count > left) {
            return;
        }
        const uint32_t leaf = leaf_of(nodes, count, x, op->features);
        nodes += NODE_BYTES * count;
        left -= count;
        if (!(op->flags & MIDGE_TREES_MIXED)) {
            if (leaf != NOWHERE && base + leaf < op->values && output < op->outputs) {
                add(op, sums + 2 * output, values + 8 * (base + leaf));
            }
            base += count + 1;
        } else if (leaf < op->leaves) {
            for (uint32_t e = uint16_at(leaves + 2 * leaf); e < op->entries; e++) {
                const uint32_t k = uint16_at(entries + 4 * e);
                const uint32_t value = uint16_at(entries + 4 * e + 2);
                if ((k & (LAST - 1)) < op->outputs && value < op->values) {
                    add(op, sums + 2 * (k & (LAST - 1)), values + 8 * value);
                }
                if (k & LAST) {
                    break;
                }
            }
        }
    }
}
