// Generated from host/midge_host/device/ by `make generate`. Do not edit.
// The operators of each bank: checks and kernels. Of run.c alone.

#ifndef MIDGE_OPERATORS_H
#define MIDGE_OPERATORS_H

#include "bank.h"
#include "fixed_point.h"
#include "share.h"

#if MIDGE_HAS(MIDGE_BANK_CORE)

static uint32_t core_window_check(const void *record, uint32_t arena_bytes) {
    const midge_window_t *op = record;
    if (op->in_h == 0 || op->in_w == 0 || op->in_c == 0 || op->out_h == 0 || op->out_w == 0
        || op->out_c == 0 || op->kernel_h == 0 || op->kernel_w == 0 || op->stride_h == 0
        || op->stride_w == 0 || op->dilation_h == 0 || op->dilation_w == 0
        || op->clamp_min > op->clamp_max) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times((uint32_t)op->in_h * op->in_w, op->in_c),
            arena_bytes)
        || !midge_fits(op->output, midge_times((uint32_t)op->out_h * op->out_w, op->out_c),
            arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t core_conv_check(const void *record, uint32_t arena_bytes) {
    const midge_window_t *op = record;
    const uint32_t window = core_window_check(op, arena_bytes);
    if (window) {
        return window;
    }
    if (op->code == MIDGE_DEPTHWISE_CONV_2D) {
        if (midge_divide(op->out_c, op->in_c) * op->in_c != op->out_c) {
            return MIDGE_BAD_PARAMETER;
        }
    }
    if (op->bias_bits < 1 || op->bias_bits > 32 || op->shift_bits > 6
        || (op->mult_bits != 0 && op->mult_bits != 30) || op->multiplier < 0
        || (uint32_t)op->blocks * op->block_channels != op->out_c) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits((uint32_t)4 * (((uint32_t)op->block_channels * (op->bias_bits +
            op->shift_bits + op->mult_bits) + 31) / 32),
            midge_times(midge_times((uint32_t)op->block_channels * op->kernel_h, op->kernel_w),
            (op->code == MIDGE_DEPTHWISE_CONV_2D ? 1 : op->in_c)), op->block_bytes)) {
        return MIDGE_BAD_WEIGHTS;
    }
    return MIDGE_OK;
}

static uint32_t core_pool_check(const void *record, uint32_t arena_bytes) {
    const midge_window_t *op = record;
    const uint32_t window = core_window_check(op, arena_bytes);
    if (window) {
        return window;
    }
    if (op->in_c != op->out_c || (uint32_t)op->kernel_h * op->kernel_w > 8388608) {
        return MIDGE_BAD_PARAMETER;
    }
    return MIDGE_OK;
}

