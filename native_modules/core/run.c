// The executor: finds a record's operator, checks the record against the buffers, runs it.

#include "fixed_point.h"
#include "operators.h"

// Of a record of that bank; a constant where one bank is built.
static uint32_t bank_number(const midge_head_t *op) {
#ifdef MIDGE_BANK
    (void)op;
    return MIDGE_BANK;
#else
    return op->bank;
#endif
}

// The record's operator, or NULL with the reason why it cannot run.
static const midge_operator_t *find(const midge_head_t *op, uint32_t arena_bytes,
    uint32_t *reason) {
    const midge_bank_t *bank = midge_bank(bank_number(op));
    *reason = MIDGE_BAD_OPERATOR;
    if (!bank || op->bank != bank_number(op)) {
        return 0;
    }
    // A code below the first one wraps to a large number.
    const uint32_t index = (uint32_t)op->code - bank->first;
    const uint32_t known = op->types == MIDGE_DTYPE_INT8 ? bank->int8
        : op->types == MIDGE_DTYPE_INT16                 ? bank->int16
                                                         : 0;
    if (index >= 32 || !(known >> index & 1)) {
        return 0;
    }
    if (op->blocks && !(bank->blocks >> index & 1)) {
        *reason = MIDGE_BAD_WEIGHTS;
        return 0;
    }
    // Kernels compute offsets in 32 bits with a sign.
    if (arena_bytes > INT32_MAX || !midge_fits(op->scratch, op->scratch_bytes, arena_bytes)) {
        *reason = MIDGE_BAD_TENSOR;
        return 0;
    }
    const midge_operator_t *found = &bank->operators[index];
    *reason = found->check(op, arena_bytes);
    return *reason ? 0 : found;
}

static uint32_t records(midge_bytes_t program) {
    return midge_divide(program.bytes, MIDGE_RECORD_BYTES);
}

static int is_program(midge_bytes_t program) {
    return ((uintptr_t)program.data & 3) == 0
        && records(program) * MIDGE_RECORD_BYTES == program.bytes;
}

static const midge_head_t *record(midge_bytes_t program, uint32_t index) {
    return (const midge_head_t *)(const void *)(program.data + index * MIDGE_RECORD_BYTES);
}

static uint32_t refusal(uint32_t index, uint32_t reason) {
    return (index + 1) * 16 + reason;
}

uint32_t midge_check(midge_bytes_t program, uint32_t arena_bytes, uint32_t weights_bytes) {
    if (!is_program(program)) {
        return refusal(0, MIDGE_BAD_PARAMETER);
    }
    for (uint32_t i = 0; i < records(program); i++) {
        const midge_head_t *op = record(program, i);
        uint32_t reason;
        if (!find(op, arena_bytes, &reason)) {
            return refusal(i, reason);
        }
        if (!midge_fits(op->output, op->output_bytes, arena_bytes)) {
            return refusal(i, MIDGE_BAD_TENSOR);
        }
        uint32_t bytes = midge_times(op->blocks, op->block_bytes);
        if (((op->weights | op->block_bytes) & (MIDGE_BLOCK_ALIGNMENT - 1))
            || !midge_fits(op->weights, bytes, weights_bytes)) {
            return refusal(i, MIDGE_BAD_WEIGHTS);
        }
    }
    return MIDGE_OK;
}

// The record of one part in `copy`, or NULL where it has nothing to do.
static const void *narrowed(const midge_head_t *op, const midge_share_t *share,
    midge_head_t *copy) {
    const midge_bank_t *bank = midge_bank(bank_number(op));
    *copy = *op;
    // Rows of an output over its input have an order.
    if (bank->by_rows >> (op->code - bank->first) & 1 && !(op->flags & MIDGE_OVERLAPS)
        && bank->narrow(copy, share->part, share->parts)) {
        return copy;
    }
    return share->part ? 0 : op;
}

uint32_t midge_run(midge_bytes_t program, uint32_t first, uint32_t last, midge_arena_t arena,
    midge_weights_t weights, const midge_share_t *share) {
    if (!is_program(program) || last > records(program) || first > last
        || share->part >= share->parts || share->parts > UINT8_MAX) {
        return refusal(0, MIDGE_BAD_PARAMETER);
    }
    int whole = last - first != 1;
    for (uint32_t i = first; i < last; i++) {
        const midge_head_t *op = record(program, i);
        uint32_t reason;
        const midge_operator_t *found = find(op, arena.bytes, &reason);
        if (!found) {
            return refusal(i, reason);
        }
        // Kernels of the other banks read and write words.
        if (bank_number(op) != MIDGE_BANK_CORE && ((uintptr_t)arena.data & 3)) {
            return refusal(i, MIDGE_BAD_TENSOR);
        }
        midge_call_t call = {op, arena.data, 0, 0, op->blocks};
        if (op->blocks) {
            if (!whole) {
                call.begin = share->begin;
                call.end = share->end < op->blocks ? share->end : op->blocks;
            }
            if (call.begin > call.end) {
                return refusal(i, MIDGE_BAD_PARAMETER);
            }
            uint32_t before = midge_times(call.begin, op->block_bytes);
            uint32_t from = op->weights + before;
            uint32_t bytes = midge_times(call.end - call.begin, op->block_bytes);
            if (from < before || from < weights.base
                || !midge_fits(from - weights.base, bytes, weights.bytes)) {
                return refusal(i, MIDGE_BAD_WEIGHTS);
            }
            if (call.begin == call.end) {
                continue;
            }
            call.weights = weights.data + (from - weights.base);
        }
        midge_head_t copy;
        if (share->parts > 1) {
            call.op = narrowed(op, share, &copy);
        }
        if (call.op) {
            found->run(&call);
        }
    }
    return MIDGE_OK;
}
