// TREES: what the leaves of decision trees add up to. Comparisons of integers, sums in double
// precision.

#include "bytes.h"
#include "call.h"
#include "double.h"
#include "float_order.h"

#define MISSING_LEFT 1
#define LEFT_LEAF 2
#define RIGHT_LEAF 4
#define LAST 0x8000
#define NOWHERE UINT32_MAX

static uint32_t uint16_at(const uint8_t *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint64_t uint64_at(const uint8_t *bytes) {
    return midge_uint32_at(bytes) | (uint64_t)midge_uint32_at(bytes + 4) << 32;
}

// Whether a value of a reading goes left at a node.
static int goes_left(const uint32_t *x, uint32_t feature, const uint8_t *node, int missing_left,
    int wide) {
    if (wide) {
        const int32_t code = ((const int16_t *)(const void *)x)[feature];
        return code == INT16_MIN ? missing_left : code <= midge_int16_at(node);
    }
    const uint32_t bits = x[feature];
    return MIDGE_FLOAT_IS_NAN(bits) ? missing_left
                                    : midge_float_order(bits) <= (int32_t)midge_uint32_at(node);
}

// The leaf that the reading comes to, as nodes name it. NOWHERE where a block makes no sense: a
// node's children lie behind it, so that the way ends.
static uint32_t leaf_of(const midge_trees_t *op, const uint8_t *nodes, uint32_t count,
    const uint32_t *x) {
    const int wide = op->types == MIDGE_DTYPE_INT16;
    const uint32_t bytes = wide ? MIDGE_TREES_CODE_NODE : MIDGE_TREES_NODE;
    const uint32_t places = wide ? op->place_bits : MIDGE_TREES_PLACES;
    const uint32_t last = wide ? MIDGE_TREES_CODE_FLAGS : MIDGE_TREES_FLAGS;
    for (uint32_t at = 0; at < count;) {
        const uint8_t *node = nodes + at * bytes;
        // The last bytes of a node: of codes three.
        const uint32_t word = midge_uint32_at(node + bytes - 4) >> (wide ? 8 : 0);
        const uint32_t place = word & ((1u << places) - 1), flags = word >> last;
        const uint32_t feature = (word & ((1u << last) - 1)) >> places;
        if (feature >= op->features) {
            return NOWHERE;
        }
        const int left = goes_left(x, feature, node, flags & MISSING_LEFT, wide);
        if (flags & (left ? LEFT_LEAF : RIGHT_LEAF)) {
            // Two leaves are neighbours.
            return place + (!left && (flags & LEFT_LEAF));
        }
        const uint32_t step = left || (flags & LEFT_LEAF) ? 1 : place;
        if (!step) {
            return NOWHERE;
        }
        at += step;
    }
    return NOWHERE;
}

static void add(const midge_trees_t *op, uint32_t *sum, uint64_t value) {
    uint64_t total = midge_double_add(midge_double_at(sum), value);
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
    const int wide = op->types == MIDGE_DTYPE_INT16;
    const uint32_t value_bytes = wide ? 2 : 8, entry_bytes = wide ? 2 : 4;
    const uint32_t node_bytes = wide ? MIDGE_TREES_CODE_NODE : MIDGE_TREES_NODE;
    const uint8_t *nodes = heads + 4 * op->trees;
    const uint8_t *values = nodes + node_bytes * op->nodes;
    const uint8_t *entries = values + value_bytes * op->values;
    const uint8_t *leaves = entries + entry_bytes * op->entries;
    uint32_t left = op->nodes, base = 0;
    for (uint32_t t = 0; t < op->trees; t++, heads += 4) {
        const uint32_t count = uint16_at(heads), output = uint16_at(heads + 2);
        if (count > left) {
            return;
        }
        const uint32_t leaf = leaf_of(op, nodes, count, x);
        nodes += node_bytes * count;
        left -= count;
        if (!(op->flags & MIDGE_TREES_MIXED)) {
            if (leaf != NOWHERE && base + leaf < op->values && output < op->outputs) {
                const uint8_t *value = values + value_bytes * (base + leaf);
                add(op, sums + 2 * output,
                    wide ? midge_double_of_int(midge_int16_at(value)) : uint64_at(value));
            }
            base += count + 1;
        } else if (leaf < op->leaves) {
            for (uint32_t e = uint16_at(leaves + 2 * leaf); e < op->entries; e++) {
                const uint8_t *entry = entries + entry_bytes * e;
                const uint32_t word = uint16_at(entry);
                const uint32_t k = wide ? word >> 8 & 0x7f : word & (LAST - 1);
                const uint32_t value = wide ? 0 : uint16_at(entry + 2);
                if (k < op->outputs && (wide || value < op->values)) {
                    add(op, sums + 2 * k,
                        wide ? midge_double_of_int((int32_t)(word & 0xff))
                             : uint64_at(values + 8 * value));
                }
                if (word & LAST) {
                    break;
                }
            }
        }
    }
}
