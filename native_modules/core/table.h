// The operators by code. Those from MIDGE_FIRST_EXTRA on are a native module of their own, so that
// a board loads them only for a model that needs one. MIDGE_NATIVE_ONLY and MIDGE_EXTRA_ONLY build
// one of the two modules; firmware with all of midge and tests define neither.

#ifndef MIDGE_TABLE_H
#define MIDGE_TABLE_H

#include "dispatch.h"

typedef struct {
    uint32_t (*check)(const void *op, uint32_t arena_bytes);
    void (*run)(const midge_call_t *call);
} operator_t;

#ifdef MIDGE_EXTRA_ONLY
#define FIRST_CODE MIDGE_FIRST_EXTRA
#else
#define FIRST_CODE 0
#endif

static const operator_t operators[] = {
#ifndef MIDGE_EXTRA_ONLY
    [MIDGE_CONV_2D] = {midge_conv_check, MIDGE_RUN_CONV},
    [MIDGE_DEPTHWISE_CONV_2D] = {midge_depthwise_conv_check, MIDGE_RUN_DEPTHWISE_CONV},
    [MIDGE_FULLY_CONNECTED] = {midge_conv_check, MIDGE_RUN_CONV},
    [MIDGE_AVERAGE_POOL_2D] = {midge_pool_check, midge_pool},
    [MIDGE_MAX_POOL_2D] = {midge_pool_check, midge_pool},
    [MIDGE_MEAN] = {midge_mean_check, midge_mean},
    [MIDGE_ADD] = {midge_add_check, MIDGE_RUN_ADD},
    [MIDGE_SOFTMAX] = {midge_softmax_check, midge_softmax},
    [MIDGE_LUT] = {midge_lut_check, midge_lut},
    [MIDGE_PAD] = {midge_pad_check, midge_pad},
#endif
#ifndef MIDGE_NATIVE_ONLY
    [MIDGE_COPY - FIRST_CODE] = {midge_copy_check, midge_copy},
    [MIDGE_CONSTANT - FIRST_CODE] = {midge_constant_check, midge_constant},
    [MIDGE_ARITHMETIC - FIRST_CODE] = {midge_arithmetic_check, midge_arithmetic},
    [MIDGE_SVDF - FIRST_CODE] = {midge_svdf_check, midge_svdf},
    [MIDGE_LOG_SOFTMAX - FIRST_CODE] = {midge_log_softmax_check, midge_log_softmax},
    [MIDGE_CONV_2D_16 - FIRST_CODE] = {midge_conv16_check, midge_conv16},
    [MIDGE_DEPTHWISE_CONV_2D_16 - FIRST_CODE] = {midge_conv16_check, midge_conv16},
    [MIDGE_FULLY_CONNECTED_16 - FIRST_CODE] = {midge_conv16_check, midge_conv16},
    [MIDGE_LSTM - FIRST_CODE] = {midge_lstm_check, midge_lstm},
    [MIDGE_REQUANTIZE - FIRST_CODE] = {midge_requantize_check, midge_requantize_tensor},
    [MIDGE_SOFTMAX_16 - FIRST_CODE] = {midge_softmax16_check, midge_softmax16},
    [MIDGE_ARG_MAX - FIRST_CODE] = {midge_arg_max_check, midge_arg_max},
    [MIDGE_RESIZE_NEAREST_NEIGHBOR - FIRST_CODE]
    = {midge_resize_nearest_check, midge_resize_nearest},
    [MIDGE_RESIZE_BILINEAR - FIRST_CODE] = {midge_resize_bilinear_check, midge_resize_bilinear},
    [MIDGE_L2_NORMALIZATION - FIRST_CODE]
    = {midge_l2_normalization_check, midge_l2_normalization},
    [MIDGE_BATCH_MATMUL - FIRST_CODE] = {midge_batch_matmul_check, midge_batch_matmul},
    [MIDGE_AVERAGE_POOL_2D_16 - FIRST_CODE] = {midge_pool16_check, midge_pool16},
    [MIDGE_MAX_POOL_2D_16 - FIRST_CODE] = {midge_pool16_check, midge_pool16},
    [MIDGE_MEAN_16 - FIRST_CODE] = {midge_mean16_check, midge_mean16},
    [MIDGE_SOFTMAX_FROM_16 - FIRST_CODE] = {midge_softmax_from16_check, midge_softmax_from16},
    [MIDGE_LOGISTIC_16 - FIRST_CODE] = {midge_sigmoid16_check, midge_sigmoid16},
    [MIDGE_TANH_16 - FIRST_CODE] = {midge_sigmoid16_check, midge_sigmoid16},
#endif
};

// Operators with weight blocks, a bit for each code (from MIDGE_FIRST_EXTRA).
#define NATIVE_BLOCKS \
    (1u << MIDGE_CONV_2D | 1u << MIDGE_DEPTHWISE_CONV_2D | 1u << MIDGE_FULLY_CONNECTED \
        | 1u << MIDGE_LUT)
#define EXTRA_BIT(code) (1u << ((code) - MIDGE_FIRST_EXTRA))
#define EXTRA_BLOCKS \
    (EXTRA_BIT(MIDGE_CONSTANT) | EXTRA_BIT(MIDGE_CONV_2D_16) \
        | EXTRA_BIT(MIDGE_DEPTHWISE_CONV_2D_16) | EXTRA_BIT(MIDGE_FULLY_CONNECTED_16) \
        | EXTRA_BIT(MIDGE_RESIZE_NEAREST_NEIGHBOR) | EXTRA_BIT(MIDGE_SVDF) \
        | EXTRA_BIT(MIDGE_LSTM) | EXTRA_BIT(MIDGE_SOFTMAX_FROM_16) \
        | EXTRA_BIT(MIDGE_LOGISTIC_16) | EXTRA_BIT(MIDGE_TANH_16))

static inline int has_blocks(uint32_t code) {
#ifndef MIDGE_NATIVE_ONLY
    if (code >= MIDGE_FIRST_EXTRA) {
        return EXTRA_BLOCKS >> (code - MIDGE_FIRST_EXTRA) & 1;
    }
#endif
    return NATIVE_BLOCKS >> code & 1;
}

#endif
