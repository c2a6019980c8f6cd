// Generated from host/midge_host/device/spec.py by `make generate`. Do not edit.
// The records of a .midge file as the core reads them: docs/FORMAT.md.

#ifndef MIDGE_FORMAT_H
#define MIDGE_FORMAT_H

#include <stdint.h>

#define MIDGE_FORMAT_VERSION 3
#define MIDGE_RECORD_BYTES 72
#define MIDGE_BLOCK_ALIGNMENT 4
#define MIDGE_FIRST_EXTRA 32  // operators from here on are midge_extra's

#define MIDGE_CONV_2D 1
#define MIDGE_DEPTHWISE_CONV_2D 2
#define MIDGE_FULLY_CONNECTED 3
#define MIDGE_AVERAGE_POOL_2D 4
#define MIDGE_MAX_POOL_2D 5
#define MIDGE_MEAN 6
#define MIDGE_ADD 7
#define MIDGE_SOFTMAX 8
#define MIDGE_LUT 9
#define MIDGE_PAD 10
#define MIDGE_COPY 32
#define MIDGE_CONSTANT 33
#define MIDGE_ARITHMETIC 34
#define MIDGE_CONV_2D_16 35
#define MIDGE_DEPTHWISE_CONV_2D_16 36
#define MIDGE_FULLY_CONNECTED_16 37
#define MIDGE_LOG_SOFTMAX 38
#define MIDGE_ARG_MAX 39
#define MIDGE_RESIZE_NEAREST_NEIGHBOR 40
#define MIDGE_RESIZE_BILINEAR 41
#define MIDGE_L2_NORMALIZATION 42
#define MIDGE_BATCH_MATMUL 43
#define MIDGE_SVDF 44
#define MIDGE_LSTM 45
#define MIDGE_REQUANTIZE 46
#define MIDGE_SOFTMAX_16 47
#define MIDGE_AVERAGE_POOL_2D_16 48
#define MIDGE_MAX_POOL_2D_16 49
#define MIDGE_MEAN_16 50
#define MIDGE_SOFTMAX_FROM_16 51
#define MIDGE_LOGISTIC_16 52
#define MIDGE_TANH_16 53

// Parts of weight blocks.
#define MIDGE_CHANNEL16_BYTES 12  // of a channel of 16-bit activations
#define MIDGE_EXP_TABLE_BYTES 1026  // each of the two tables of SOFTMAX_FROM_16
#define MIDGE_SIGMOID_BYTES 512  // the sigmoid's table
#define MIDGE_GATES_BYTES 32  // multipliers of an LSTM's gates, behind that table

// What ARITHMETIC computes.
#define MIDGE_KIND_ADD 0
#define MIDGE_KIND_SUB 1
#define MIDGE_KIND_MUL 2
#define MIDGE_KIND_MAXIMUM 3
#define MIDGE_KIND_MINIMUM 4
#define MIDGE_KIND_PRELU 5

// What the source model has at an input or output, and what the arena holds of it.
#define MIDGE_DTYPE_INT8 1
#define MIDGE_DTYPE_UINT8 2
#define MIDGE_DTYPE_FLOAT32 3
#define MIDGE_DTYPE_INT16 4
#define MIDGE_DTYPE_INT32 5

// Why a record or a reading was refused.
#define MIDGE_BAD_OPERATOR 1  // an unknown operator
#define MIDGE_BAD_TENSOR 2  // a tensor outside the arena
#define MIDGE_BAD_WEIGHTS 3  // weights outside the weight section
#define MIDGE_BAD_PARAMETER 4  // an impossible parameter
#define MIDGE_BAD_READING 5  // a value that is not a number

// What all records have in common.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint8_t fields[40];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_head_t;

// Operators that slide a window over an NHWC image (batch 1). FULLY_CONNECTED is a 1x1 window:
// one row per `in_h`.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint8_t stride_h;
    uint8_t stride_w;
    uint8_t dilation_h;
    uint8_t dilation_w;
    int8_t input_zero;
    int8_t output_zero;
    int8_t clamp_min;
    int8_t clamp_max;
    uint8_t bias_bits;
    uint8_t shift_bits;
    uint8_t mult_bits;
    int8_t shift;
    uint16_t in_h;
    uint16_t in_w;
    uint16_t in_c;
    uint16_t out_h;
    uint16_t out_w;
    uint16_t out_c;
    uint16_t kernel_h;
    uint16_t kernel_w;
    uint16_t pad_top;
    uint16_t pad_left;
    uint16_t block_channels;
    uint16_t reserved;
    int32_t multiplier;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_window_t;

// Over the middle axis of [outer, reduce, inner]: a sum, or of ARG_MAX an int32 index, for
// which the sizes suffice.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint32_t outer;
    uint32_t reduce;
    uint32_t inner;
    int32_t multiplier;
    int32_t shift;
    int8_t input_zero;
    int8_t output_zero;
    int8_t clamp_min;
    int8_t clamp_max;
    uint8_t spare[16];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_reduce_t;

// Element by element; the output may be in the place of either input.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint32_t input2;
    uint32_t count;
    int32_t multiplier1;
    int32_t multiplier2;
    int32_t multiplier;
    int8_t shift1;
    int8_t shift2;
    int8_t shift;
    int8_t left_shift;
    int8_t zero1;
    int8_t zero2;
    int8_t output_zero;
    int8_t clamp_min;
    int8_t clamp_max;
    int8_t reserved;
    uint8_t spare[10];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_add_t;

