// The executor: finds a record's operator, checks the record against the buffers, runs it.

#include "fixed_point.h"
#include "table.h"

// The record's operator, or NULL with the reason why it cannot run.
static const operator_t *find(const midge_head_t *op, uint32_t arena_bytes, uint32_t *reason) {
    const operator_t *found = 0;
    // A code below the first one wraps to a large number.
    if ((uint32_t)(op->code - FIRST_CODE) < sizeof(operators) / sizeof(operators[0])) {
        found = &operators[op->code - FIRST_CODE];
    }
    if (found == 0 || found->check == 0) {
        *reason = MIDGE_BAD_OPERATOR;
        return 0;
    }
    if (op->blocks && !has_blocks(op->code)) {
        *reason = MIDGE_BAD_WEIGHTS;
        return 0;
    }
    // Kernels compute offsets in 32 bits with a sign.
    if (arena_bytes > INT32_MAX || !midge_fits(op->scratch, op->scratch_bytes, arena_bytes)) {
        *reason = MIDGE_BAD_TENSOR;
        return 0;
    }
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

uint32_t midge_run(midge_bytes_t program, uint32_t first, uint32_t last, midge_arena_t arena,
    midge_weights_t weights, uint32_t begin, uint32_t end) {
    if (!is_program(program) || last > records(program) || first > last) {
        return refusal(0, MIDGE_BAD_PARAMETER);
    }
    int whole = last - first != 1;
    for (uint32_t i = first; i < last; i++) {
        const midge_head_t *op = record(program, i);
        uint32_t reason;
        const operator_t *found = find(op, arena.bytes, &reason);
        if (!found) {
            return refusal(i, reason);
        }
#ifndef MIDGE_NATIVE_ONLY
        // These read and write words.
        if (op->code >= MIDGE_FIRST_EXTRA && ((uintptr_t)arena.data & 3)) {
            return refusal(i, MIDGE_BAD_TENSOR);
        }
#endif
        midge_call_t call = {op, arena.data, 0, 0, op->blocks};
        if (op->blocks) {
            if (!whole) {
                call.begin = begin;
                call.end = end < op->blocks ? end : op->blocks;
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
        found->run(&call);
    }
    return MIDGE_OK;
}
