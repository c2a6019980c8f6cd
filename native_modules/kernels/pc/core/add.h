// ADD of two tensors of one shape, 16 values at a time.

#ifndef MIDGE_PC_ADD_H
#define MIDGE_PC_ADD_H

#include "call.h"

// An operand's or the sum's scale: a multiplier, shifts to the left and to the right.
typedef struct {
    words_t multiplier, left, right;
} scale_t;

static inline scale_t scale_of(int32_t multiplier, int32_t shift, int32_t unit) {
    const int32_t left = (shift > 0 ? shift : 0) + unit;
    const int32_t right = shift < 0 ? -shift : 0;
    // Beyond 31 nothing is left of a value.
    return left > 31 ? (scale_t){all_words(0), all_words(0), all_words(right)}
                     : (scale_t){all_words(multiplier), all_words(left), all_words(right)};
}

static inline words_t scaled_by(const scale_t *scale, words_t x) {
    return rescale(x, scale->multiplier, scale->left, scale->right);
}

static inline void run_add(const midge_call_t *call) {
    const midge_add_t *op = call->op;
    const scale_t first = scale_of(op->multiplier1, op->shift1, op->left_shift);
    const scale_t second = scale_of(op->multiplier2, op->shift2, op->left_shift);
    const scale_t sum = scale_of(op->multiplier, op->shift, 0);
    const words_t zero1 = all_words(-op->zero1), zero2 = all_words(-op->zero2);
    const words_t zero = all_words(op->output_zero);
    const int8_t *a = call->arena + op->input, *b = call->arena + op->input2;
    int8_t *out = call->arena + op->output;
    int8_t rest[3][16] = {{0}, {0}, {0}};
    for (uint32_t i = 0; i < op->count; i += 16) {
        const uint32_t left = op->count - i;
        const int8_t *x = a + i, *y = b + i;
        if (left < 16) {
            __builtin_memcpy(rest[0], x, left);
            __builtin_memcpy(rest[1], y, left);
            x = rest[0];
            y = rest[1];
        }
        const halves_t xs = widen(x), ys = widen(y);
        words_t low = add_words(scaled_by(&first, add_words(words_low(xs), zero1)),
            scaled_by(&second, add_words(words_low(ys), zero2)));
        words_t high = add_words(scaled_by(&first, add_words(words_high(xs), zero1)),
            scaled_by(&second, add_words(words_high(ys), zero2)));
        low = limit(add_words(scaled_by(&sum, low), zero), op->clamp_min, op->clamp_max);
        high = limit(add_words(scaled_by(&sum, high), zero), op->clamp_min, op->clamp_max);
        store_bytes(left < 16 ? rest[2] : out + i, low, high);
        if (left < 16) {
            __builtin_memcpy(out + i, rest[2], left);
        }
    }
}

#endif