// SOFTMAX and LOG_SOFTMAX, over the last axis; may be in place.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint32_t rows;
    uint32_t depth;
    int32_t multiplier;
    int32_t shift;
    int32_t diff_min;
    uint8_t spare[20];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_softmax_t;

// q becomes table[q + 128]; may be in place. The 256-byte table is the operator's one weight
// block.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint32_t count;
    uint8_t spare[36];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_lut_t;

// Copies a 4-D tensor into a larger one filled with a value.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint16_t in_shape[4];
    uint16_t before[4];
    uint16_t out_shape[4];
    int8_t value;
    uint8_t spare[15];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_pad_t;

// Copies runs of bytes between a dense tensor and one with strides. flags 0: the input has
// strides; 1: the output.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    int32_t strides[5];
    uint32_t at;
    uint16_t shape[5];
    uint16_t run;
    uint8_t spare[4];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_copy_t;

// Fills the output from weight blocks, the last of which may be longer than needed, or with
// one value.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint32_t count;
    int8_t value;
    uint8_t spare[35];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_constant_t;

// Two inputs element by element, each repeated along the dimensions in which it has one
// element. flags 1: int16.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint32_t input2;
    int32_t multiplier1;
    int32_t multiplier2;
    int32_t multiplier;
    uint16_t shape[5];
    int16_t clamp_min;
    int16_t clamp_max;
    int8_t shift1;
    int8_t shift2;
    int8_t shift;
    int8_t zero1;
    int8_t zero2;
    int8_t output_zero;
    uint8_t repeat1;
    uint8_t repeat2;
    uint8_t kind;
    int8_t left_shift;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_arithmetic_t;

// Filters over the input whose last results are remembered, and weighted sums of those. flags
// 1: these are int16.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint32_t input2;
    int32_t multiplier1;
    int32_t multiplier2;
    uint16_t batch;
    uint16_t depth;
    uint16_t units;
    uint16_t rank;
    uint16_t memory;
    uint16_t block_units;
    int8_t shift1;
    int8_t shift2;
    int8_t state_zero;
    int8_t output_zero;
    uint8_t spare[12];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_svdf_t;

// A window over an image of int16 values, whose zero points are 0. flags 1: sums of 32 bits,
// as TFLM has them where the bias is int32; else of 64.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint8_t stride_h;
    uint8_t stride_w;
    uint8_t dilation_h;
    uint8_t dilation_w;
    int16_t clamp_min;
    int16_t clamp_max;
    uint16_t in_h;
    uint16_t in_w;
    uint16_t in_c;
    uint16_t out_h;
    uint16_t out_w;
    uint16_t out_c;
    uint16_t kernel_h;
    uint16_t kernel_w;
    uint16_t pad_top;
    uint16_t pad_left;
    uint16_t block_channels;
    uint8_t spare[10];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_window16_t;

// A long short-term memory over sequences. flags: 1 input, hidden state and output are int16;
// 2 time first.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint32_t input2;
    uint32_t input3;
    int32_t multiplier;
    uint16_t batch;
    uint16_t steps;
    uint16_t depth;
    uint16_t cells;
    uint16_t cell_clip;
    int8_t shift;
    int8_t shifts[8];
    int8_t cell_power;
    int8_t output_zero;
    uint8_t spare[7];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_lstm_t;

// Images [batch, height, width, channels]. RESIZE_NEAREST_NEIGHBOR has a block of uint16: the
// input's row for each row of the output, then its column for each column. RESIZE_BILINEAR
// steps through the input.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    int32_t step_h;
    int32_t step_w;
    int32_t start_h;
    int32_t start_w;
    uint16_t batch;
    uint16_t in_h;
    uint16_t in_w;
    uint16_t in_c;
    uint16_t out_h;
    uint16_t out_w;
    uint8_t spare[12];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_resize_t;

// Over the last axis; may be in place.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint32_t rows;
    uint32_t depth;
    int8_t input_zero;
    uint8_t spare[31];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_normalize_t;

// Matrices [rows, depth] times matrices [depth, columns]. flags 1: the first is stored as
// [depth, rows]; 2: the second as [columns, depth]; 3: both.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint32_t input2;
    int32_t multiplier;
    uint16_t batch[3];
    uint16_t rows;
    uint16_t depth;
    uint16_t columns;
    int8_t shift;
    int8_t zero1;
    int8_t zero2;
    int8_t output_zero;
    uint8_t repeat1;
    uint8_t repeat2;
    uint8_t spare[14];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_matmul_t;

// Every value times a factor, or another one where it is negative. flags 1: the input is
// int16; 2: the output.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint32_t count;
    int32_t multiplier;
    int32_t negative_multiplier;
    int16_t clamp_min;
    int16_t clamp_max;
    int8_t shift;
    int8_t negative_shift;
    int8_t input_zero;
    int8_t output_zero;
    uint8_t spare[20];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_requantize_t;

// A function of every int16 value; may be in place. The sigmoid's 256 uint16 values are the
// one weight block.
typedef struct {
    uint8_t code;
    uint8_t flags;
    uint16_t blocks;
    uint32_t count;
    int32_t multiplier;
    uint8_t shift;
    uint8_t spare[31];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_function16_t;

// A model input or output.
typedef struct {
    uint32_t offset;
    uint32_t bytes;
    uint32_t scale;
    int32_t zero_point;
    int32_t pixel_multiplier;
    int32_t pixel_offset;
    uint8_t dtype;
    uint8_t rank;
    uint16_t shape[6];
    uint8_t element;
    uint8_t reserved;
} midge_tensor_t;

#endif