static uint32_t core_mean_check(const void *record, uint32_t arena_bytes) {
    const midge_reduce_t *op = record;
    if (op->outer == 0 || op->inner == 0 || !midge_is_rescale(op->multiplier, op->shift)
        || op->reduce < 1 || op->reduce > 8388608 || op->clamp_min > op->clamp_max) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times(midge_times(op->outer, op->reduce), op->inner),
            arena_bytes)
        || !midge_fits(op->output, midge_times(op->outer, op->inner), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t core_add_check(const void *record, uint32_t arena_bytes) {
    const midge_add_t *op = record;
    if (!midge_is_rescale(op->multiplier1, op->shift1)
        || !midge_is_rescale(op->multiplier2, op->shift2)
        || !midge_is_rescale(op->multiplier, op->shift) || op->left_shift < 0
        || op->left_shift > 22 || op->clamp_min > op->clamp_max) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, op->count, arena_bytes)
        || !midge_fits(op->input2, op->count, arena_bytes)
        || !midge_fits(op->output, op->count, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t core_rows_check(const void *record, uint32_t arena_bytes) {
    const midge_softmax_t *op = record;
    if (op->depth < 1 || op->depth > 4095 || op->multiplier < 0 || op->shift < 0
        || op->shift > 30 || op->diff_min > 0) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times(op->rows, op->depth), arena_bytes)
        || !midge_fits(op->output, midge_times(op->rows, op->depth), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t core_lut_check(const void *record, uint32_t arena_bytes) {
    const midge_lut_t *op = record;
    if (op->blocks != 1 || op->block_bytes < 256) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, op->count, arena_bytes)
        || !midge_fits(op->output, op->count, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

#ifndef MIDGE_RUN_CONV
#define MIDGE_RUN_CONV midge_conv
#endif
void MIDGE_RUN_CONV(const midge_call_t *call);

#ifndef MIDGE_RUN_DEPTHWISE_CONV
#define MIDGE_RUN_DEPTHWISE_CONV midge_depthwise_conv
#endif
void MIDGE_RUN_DEPTHWISE_CONV(const midge_call_t *call);

#ifndef MIDGE_RUN_POOL
#define MIDGE_RUN_POOL midge_pool
#endif
void MIDGE_RUN_POOL(const midge_call_t *call);

#ifndef MIDGE_RUN_MEAN
#define MIDGE_RUN_MEAN midge_mean
#endif
void MIDGE_RUN_MEAN(const midge_call_t *call);

#ifndef MIDGE_RUN_ADD
#define MIDGE_RUN_ADD midge_add
#endif
void MIDGE_RUN_ADD(const midge_call_t *call);

#ifndef MIDGE_RUN_SOFTMAX
#define MIDGE_RUN_SOFTMAX midge_softmax
#endif
void MIDGE_RUN_SOFTMAX(const midge_call_t *call);

#ifndef MIDGE_RUN_LUT
#define MIDGE_RUN_LUT midge_lut
#endif
void MIDGE_RUN_LUT(const midge_call_t *call);

static const midge_operator_t core_operators[] = {
    [MIDGE_CONV_2D - 1] = {core_conv_check, MIDGE_RUN_CONV},
    [MIDGE_DEPTHWISE_CONV_2D - 1] = {core_conv_check, MIDGE_RUN_DEPTHWISE_CONV},
    [MIDGE_FULLY_CONNECTED - 1] = {core_conv_check, MIDGE_RUN_CONV},
    [MIDGE_AVERAGE_POOL_2D - 1] = {core_pool_check, MIDGE_RUN_POOL},
    [MIDGE_MAX_POOL_2D - 1] = {core_pool_check, MIDGE_RUN_POOL},
    [MIDGE_MEAN - 1] = {core_mean_check, MIDGE_RUN_MEAN},
    [MIDGE_ADD - 1] = {core_add_check, MIDGE_RUN_ADD},
    [MIDGE_SOFTMAX - 1] = {core_rows_check, MIDGE_RUN_SOFTMAX},
    [MIDGE_LUT - 1] = {core_lut_check, MIDGE_RUN_LUT},
};

static int core_narrow(void *record, uint32_t part, uint32_t parts) {
    midge_window_t *op = record;
    const midge_image_t image = {
        .in_h = &op->in_h,
        .out_h = &op->out_h,
        .pad_top = &op->pad_top,
        .input = &op->input,
        .output = &op->output,
        .scratch = &op->scratch,
        .scratch_bytes = &op->scratch_bytes,
        .stride = op->stride_h,
        .in_row = (uint32_t)op->in_w * op->in_c,
        .out_row = (uint32_t)op->out_w * op->out_c,
    };
    return midge_narrow(image, part, parts);
}

static const midge_bank_t core_bank = {
    core_operators, 1, 0x1ff, 0x0, 0x107, 0x1f, core_narrow,
};

#endif

#if MIDGE_HAS(MIDGE_BANK_TENSOR)

static uint32_t tensor_pad_check(const void *record, uint32_t arena_bytes) {
    const midge_pad_t *op = record;
    for (int i = 0; i < 4; i++) {
        if (op->in_shape[i] == 0 || (op->before[i] + op->in_shape[i]) > op->out_shape[i]) {
            return MIDGE_BAD_PARAMETER;
        }
    }
    if (!midge_fits(op->input, midge_elements(op->in_shape, 4, 0), arena_bytes)
        || !midge_fits(op->output, midge_elements(op->out_shape, 4, 0), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t tensor_copy_check(const void *record, uint32_t arena_bytes) {
    const midge_copy_t *op = record;
    if (op->flags > 1 || midge_times(midge_elements(op->shape, 5, 0), op->run) == 0) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_copy_reaches(op, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t tensor_constant_check(const void *record, uint32_t arena_bytes) {
    const midge_constant_t *op = record;
    if (op->blocks != 0) {
        if (midge_times(op->blocks, op->block_bytes) < op->count) {
            return MIDGE_BAD_WEIGHTS;
        }
    }
    if (!midge_fits(op->output, op->count, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t tensor_arithmetic_check(const void *record, uint32_t arena_bytes) {
    const midge_arithmetic_t *op = record;
    if (op->flags > 10 || midge_elements(op->shape, 5, 0) == 0
        || !midge_is_rescale(op->multiplier1, op->shift1)
        || !midge_is_rescale(op->multiplier2, op->shift2)
        || !midge_is_rescale(op->multiplier, op->shift) || op->clamp_min > op->clamp_max
        || op->clamp_min < -128 || op->clamp_max > 127) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_elements(op->shape, 5, op->repeat1), arena_bytes)
        || !midge_fits(op->input2, midge_elements(op->shape, 5, op->repeat2), arena_bytes)
        || !midge_fits(op->output, midge_elements(op->shape, 5, 0), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t tensor_requantize_check(const void *record, uint32_t arena_bytes) {
    const midge_requantize_t *op = record;
    if (op->flags > 7 || !midge_is_rescale(op->multiplier, op->shift)
        || !midge_is_rescale(op->negative_multiplier, op->negative_shift)
        || op->clamp_min > op->clamp_max || op->clamp_min < (op->flags & 1 ? -32768 : -128)
        || op->clamp_max > (op->flags & 1 ? 32767 : 127)
        || (op->input & ((op->flags & 4 ? 4 : (op->types == MIDGE_DTYPE_INT16 ? 2 : 1)) - 1))
        || (op->output & ((op->flags & 2 ? 4 : (op->flags & 1 ? 2 : 1)) - 1))) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times(op->count, (op->flags & 4 ? 4 : (op->types ==
            MIDGE_DTYPE_INT16 ? 2 : 1))), arena_bytes)
        || !midge_fits(op->output, midge_times(op->count, (op->flags & 2 ? 4 : (op->flags & 1 ?
            2 : 1))), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t tensor_select_check(const void *record, uint32_t arena_bytes) {
    const midge_select_t *op = record;
    if (midge_elements(op->shape, 5, 0) == 0
        || ((op->input2 | op->input3 | op->output) & ((op->types == MIDGE_DTYPE_INT16 ? 2 : 1)
            - 1))) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_elements(op->shape, 5, op->repeat1), arena_bytes)
        || !midge_fits(op->input2, midge_times(midge_elements(op->shape, 5, op->repeat2),
            (op->types == MIDGE_DTYPE_INT16 ? 2 : 1)), arena_bytes)
        || !midge_fits(op->input3, midge_times(midge_elements(op->shape, 5, op->repeat3),
            (op->types == MIDGE_DTYPE_INT16 ? 2 : 1)), arena_bytes)
        || !midge_fits(op->output, midge_times(midge_elements(op->shape, 5, 0), (op->types ==
            MIDGE_DTYPE_INT16 ? 2 : 1)), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

#ifndef MIDGE_RUN_PAD
#define MIDGE_RUN_PAD midge_pad
#endif
void MIDGE_RUN_PAD(const midge_call_t *call);

#ifndef MIDGE_RUN_COPY
#define MIDGE_RUN_COPY midge_copy
#endif
void MIDGE_RUN_COPY(const midge_call_t *call);

#ifndef MIDGE_RUN_CONSTANT
#define MIDGE_RUN_CONSTANT midge_constant
#endif
void MIDGE_RUN_CONSTANT(const midge_call_t *call);

#ifndef MIDGE_RUN_ARITHMETIC
#define MIDGE_RUN_ARITHMETIC midge_arithmetic
#endif
void MIDGE_RUN_ARITHMETIC(const midge_call_t *call);

#ifndef MIDGE_RUN_REQUANTIZE
#define MIDGE_RUN_REQUANTIZE midge_requantize
#endif
void MIDGE_RUN_REQUANTIZE(const midge_call_t *call);

#ifndef MIDGE_RUN_SELECT
#define MIDGE_RUN_SELECT midge_select
#endif
void MIDGE_RUN_SELECT(const midge_call_t *call);

static const midge_operator_t tensor_operators[] = {
    [MIDGE_PAD - 10] = {tensor_pad_check, MIDGE_RUN_PAD},
    [MIDGE_COPY - 10] = {tensor_copy_check, MIDGE_RUN_COPY},
    [MIDGE_CONSTANT - 10] = {tensor_constant_check, MIDGE_RUN_CONSTANT},
    [MIDGE_ARITHMETIC - 10] = {tensor_arithmetic_check, MIDGE_RUN_ARITHMETIC},
    [MIDGE_REQUANTIZE - 10] = {tensor_requantize_check, MIDGE_RUN_REQUANTIZE},
    [MIDGE_SELECT - 10] = {tensor_select_check, MIDGE_RUN_SELECT},
};

static const midge_bank_t tensor_bank = {
    tensor_operators, 10, 0x2001f, 0x20010, 0x4, 0x0, 0,
};

#endif

#if MIDGE_HAS(MIDGE_BANK_WIDE)

static uint32_t wide_window16_check(const void *record, uint32_t arena_bytes) {
    const midge_window16_t *op = record;
    if (op->in_h == 0 || op->in_w == 0 || op->in_c == 0 || op->out_h == 0 || op->out_w == 0
        || op->out_c == 0 || op->kernel_h == 0 || op->kernel_w == 0 || op->stride_h == 0
        || op->stride_w == 0 || op->dilation_h == 0 || op->dilation_w == 0
        || op->clamp_min > op->clamp_max || ((op->input | op->output) & 1)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times(midge_times((uint32_t)op->in_h * op->in_w,
            op->in_c), 2), arena_bytes)
        || !midge_fits(op->output, midge_times(midge_times((uint32_t)op->out_h * op->out_w,
            op->out_c), 2), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t wide_conv16_check(const void *record, uint32_t arena_bytes) {
    const midge_window16_t *op = record;
    const uint32_t window16 = wide_window16_check(op, arena_bytes);
    if (window16) {
        return window16;
    }
    if (op->code == MIDGE_DEPTHWISE_CONV_2D) {
        if (midge_divide(op->out_c, op->in_c) * op->in_c != op->out_c) {
            return MIDGE_BAD_PARAMETER;
        }
    }
    if (op->flags > 1 || (uint32_t)op->blocks * op->block_channels != op->out_c) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits((uint32_t)op->block_channels * 12,
            midge_times(midge_times((uint32_t)op->block_channels * op->kernel_h, op->kernel_w),
            (op->code == MIDGE_DEPTHWISE_CONV_2D ? 1 : op->in_c)), op->block_bytes)) {
        return MIDGE_BAD_WEIGHTS;
    }
    return MIDGE_OK;
}

static uint32_t wide_pool16_check(const void *record, uint32_t arena_bytes) {
    const midge_window16_t *op = record;
    const uint32_t window16 = wide_window16_check(op, arena_bytes);
    if (window16) {
        return window16;
    }
    if (op->in_c != op->out_c || (uint32_t)op->kernel_h * op->kernel_w > 65536) {
        return MIDGE_BAD_PARAMETER;
    }
    return MIDGE_OK;
}

static uint32_t wide_mean16_check(const void *record, uint32_t arena_bytes) {
    const midge_reduce_t *op = record;
    if (op->outer == 0 || op->inner == 0 || !midge_is_rescale(op->multiplier, op->shift)
        || op->reduce < 1 || op->reduce > 65536 || ((op->input | op->output) & 1)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times(midge_times(midge_times(op->outer, op->reduce),
            op->inner), 2), arena_bytes)
        || !midge_fits(op->output, midge_times(midge_times(op->outer, op->inner), 2),
            arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t wide_softmax16_check(const void *record, uint32_t arena_bytes) {
    const midge_softmax_t *op = record;
    if (op->flags > 1 || op->depth < 1 || op->depth > 4095 || (op->output & 1)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (op->flags & 1) {
        if (op->multiplier < 0 || op->shift < 0 || op->shift > 30 || op->diff_min > 0) {
            return MIDGE_BAD_PARAMETER;
        }
        if (op->blocks != 0) {
            return MIDGE_BAD_WEIGHTS;
        }
    } else {
        if (!midge_is_rescale(op->multiplier, op->shift) || (op->input & 1)) {
            return MIDGE_BAD_PARAMETER;
        }
        if (op->blocks != 1 || op->block_bytes < 2052) {
            return MIDGE_BAD_WEIGHTS;
        }
    }
    if (!midge_fits(op->input, midge_times(midge_times(op->rows, op->depth), (op->flags & 1 ? 1
            : 2)), arena_bytes)
        || !midge_fits(op->output, midge_times(midge_times(op->rows, op->depth), 2),
            arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t wide_arithmetic_check(const void *record, uint32_t arena_bytes) {
    const midge_arithmetic_t *op = record;
    if (op->flags > 10 || midge_elements(op->shape, 5, 0) == 0
        || !midge_is_rescale(op->multiplier1, op->shift1)
        || !midge_is_rescale(op->multiplier2, op->shift2)
        || !midge_is_rescale(op->multiplier, op->shift) || op->clamp_min > op->clamp_max
        || ((op->input | op->input2 | op->output) & 1)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times(midge_elements(op->shape, 5, op->repeat1), 2),
            arena_bytes)
        || !midge_fits(op->input2, midge_times(midge_elements(op->shape, 5, op->repeat2), 2),
            arena_bytes)
        || !midge_fits(op->output, midge_times(midge_elements(op->shape, 5, 0), 2),
            arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t wide_sigmoid16_check(const void *record, uint32_t arena_bytes) {
    const midge_function16_t *op = record;
    if (op->multiplier < 0 || op->multiplier > 32767 || op->shift > 31
        || ((op->input | op->output) & 1)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (op->blocks != 1 || op->block_bytes < 512) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, midge_times(op->count, 2), arena_bytes)
        || !midge_fits(op->output, midge_times(op->count, 2), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t wide_batch_matmul_check(const void *record, uint32_t arena_bytes) {
    const midge_matmul_t *op = record;
    if (op->flags > 3 || op->depth < 1 || midge_elements(op->batch, 3, 0) == 0 || op->rows == 0
        || op->columns == 0 || !midge_is_rescale(op->multiplier, op->shift) || op->shift > 7
        || ((op->input | op->input2 | op->output) & 1)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (op->blocks != 0) {
        if (op->blocks != 1 || op->block_bytes < (uint32_t)4 * op->columns) {
            return MIDGE_BAD_WEIGHTS;
        }
    }
    if (!midge_fits(op->input, midge_times(midge_times(midge_times(midge_elements(op->batch, 3,
            op->repeat1), op->rows), op->depth), 2), arena_bytes)
        || !midge_fits(op->input2,
            midge_times(midge_times(midge_times(midge_elements(op->batch, 3, op->repeat2),
            op->depth), op->columns), 2), arena_bytes)
        || !midge_fits(op->output,
            midge_times(midge_times(midge_times(midge_elements(op->batch, 3, 0), op->rows),
            op->columns), 2), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

#ifndef MIDGE_RUN_CONV16
#define MIDGE_RUN_CONV16 midge_conv16
#endif
void MIDGE_RUN_CONV16(const midge_call_t *call);

#ifndef MIDGE_RUN_POOL16
#define MIDGE_RUN_POOL16 midge_pool16
#endif
void MIDGE_RUN_POOL16(const midge_call_t *call);

#ifndef MIDGE_RUN_MEAN16
#define MIDGE_RUN_MEAN16 midge_mean16
#endif
void MIDGE_RUN_MEAN16(const midge_call_t *call);

#ifndef MIDGE_RUN_SOFTMAX16
#define MIDGE_RUN_SOFTMAX16 midge_softmax16
#endif
void MIDGE_RUN_SOFTMAX16(const midge_call_t *call);

#ifndef MIDGE_RUN_ARITHMETIC
#define MIDGE_RUN_ARITHMETIC midge_arithmetic
#endif
void MIDGE_RUN_ARITHMETIC(const midge_call_t *call);

#ifndef MIDGE_RUN_SIGMOID16
#define MIDGE_RUN_SIGMOID16 midge_sigmoid16
#endif
void MIDGE_RUN_SIGMOID16(const midge_call_t *call);

#ifndef MIDGE_RUN_BATCH_MATMUL
#define MIDGE_RUN_BATCH_MATMUL midge_batch_matmul
#endif
void MIDGE_RUN_BATCH_MATMUL(const midge_call_t *call);

static const midge_operator_t wide_operators[] = {
    [MIDGE_CONV_2D - 1] = {wide_conv16_check, MIDGE_RUN_CONV16},
    [MIDGE_DEPTHWISE_CONV_2D - 1] = {wide_conv16_check, MIDGE_RUN_CONV16},
    [MIDGE_FULLY_CONNECTED - 1] = {wide_conv16_check, MIDGE_RUN_CONV16},
    [MIDGE_AVERAGE_POOL_2D - 1] = {wide_pool16_check, MIDGE_RUN_POOL16},
    [MIDGE_MAX_POOL_2D - 1] = {wide_pool16_check, MIDGE_RUN_POOL16},
    [MIDGE_MEAN - 1] = {wide_mean16_check, MIDGE_RUN_MEAN16},
    [MIDGE_SOFTMAX - 1] = {wide_softmax16_check, MIDGE_RUN_SOFTMAX16},
    [MIDGE_ARITHMETIC - 1] = {wide_arithmetic_check, MIDGE_RUN_ARITHMETIC},
    [MIDGE_LOGISTIC - 1] = {wide_sigmoid16_check, MIDGE_RUN_SIGMOID16},
    [MIDGE_TANH - 1] = {wide_sigmoid16_check, MIDGE_RUN_SIGMOID16},
    [MIDGE_BATCH_MATMUL - 1] = {wide_batch_matmul_check, MIDGE_RUN_BATCH_MATMUL},
};

static int wide_narrow(void *record, uint32_t part, uint32_t parts) {
    midge_window16_t *op = record;
    const midge_image_t image = {
        .in_h = &op->in_h,
        .out_h = &op->out_h,
        .pad_top = &op->pad_top,
        .input = &op->input,
        .output = &op->output,
        .scratch = &op->scratch,
        .scratch_bytes = &op->scratch_bytes,
        .stride = op->stride_h,
        .in_row = (uint32_t)op->in_w * op->in_c * 2,
        .out_row = (uint32_t)op->out_w * op->out_c * 2,
    };
    return midge_narrow(image, part, parts);
}

static const midge_bank_t wide_bank = {
    wide_operators, 1, 0x0, 0x80d0bf, 0xc087, 0x1f, wide_narrow,
};

#endif

#if MIDGE_HAS(MIDGE_BANK_RECURRENT)

static uint32_t recurrent_lstm_check(const void *record, uint32_t arena_bytes) {
    const midge_lstm_t *op = record;
    if (op->flags > 1 || op->batch == 0 || op->steps == 0 || op->depth == 0 || op->cells == 0
        || !midge_is_rescale(op->multiplier, op->shift) || op->cell_clip > 32768
        || op->cell_power < -27 || op->cell_power > 0 || (op->input3 & 1)
        || ((op->input | op->input2 | op->output) & ((op->types == MIDGE_DTYPE_INT16 ? 2 : 1) -
            1))) {
        return MIDGE_BAD_PARAMETER;
    }
    for (int i = 0; i < 8; i++) {
        if (op->shifts[i] < -31 || op->shifts[i] > (op->types == MIDGE_DTYPE_INT16 ? 7 : 30)) {
            return MIDGE_BAD_PARAMETER;
        }
    }
    if (op->blocks != 1
        || !midge_fits(544, midge_times((uint32_t)op->cells * 4, (8 + op->depth + op->cells)),
            op->block_bytes)) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, midge_times(midge_times((uint32_t)(op->flags & 1 ? op->steps :
            op->batch) * (op->flags & 1 ? op->batch : op->steps), op->depth), (op->types ==
            MIDGE_DTYPE_INT16 ? 2 : 1)), arena_bytes)
        || !midge_fits(op->input2, midge_times((uint32_t)op->batch * op->cells, (op->types ==
            MIDGE_DTYPE_INT16 ? 2 : 1)), arena_bytes)
        || !midge_fits(op->input3, midge_times((uint32_t)op->batch * op->cells, 2),
            arena_bytes)
        || !midge_fits(op->output, midge_times(midge_times((uint32_t)(op->flags & 1 ? op->steps
            : op->batch) * (op->flags & 1 ? op->batch : op->steps), op->cells), (op->types ==
            MIDGE_DTYPE_INT16 ? 2 : 1)), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t recurrent_svdf_check(const void *record, uint32_t arena_bytes) {
    const midge_svdf_t *op = record;
    if (op->flags > 1 || op->batch == 0 || op->units == 0 || op->rank == 0 || op->memory == 0
        || op->depth == 0 || (op->input2 & ((op->flags & 1 ? 2 : 1) - 1))
        || !midge_is_rescale(op->multiplier1, op->shift1)
        || !midge_is_rescale(op->multiplier2, op->shift2)
        || (uint32_t)op->blocks * op->block_units != op->units) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits((uint32_t)op->block_units * 4, midge_times((uint32_t)op->block_units *
            op->rank, (4 + (uint32_t)op->memory * (op->flags & 1 ? 2 : 1) + op->depth)),
            op->block_bytes)) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, (uint32_t)op->batch * op->depth, arena_bytes)
        || !midge_fits(op->input2, midge_times(midge_times(midge_times((uint32_t)op->batch *
            op->units, op->rank), op->memory), (op->flags & 1 ? 2 : 1)), arena_bytes)
        || !midge_fits(op->output, (uint32_t)op->batch * op->units, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

#ifndef MIDGE_RUN_LSTM
#define MIDGE_RUN_LSTM midge_lstm
#endif
void MIDGE_RUN_LSTM(const midge_call_t *call);

#ifndef MIDGE_RUN_SVDF
#define MIDGE_RUN_SVDF midge_svdf
#endif
void MIDGE_RUN_SVDF(const midge_call_t *call);

static const midge_operator_t recurrent_operators[] = {
    [MIDGE_LSTM - 17] = {recurrent_lstm_check, MIDGE_RUN_LSTM},
    [MIDGE_SVDF - 17] = {recurrent_svdf_check, MIDGE_RUN_SVDF},
};

static const midge_bank_t recurrent_bank = {
    recurrent_operators, 17, 0x3, 0x1, 0x3, 0x0, 0,
};

#endif

#if MIDGE_HAS(MIDGE_BANK_MATH)

static uint32_t math_rows_check(const void *record, uint32_t arena_bytes) {
    const midge_softmax_t *op = record;
    if (op->depth < 1 || op->depth > 4095 || op->multiplier < 0 || op->shift < 0
        || op->shift > 30 || op->diff_min > 0) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times(op->rows, op->depth), arena_bytes)
        || !midge_fits(op->output, midge_times(op->rows, op->depth), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t math_arg_max_check(const void *record, uint32_t arena_bytes) {
    const midge_reduce_t *op = record;
    if (op->outer == 0 || op->reduce == 0 || op->inner == 0 || (op->output & 3)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times(midge_times(op->outer, op->reduce), op->inner),
            arena_bytes)
        || !midge_fits(op->output, midge_times(midge_times(op->outer, op->inner), 4),
            arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t math_resize_check(const void *record, uint32_t arena_bytes) {
    const midge_resize_t *op = record;
    if (op->batch == 0 || op->in_h == 0 || op->in_w == 0 || op->in_c == 0 || op->out_h == 0
        || op->out_w == 0) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times(midge_times((uint32_t)op->batch * op->in_h,
            op->in_w), op->in_c), arena_bytes)
        || !midge_fits(op->output, midge_times(midge_times((uint32_t)op->batch * op->out_h,
            op->out_w), op->in_c), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t math_resize_nearest_check(const void *record, uint32_t arena_bytes) {
    const midge_resize_t *op = record;
    if (op->blocks != 1 || op->block_bytes < (uint32_t)2 * (op->out_h + op->out_w)) {
        return MIDGE_BAD_WEIGHTS;
    }
    const uint32_t resize = math_resize_check(op, arena_bytes);
    if (resize) {
        return resize;
    }
    return MIDGE_OK;
}

static uint32_t math_resize_bilinear_check(const void *record, uint32_t arena_bytes) {
    const midge_resize_t *op = record;
    const uint32_t resize = math_resize_check(op, arena_bytes);
    if (resize) {
        return resize;
    }
    if (!midge_resize_inside(op, arena_bytes)) {
        return MIDGE_BAD_PARAMETER;
    }
    return MIDGE_OK;
}

static uint32_t math_l2_normalization_check(const void *record, uint32_t arena_bytes) {
    const midge_normalize_t *op = record;
    if (op->depth < 1 || op->depth > 33025) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times(op->rows, op->depth), arena_bytes)
        || !midge_fits(op->output, midge_times(op->rows, op->depth), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t math_batch_matmul_check(const void *record, uint32_t arena_bytes) {
    const midge_matmul_t *op = record;
    if (op->flags > 3 || op->depth < 1 || op->depth > 33025
        || midge_elements(op->batch, 3, 0) == 0 || op->rows == 0 || op->columns == 0
        || !midge_is_rescale(op->multiplier, op->shift) || op->shift > 30) {
        return MIDGE_BAD_PARAMETER;
    }
    if (op->blocks != 0) {
        if (op->blocks != 1 || op->block_bytes < (uint32_t)4 * op->columns) {
            return MIDGE_BAD_WEIGHTS;
        }
    }
    if (!midge_fits(op->input, midge_times(midge_times(midge_elements(op->batch, 3,
            op->repeat1), op->rows), op->depth), arena_bytes)
        || !midge_fits(op->input2, midge_times(midge_times(midge_elements(op->batch, 3,
            op->repeat2), op->depth), op->columns), arena_bytes)
        || !midge_fits(op->output, midge_times(midge_times(midge_elements(op->batch, 3, 0),
            op->rows), op->columns), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t math_div_check(const void *record, uint32_t arena_bytes) {
    const midge_arithmetic_t *op = record;
    if (midge_elements(op->shape, 5, 0) == 0 || !midge_is_rescale(op->multiplier, op->shift)
        || op->shift > 22 || op->clamp_min > op->clamp_max || op->clamp_min < -128
        || op->clamp_max > 127) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_elements(op->shape, 5, op->repeat1), arena_bytes)
        || !midge_fits(op->input2, midge_elements(op->shape, 5, op->repeat2), arena_bytes)
        || !midge_fits(op->output, midge_elements(op->shape, 5, 0), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t math_cumsum_check(const void *record, uint32_t arena_bytes) {
    const midge_sums_t *op = record;
    if (op->flags > 7 || op->outer == 0 || op->reduce == 0 || op->inner == 0
        || op->left_shift < 0 || op->left_shift > 19
        || !midge_is_rescale(op->multiplier, op->shift)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, midge_times(midge_times(op->outer, op->reduce), op->inner),
            arena_bytes)
        || !midge_fits(op->output, midge_times(midge_times(op->outer, (op->flags & 4 ? 1 :
            op->reduce)), op->inner), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t math_gather_check(const void *record, uint32_t arena_bytes) {
    const midge_gather_t *op = record;
    if (op->flags > 1 || op->outer == 0 || op->size == 0 || op->inner == 0 || (op->input & 3)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (op->flags & 1) {
        if (op->outer != 1 || op->block_rows == 0) {
            return MIDGE_BAD_PARAMETER;
        }
        if ((uint32_t)op->blocks * op->block_rows < op->size
            || op->block_bytes < (uint32_t)op->block_rows * op->inner) {
            return MIDGE_BAD_WEIGHTS;
        }
    }
    if (!midge_fits(op->input, midge_times(op->count, 4), arena_bytes)
        || !midge_fits(op->input2, midge_times((uint32_t)(op->flags & 1 ? 0 : op->outer) *
            op->size, op->inner), arena_bytes)
        || !midge_fits(op->output, midge_times(midge_times(op->outer, op->count), op->inner),
            arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

#ifndef MIDGE_RUN_LOG_SOFTMAX
#define MIDGE_RUN_LOG_SOFTMAX midge_log_softmax
#endif
void MIDGE_RUN_LOG_SOFTMAX(const midge_call_t *call);

#ifndef MIDGE_RUN_ARG_MAX
#define MIDGE_RUN_ARG_MAX midge_arg_max
#endif
void MIDGE_RUN_ARG_MAX(const midge_call_t *call);

#ifndef MIDGE_RUN_RESIZE_NEAREST
#define MIDGE_RUN_RESIZE_NEAREST midge_resize_nearest
#endif
void MIDGE_RUN_RESIZE_NEAREST(const midge_call_t *call);

#ifndef MIDGE_RUN_RESIZE_BILINEAR
#define MIDGE_RUN_RESIZE_BILINEAR midge_resize_bilinear
#endif
void MIDGE_RUN_RESIZE_BILINEAR(const midge_call_t *call);

#ifndef MIDGE_RUN_L2_NORMALIZATION
#define MIDGE_RUN_L2_NORMALIZATION midge_l2_normalization
#endif
void MIDGE_RUN_L2_NORMALIZATION(const midge_call_t *call);

#ifndef MIDGE_RUN_BATCH_MATMUL
#define MIDGE_RUN_BATCH_MATMUL midge_batch_matmul
#endif
void MIDGE_RUN_BATCH_MATMUL(const midge_call_t *call);

#ifndef MIDGE_RUN_DIV
#define MIDGE_RUN_DIV midge_div
#endif
void MIDGE_RUN_DIV(const midge_call_t *call);

#ifndef MIDGE_RUN_CUMSUM
#define MIDGE_RUN_CUMSUM midge_cumsum
#endif
void MIDGE_RUN_CUMSUM(const midge_call_t *call);

#ifndef MIDGE_RUN_GATHER
#define MIDGE_RUN_GATHER midge_gather
#endif
void MIDGE_RUN_GATHER(const midge_call_t *call);

static const midge_operator_t math_operators[] = {
    [MIDGE_LOG_SOFTMAX - 19] = {math_rows_check, MIDGE_RUN_LOG_SOFTMAX},
    [MIDGE_ARG_MAX - 19] = {math_arg_max_check, MIDGE_RUN_ARG_MAX},
    [MIDGE_RESIZE_NEAREST_NEIGHBOR - 19] = {math_resize_nearest_check, MIDGE_RUN_RESIZE_NEAREST},
    [MIDGE_RESIZE_BILINEAR - 19] = {math_resize_bilinear_check, MIDGE_RUN_RESIZE_BILINEAR},
    [MIDGE_L2_NORMALIZATION - 19] = {math_l2_normalization_check, MIDGE_RUN_L2_NORMALIZATION},
    [MIDGE_BATCH_MATMUL - 19] = {math_batch_matmul_check, MIDGE_RUN_BATCH_MATMUL},
    [MIDGE_DIV - 19] = {math_div_check, MIDGE_RUN_DIV},
    [MIDGE_CUMSUM - 19] = {math_cumsum_check, MIDGE_RUN_CUMSUM},
    [MIDGE_GATHER - 19] = {math_gather_check, MIDGE_RUN_GATHER},
};

static const midge_bank_t math_bank = {
    math_operators, 19, 0xe3f, 0x0, 0x824, 0x0, 0,
};

#endif

#if MIDGE_HAS(MIDGE_BANK_TREES)

static uint32_t trees_trees_check(const void *record, uint32_t arena_bytes) {
    const midge_trees_t *op = record;
    if (op->flags > 7 || op->features == 0 || op->outputs == 0
        || ((op->input | op->output) & 3)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (op->place_bits > 21) {
        return MIDGE_BAD_PARAMETER;
    }
    if (op->blocks != 1
        || op->block_bytes < ((op->flags & 1 ? (uint32_t)8 * op->outputs : 0) + (uint32_t)4 *
            op->trees + (uint32_t)(op->types == MIDGE_DTYPE_INT16 ? 5 : 8) * op->nodes +
            (uint32_t)(op->types == MIDGE_DTYPE_INT16 ? 2 : 8) * op->values +
            (uint32_t)(op->types == MIDGE_DTYPE_INT16 ? 2 : 4) * op->entries + (uint32_t)2 *
            op->leaves)) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, (uint32_t)op->features * (op->types == MIDGE_DTYPE_INT16 ? 2 :
            4), arena_bytes) || !midge_fits(op->output, (uint32_t)op->outputs * 8, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t trees_scores_check(const void *record, uint32_t arena_bytes) {
    const midge_scores_t *op = record;
    if (op->flags > 7 || op->sums == 0 || op->outputs == 0 || ((op->input | op->output) & 3)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (op->flags & 4) {
        if (op->sums != 1 || op->outputs != 2) {
            return MIDGE_BAD_PARAMETER;
        }
    } else {
        if (op->sums != op->outputs) {
            return MIDGE_BAD_PARAMETER;
        }
    }
    if (!midge_fits(op->input, (uint32_t)op->sums * 8, arena_bytes)
        || !midge_fits(op->output, (uint32_t)op->outputs * 4, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t trees_affine_check(const void *record, uint32_t arena_bytes) {
    const midge_affine_t *op = record;
    if (op->flags > 3 || op->activation > 3 || op->inputs == 0 || op->outputs == 0
        || op->rows == 0 || (uint32_t)op->blocks * op->rows != op->outputs
        || ((op->input | op->output) & 3)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits((uint32_t)8 * op->rows, midge_times((uint32_t)op->rows * op->inputs, 4),
            op->block_bytes)) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, (uint32_t)op->inputs * (op->flags & 1 ? 8 : 4), arena_bytes)
        || !midge_fits(op->output, (uint32_t)op->outputs * (op->flags & 2 ? 4 : 8),
            arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t trees_scaler_check(const void *record, uint32_t arena_bytes) {
    const midge_scaler_t *op = record;
    if (op->flags > 3 || op->count == 0 || ((op->input | op->output) & 3)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (op->blocks != 1 || op->block_bytes < (uint32_t)16 * op->count) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, (uint32_t)op->count * 4, arena_bytes)
        || !midge_fits(op->output, (uint32_t)op->count * 4, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t trees_distances_check(const void *record, uint32_t arena_bytes) {
    const midge_affine_t *op = record;
    if (op->flags > 1 || op->activation > 3 || op->inputs == 0 || op->outputs == 0
        || op->rows == 0 || (uint32_t)op->blocks * op->rows != op->outputs
        || ((op->input | op->output) & 3)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits((uint32_t)8 * op->rows, midge_times((uint32_t)op->rows * op->inputs, 8),
            op->block_bytes)) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, (uint32_t)op->inputs * (op->flags & 1 ? 8 : 4), arena_bytes)
        || !midge_fits(op->output, (uint32_t)op->outputs * 8, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t trees_nearest_check(const void *record, uint32_t arena_bytes) {
    const midge_nearest_t *op = record;
    if (op->flags > 3 || op->inputs == 0 || op->neighbors == 0 || op->rows == 0
        || op->table == 0 || ((op->input | op->output) & 3)) {
        return MIDGE_BAD_PARAMETER;
    }
    if ((uint32_t)op->blocks * op->rows != op->table
        || !midge_fits((uint32_t)8 * op->rows, midge_times((uint32_t)op->rows * op->inputs,
            (op->flags & 2 ? 8 : 4)), op->block_bytes)) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, (uint32_t)op->inputs * (op->flags & 1 ? 8 : 4), arena_bytes)
        || !midge_fits(op->output, (uint32_t)op->neighbors * 2 * 8, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t trees_votes_check(const void *record, uint32_t arena_bytes) {
    const midge_votes_t *op = record;
    if (op->flags > 3 || op->neighbors == 0 || op->outputs == 0
        || ((op->input | op->output) & 3)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(op->input, (uint32_t)op->neighbors * 2 * 8, arena_bytes)
        || !midge_fits(op->output, (uint32_t)op->outputs * 8, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t trees_codes_check(const void *record, uint32_t arena_bytes) {
    const midge_codes_t *op = record;
    if (op->flags != 0 || op->count == 0 || ((op->input | op->output) & 3)) {
        return MIDGE_BAD_PARAMETER;
    }
    if (op->blocks != 1 || op->block_bytes < (uint32_t)4 * op->count) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, (uint32_t)op->count * 4, arena_bytes)
        || !midge_fits(op->output, (uint32_t)op->count * 2, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

#ifndef MIDGE_RUN_TREES
#define MIDGE_RUN_TREES midge_trees
#endif
void MIDGE_RUN_TREES(const midge_call_t *call);

#ifndef MIDGE_RUN_SCORES
#define MIDGE_RUN_SCORES midge_scores
#endif
void MIDGE_RUN_SCORES(const midge_call_t *call);

#ifndef MIDGE_RUN_AFFINE
#define MIDGE_RUN_AFFINE midge_affine
#endif
void MIDGE_RUN_AFFINE(const midge_call_t *call);

#ifndef MIDGE_RUN_SCALE_FLOATS
#define MIDGE_RUN_SCALE_FLOATS midge_scale_floats
#endif
void MIDGE_RUN_SCALE_FLOATS(const midge_call_t *call);

#ifndef MIDGE_RUN_DISTANCES
#define MIDGE_RUN_DISTANCES midge_distances
#endif
void MIDGE_RUN_DISTANCES(const midge_call_t *call);

#ifndef MIDGE_RUN_NEAREST
#define MIDGE_RUN_NEAREST midge_nearest
#endif
void MIDGE_RUN_NEAREST(const midge_call_t *call);

#ifndef MIDGE_RUN_VOTES
#define MIDGE_RUN_VOTES midge_votes
#endif
void MIDGE_RUN_VOTES(const midge_call_t *call);

#ifndef MIDGE_RUN_CODES
#define MIDGE_RUN_CODES midge_codes
#endif
void MIDGE_RUN_CODES(const midge_call_t *call);

static const midge_operator_t trees_operators[] = {
    [MIDGE_TREES - 64] = {trees_trees_check, MIDGE_RUN_TREES},
    [MIDGE_SCORES - 64] = {trees_scores_check, MIDGE_RUN_SCORES},
    [MIDGE_AFFINE - 64] = {trees_affine_check, MIDGE_RUN_AFFINE},
    [MIDGE_SCALE - 64] = {trees_scaler_check, MIDGE_RUN_SCALE_FLOATS},
    [MIDGE_DISTANCES - 64] = {trees_distances_check, MIDGE_RUN_DISTANCES},
    [MIDGE_NEAREST - 64] = {trees_nearest_check, MIDGE_RUN_NEAREST},
    [MIDGE_VOTES - 64] = {trees_votes_check, MIDGE_RUN_VOTES},
    [MIDGE_CODES - 64] = {trees_codes_check, MIDGE_RUN_CODES},
};

static const midge_bank_t trees_bank = {
    trees_operators, 64, 0xff, 0x1, 0xbd, 0x0, 0,
};

#endif

#if MIDGE_HAS(MIDGE_BANK_AUDIO)

static uint32_t audio_spectrum_check(const void *record, uint32_t arena_bytes) {
    const midge_spectrum_t *op = record;
    if (op->flags > 1 || op->window_shift > 15
        || (op->points != 64 && op->points != 128 && op->points != 256 && op->points != 512 &&
            op->points != 1024 && op->points != 2048) || op->size == 0
        || midge_divide(op->size, 8) * 8 != op->size || op->size > (uint32_t)op->points * 2
        || ((op->input | op->output) & 3) || op->blocks != 1) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits((uint32_t)2 * (op->points + 1), ((op->size + 1) / 2), op->block_bytes)) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, (uint32_t)op->size * 2, arena_bytes)
        || !midge_fits(op->output, (uint32_t)(op->points + 2) * 4, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t audio_filter_bank_check(const void *record, uint32_t arena_bytes) {
    const midge_filter_bank_t *op = record;
    if (op->flags > 3 || op->smoothing_bits > 16 || op->remaining > 16384 || op->snr_shift > 16
        || op->correction_bits > 16 || op->channels == 0 || op->shift > 31 || op->blocks != 1
        || ((op->input | op->input2) & 3)
        || (op->output & ((op->types == MIDGE_DTYPE_INT16 ? 2 : 1) - 1))) {
        return MIDGE_BAD_PARAMETER;
    }
    for (int i = 0; i < 2; i++) {
        if (op->smoothing[i] > 16384) {
            return MIDGE_BAD_PARAMETER;
        }
    }
    if (!midge_fits(((uint32_t)2 * op->columns + op->channels + 259), (op->flags & 2 ? 130 :
            0), op->block_bytes)) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, (uint32_t)(op->bins + 1) * 4, arena_bytes)
        || !midge_fits(op->input2, (uint32_t)op->channels * 4, arena_bytes)
        || !midge_fits(op->output, (uint32_t)op->channels * (op->types == MIDGE_DTYPE_INT16 ? 2
            : 1), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

#ifndef MIDGE_RUN_SPECTRUM
#define MIDGE_RUN_SPECTRUM midge_spectrum
#endif
void MIDGE_RUN_SPECTRUM(const midge_call_t *call);

#ifndef MIDGE_RUN_FILTER_BANK
#define MIDGE_RUN_FILTER_BANK midge_filter_bank
#endif
void MIDGE_RUN_FILTER_BANK(const midge_call_t *call);

static const midge_operator_t audio_operators[] = {
    [MIDGE_SPECTRUM - 72] = {audio_spectrum_check, MIDGE_RUN_SPECTRUM},
    [MIDGE_FILTER_BANK - 72] = {audio_filter_bank_check, MIDGE_RUN_FILTER_BANK},
};

static const midge_bank_t audio_bank = {
    audio_operators, 72, 0x2, 0x3, 0x3, 0x0, 0,
};

#endif

#if MIDGE_HAS(MIDGE_BANK_MEL)

static uint32_t mel_magnitudes_check(const void *record, uint32_t arena_bytes) {
    const midge_magnitudes_t *op = record;
    if ((op->points != 16 && op->points != 32 && op->points != 64 && op->points != 128 &&
            op->points != 256 && op->points != 512 && op->points != 1024 && op->points != 2048)
        || op->size == 0 || op->bins == 0 || midge_divide(op->size, 2) * 2 != op->size
        || op->size > (uint32_t)op->points * 2 || op->bins > (op->points + 1)
        || op->is_power > 1 || (op->input & 1) || (op->output & 3) || op->blocks != 1) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits((uint32_t)op->points * 2, ((uint32_t)op->size * 4 + 4), op->block_bytes)) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, (uint32_t)op->size * 2, arena_bytes)
        || !midge_fits(op->output, (uint32_t)op->points * (op->is_power + 2) * 4, arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t mel_cepstrum_check(const void *record, uint32_t arena_bytes) {
    const midge_cepstrum_t *op = record;
    if (op->bins == 0 || op->bands == 0 || op->values == 0 || op->bands > 128 || op->unit > 63
        || op->epsilon_shift > 15 || (op->input & 3)
        || (op->output & ((op->types == MIDGE_DTYPE_INT16 ? 2 : 1) - 1)) || op->blocks != 1) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits((uint32_t)4 * (op->bands + 10 + op->columns),
            midge_times((uint32_t)op->values * op->bands, 4), op->block_bytes)) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, (uint32_t)(op->bins + 1) * 4, arena_bytes)
        || !midge_fits(op->output, (uint32_t)op->values * (op->types == MIDGE_DTYPE_INT16 ? 2 :
            1), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t mel_log_mel_check(const void *record, uint32_t arena_bytes) {
    const midge_log_mel_t *op = record;
    if (op->bins == 0 || op->bands == 0 || op->bands > 128 || (op->input & 3)
        || (op->output & ((op->types == MIDGE_DTYPE_INT16 ? 2 : 1) - 1)) || op->blocks != 1) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits((uint32_t)4 * (op->bands + 10 + op->columns), (uint32_t)op->bands * 4,
            op->block_bytes)) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, ((uint32_t)op->bins * 2 + 1) * 4, arena_bytes)
        || !midge_fits(op->output, (uint32_t)op->bands * (op->types == MIDGE_DTYPE_INT16 ? 2 :
            1), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

#ifndef MIDGE_RUN_MAGNITUDES
#define MIDGE_RUN_MAGNITUDES midge_magnitudes
#endif
void MIDGE_RUN_MAGNITUDES(const midge_call_t *call);

#ifndef MIDGE_RUN_CEPSTRUM
#define MIDGE_RUN_CEPSTRUM midge_cepstrum
#endif
void MIDGE_RUN_CEPSTRUM(const midge_call_t *call);

#ifndef MIDGE_RUN_LOG_MEL
#define MIDGE_RUN_LOG_MEL midge_log_mel
#endif
void MIDGE_RUN_LOG_MEL(const midge_call_t *call);

static const midge_operator_t mel_operators[] = {
    [MIDGE_MAGNITUDES - 80] = {mel_magnitudes_check, MIDGE_RUN_MAGNITUDES},
    [MIDGE_CEPSTRUM - 80] = {mel_cepstrum_check, MIDGE_RUN_CEPSTRUM},
    [MIDGE_LOG_MEL - 80] = {mel_log_mel_check, MIDGE_RUN_LOG_MEL},
};

static const midge_bank_t mel_bank = {
    mel_operators, 80, 0x6, 0x7, 0x7, 0x0, 0,
};

#endif

#if MIDGE_HAS(MIDGE_BANK_SERIES)

static uint32_t series_series_features_check(const void *record, uint32_t arena_bytes) {
    const midge_series_features_t *op = record;
    if (op->flags > 7 || op->rows < 2 || op->rows > 4096 || op->channels == 0
        || op->features == 0 || (op->input & 1)
        || (op->output & ((op->flags & 2 ? 1 : (op->flags & 4 ? 2 : 4)) - 1))
        || op->blocks != 1) {
        return MIDGE_BAD_PARAMETER;
    }
    if (!midge_fits(((uint32_t)4 * ((op->features + 3) / 4) + (op->flags & 1 ? (uint32_t)4 *
            op->rows : 0)), (op->flags & 6 ? midge_times((uint32_t)op->channels * op->features,
            12) : 0), op->block_bytes)) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, midge_times((uint32_t)op->rows * op->channels, 2), arena_bytes)
        || !midge_fits(op->output, midge_times((uint32_t)op->channels * op->features,
            (op->flags & 2 ? 1 : (op->flags & 4 ? 2 : 4))), arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

static uint32_t series_series_filter_check(const void *record, uint32_t arena_bytes) {
    const midge_series_filter_t *op = record;
    if (op->rows == 0 || op->channels == 0 || op->sections == 0 || op->rows > 4096
        || op->sections > 8 || ((op->input | op->output) & 1) || op->blocks != 1) {
        return MIDGE_BAD_PARAMETER;
    }
    if (op->block_bytes < (uint32_t)24 * op->sections) {
        return MIDGE_BAD_WEIGHTS;
    }
    if (!midge_fits(op->input, midge_times((uint32_t)op->rows * op->channels, 2), arena_bytes)
        || !midge_fits(op->output, midge_times((uint32_t)op->rows * op->channels, 2),
            arena_bytes)) {
        return MIDGE_BAD_TENSOR;
    }
    return MIDGE_OK;
}

#ifndef MIDGE_RUN_SERIES_FEATURES
#define MIDGE_RUN_SERIES_FEATURES midge_series_features
#endif
void MIDGE_RUN_SERIES_FEATURES(const midge_call_t *call);

#ifndef MIDGE_RUN_SERIES_FILTER
#define MIDGE_RUN_SERIES_FILTER midge_series_filter
#endif
void MIDGE_RUN_SERIES_FILTER(const midge_call_t *call);

static const midge_operator_t series_operators[] = {
    [MIDGE_SERIES_FEATURES - 76] = {series_series_features_check, MIDGE_RUN_SERIES_FEATURES},
    [MIDGE_SERIES_FILTER - 76] = {series_series_filter_check, MIDGE_RUN_SERIES_FILTER},
};

static const midge_bank_t series_bank = {
    series_operators, 76, 0x0, 0x3, 0x3, 0x0, 0,
};

#endif

static inline const midge_bank_t *midge_bank(uint32_t number) {
    switch (number) {
#if MIDGE_HAS(MIDGE_BANK_CORE)
    case MIDGE_BANK_CORE:
        return &core_bank;
#endif
#if MIDGE_HAS(MIDGE_BANK_TENSOR)
    case MIDGE_BANK_TENSOR:
        return &tensor_bank;
#endif
#if MIDGE_HAS(MIDGE_BANK_WIDE)
    case MIDGE_BANK_WIDE:
        return &wide_bank;
#endif
#if MIDGE_HAS(MIDGE_BANK_RECURRENT)
    case MIDGE_BANK_RECURRENT:
        return &recurrent_bank;
#endif
#if MIDGE_HAS(MIDGE_BANK_MATH)
    case MIDGE_BANK_MATH:
        return &math_bank;
#endif
#if MIDGE_HAS(MIDGE_BANK_TREES)
    case MIDGE_BANK_TREES:
        return &trees_bank;
#endif
#if MIDGE_HAS(MIDGE_BANK_AUDIO)
    case MIDGE_BANK_AUDIO:
        return &audio_bank;
#endif
#if MIDGE_HAS(MIDGE_BANK_MEL)
    case MIDGE_BANK_MEL:
        return &mel_bank;
#endif
#if MIDGE_HAS(MIDGE_BANK_SERIES)
    case MIDGE_BANK_SERIES:
        return &series_bank;
#endif
    default:
        return 0;
    }
}

#endif
