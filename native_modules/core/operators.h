// What run.c knows of an operator: one `check` and one `run` each, in a file of its own.

#ifndef MIDGE_OPERATORS_H
#define MIDGE_OPERATORS_H

#include "midge.h"

// One record to run. `weights` points at weight block `begin`.
typedef struct {
    const void *op;
    int8_t *arena;
    const uint8_t *weights;
    uint32_t begin;
    uint32_t end;
} midge_call_t;

// True when `bytes` bytes from `offset` lie within `limit` bytes; never for UINT32_MAX bytes.
static inline int midge_fits(uint32_t offset, uint32_t bytes, uint32_t limit) {
    return offset <= limit && bytes <= limit - offset;
}

// check: MIDGE_OK or the reason why the record cannot run in an arena of that size. Where the
// weight blocks lie has been checked; what they must hold is checked here.
uint32_t midge_conv_check(const void *op, uint32_t arena_bytes);
uint32_t midge_depthwise_conv_check(const void *op, uint32_t arena_bytes);
uint32_t midge_pool_check(const void *op, uint32_t arena_bytes);
uint32_t midge_mean_check(const void *op, uint32_t arena_bytes);
uint32_t midge_add_check(const void *op, uint32_t arena_bytes);
uint32_t midge_softmax_check(const void *op, uint32_t arena_bytes);
uint32_t midge_lut_check(const void *op, uint32_t arena_bytes);
uint32_t midge_pad_check(const void *op, uint32_t arena_bytes);
uint32_t midge_copy_check(const void *op, uint32_t arena_bytes);
uint32_t midge_constant_check(const void *op, uint32_t arena_bytes);
uint32_t midge_arithmetic_check(const void *op, uint32_t arena_bytes);
uint32_t midge_svdf_check(const void *op, uint32_t arena_bytes);
uint32_t midge_log_softmax_check(const void *op, uint32_t arena_bytes);
uint32_t midge_conv16_check(const void *op, uint32_t arena_bytes);
uint32_t midge_lstm_check(const void *op, uint32_t arena_bytes);
uint32_t midge_requantize_check(const void *op, uint32_t arena_bytes);
uint32_t midge_softmax16_check(const void *op, uint32_t arena_bytes);
uint32_t midge_arg_max_check(const void *op, uint32_t arena_bytes);
uint32_t midge_resize_nearest_check(const void *op, uint32_t arena_bytes);
uint32_t midge_resize_bilinear_check(const void *op, uint32_t arena_bytes);
uint32_t midge_l2_normalization_check(const void *op, uint32_t arena_bytes);
uint32_t midge_batch_matmul_check(const void *op, uint32_t arena_bytes);
uint32_t midge_pool16_check(const void *op, uint32_t arena_bytes);
uint32_t midge_mean16_check(const void *op, uint32_t arena_bytes);
uint32_t midge_softmax_from16_check(const void *op, uint32_t arena_bytes);
uint32_t midge_sigmoid16_check(const void *op, uint32_t arena_bytes);

void midge_conv(const midge_call_t *call);
void midge_depthwise_conv(const midge_call_t *call);
void midge_pool(const midge_call_t *call);
void midge_mean(const midge_call_t *call);
void midge_add(const midge_call_t *call);
void midge_softmax(const midge_call_t *call);
void midge_lut(const midge_call_t *call);
void midge_pad(const midge_call_t *call);
void midge_copy(const midge_call_t *call);
void midge_constant(const midge_call_t *call);
void midge_arithmetic(const midge_call_t *call);
void midge_svdf(const midge_call_t *call);
void midge_log_softmax(const midge_call_t *call);
void midge_conv16(const midge_call_t *call);
void midge_lstm(const midge_call_t *call);
void midge_requantize_tensor(const midge_call_t *call);
void midge_softmax16(const midge_call_t *call);
void midge_arg_max(const midge_call_t *call);
void midge_resize_nearest(const midge_call_t *call);
void midge_resize_bilinear(const midge_call_t *call);
void midge_l2_normalization(const midge_call_t *call);
void midge_batch_matmul(const midge_call_t *call);
void midge_pool16(const midge_call_t *call);
void midge_mean16(const midge_call_t *call);
void midge_softmax_from16(const midge_call_t *call);
void midge_sigmoid16(const midge_call_t *call);

#endif
