// Generated from host/midge_host/device/ by `make generate`. Do not edit.
// The records of a .midge file as the core reads them: docs/FORMAT.md.

#ifndef MIDGE_FORMAT_H
#define MIDGE_FORMAT_H

#include <stdint.h>

#define MIDGE_FORMAT_VERSION 4
#define MIDGE_RECORD_BYTES 72
#define MIDGE_BLOCK_ALIGNMENT 4

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
#define MIDGE_COPY 11
#define MIDGE_CONSTANT 12
#define MIDGE_ARITHMETIC 13
#define MIDGE_REQUANTIZE 14
#define MIDGE_SELECT 27
#define MIDGE_LOGISTIC 15
#define MIDGE_TANH 16
#define MIDGE_BATCH_MATMUL 24
#define MIDGE_LSTM 17
#define MIDGE_SVDF 18
#define MIDGE_LOG_SOFTMAX 19
#define MIDGE_ARG_MAX 20
#define MIDGE_RESIZE_NEAREST_NEIGHBOR 21
#define MIDGE_RESIZE_BILINEAR 22
#define MIDGE_L2_NORMALIZATION 23
#define MIDGE_DIV 28
#define MIDGE_CUMSUM 29
#define MIDGE_GATHER 30
#define MIDGE_TREES 64
#define MIDGE_SCORES 65
#define MIDGE_AFFINE 66
#define MIDGE_SCALE 67
#define MIDGE_DISTANCES 68
#define MIDGE_NEAREST 69
#define MIDGE_VOTES 70
#define MIDGE_CODES 71
#define MIDGE_SPECTRUM 72
#define MIDGE_FILTER_BANK 73

// Flags, and parts of weight blocks.
#define MIDGE_OUTPUT_HAS_STRIDES 1 // flag of COPY; else the input has them
#define MIDGE_KIND_ADD 0 // flags of ARITHMETIC: what it computes
#define MIDGE_KIND_SUB 1 // flags of ARITHMETIC: what it computes
#define MIDGE_KIND_MUL 2 // flags of ARITHMETIC: what it computes
#define MIDGE_KIND_MAXIMUM 3 // flags of ARITHMETIC: what it computes
#define MIDGE_KIND_MINIMUM 4 // flags of ARITHMETIC: what it computes
#define MIDGE_KIND_PRELU 5 // flags of ARITHMETIC: what it computes
#define MIDGE_KIND_SQUARED_DIFFERENCE 6 // flags of ARITHMETIC: what it computes
#define MIDGE_KIND_EQUAL 7 // flags of ARITHMETIC: what it computes
#define MIDGE_KIND_NOT_EQUAL 8 // flags of ARITHMETIC: what it computes
#define MIDGE_KIND_GREATER 9 // flags of ARITHMETIC: what it computes
#define MIDGE_KIND_GREATER_EQUAL 10 // flags of ARITHMETIC: what it computes
#define MIDGE_LEFT_SHIFT 20 // of both inputs of a sum of int8
#define MIDGE_LEFT_SHIFT16 15 // of both inputs of a sum of int16
#define MIDGE_SQUARED_SHIFT 7 // of both inputs of a squared difference of int8
#define MIDGE_COMPARED_SHIFT 8 // of both inputs of a comparison
#define MIDGE_OUTPUT_INT16 1 // flag of REQUANTIZE
#define MIDGE_OUTPUT_INT32 2 // flag of REQUANTIZE
#define MIDGE_INPUT_INT32 4 // flag of REQUANTIZE
#define MIDGE_NARROW 1 // flag: sums of 32 bits
#define MIDGE_CHANNEL16_BYTES 12 // of a channel in a weight block of 16-bit activations
#define MIDGE_INPUT_INT8 1 // flag: SOFTMAX to int16 takes int8
#define MIDGE_EXP_TABLE_BYTES 1026 // each of the two tables of SOFTMAX from int16
#define MIDGE_SIGMOID_BYTES 512 // the sigmoid's table
#define MIDGE_FIRST_TRANSPOSED 1 // flag of BATCH_MATMUL
#define MIDGE_SECOND_TRANSPOSED 2 // flag of BATCH_MATMUL
#define MIDGE_TIME_MAJOR 1 // flag of LSTM: time is the first dimension
#define MIDGE_GATES_BYTES 32 // multipliers of an LSTM's gates, behind that table
#define MIDGE_STATE_INT16 1 // flag of SVDF: state and weights of time are int16
#define MIDGE_EXCLUSIVE 1 // flag of CUMSUM
#define MIDGE_REVERSE 2 // flag of CUMSUM
#define MIDGE_TOTAL 4 // flag of CUMSUM
#define MIDGE_GATHER_TABLE 1 // flag of GATHER: it takes from its weight blocks
#define MIDGE_TREES_FIRST 1 // flag of TREES: the sums begin at the bias
#define MIDGE_TREES_MIXED 2 // flag of TREES: leaves of several values
#define MIDGE_TREES_SINGLE 4 // flag of TREES: sums are rounded to float32
#define MIDGE_TREES_NODE 8 // bytes of a node: a threshold, a word
#define MIDGE_TREES_CODE_NODE 5 // the same where readings are codes
#define MIDGE_TREES_PLACES 15 // of a node's word: behind them the feature
#define MIDGE_TREES_FLAGS 29 // the first bit of its flags
#define MIDGE_TREES_CODE_FLAGS 21 // the same where readings are codes
#define MIDGE_SCORES_DECIDE 1 // flag of SCORES: a classifier's
#define MIDGE_SCORES_PROBABILITIES 2 // flag of SCORES
#define MIDGE_SCORES_PAIR 4 // flag of SCORES: two scores of one sum
#define MIDGE_AFFINE_WIDE 1 // flag of AFFINE and DISTANCES: values of float64
#define MIDGE_AFFINE_FLOAT 2 // flag of AFFINE: outputs of float32
#define MIDGE_AFFINE_RELU 1 // activation of AFFINE
#define MIDGE_AFFINE_TANH 2 // activation of AFFINE
#define MIDGE_SCALE_MULTIPLY 1 // flag of SCALE: x * a + b
#define MIDGE_SCALE_CLIP 2 // flag of SCALE: limited
#define MIDGE_NEAREST_WIDE 1 // flag of NEAREST: values of float64
#define MIDGE_NEAREST_DOUBLES 2 // flag of NEAREST: a table of float64
#define MIDGE_VOTES_VALUES 1 // flag of VOTES: a sum of values
#define MIDGE_VOTES_WEIGHTED 2 // flag of VOTES: by 1 / distance
#define MIDGE_SYMMETRIC 1 // flag of SPECTRUM: the block holds the first half of the window
#define MIDGE_PEAK_WRAPS 2 // flag of SPECTRUM: a sample of -32768 ends the search for the peak
#define MIDGE_CLAMPS 1 // flag of FILTER_BANK: an estimate stays below the channel
#define MIDGE_GAIN 2 // flag of FILTER_BANK: with the automatic gain
#define MIDGE_LOG_BYTES 260 // table of logarithms
#define MIDGE_LOG_E 45426 // ln(2) in 1 / 65536

// Types of values: of activations in a record, of inputs and outputs in a descriptor.
#define MIDGE_DTYPE_INT8 1
#define MIDGE_DTYPE_UINT8 2
#define MIDGE_DTYPE_FLOAT32 3
#define MIDGE_DTYPE_INT16 4
#define MIDGE_DTYPE_INT32 5
#define MIDGE_TAKES_NAN 4 // flag of a descriptor

// Why a record or a reading was refused.
#define MIDGE_BAD_OPERATOR 1 // an unknown operator
#define MIDGE_BAD_TENSOR 2 // a tensor outside the arena
#define MIDGE_BAD_WEIGHTS 3 // weights outside the weight section
#define MIDGE_BAD_PARAMETER 4 // an impossible parameter
#define MIDGE_BAD_READING 5 // a value that is not a number

// The fields that records have in common.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint8_t fields[38];
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
    uint8_t bank;
    uint8_t types;
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
    int32_t multiplier;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_window_t;

// Over the middle axis of [outer, reduce, inner]: a sum, or the index of the largest (the
// sizes only).
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    int8_t input_zero;
    int8_t output_zero;
    int8_t clamp_min;
    int8_t clamp_max;
    uint8_t spare[14];
    uint32_t outer;
    uint32_t reduce;
    uint32_t inner;
    int32_t multiplier;
    int32_t shift;
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
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    int8_t shift1;
    int8_t shift2;
    int8_t shift;
    int8_t left_shift;
    int8_t zero1;
    int8_t zero2;
    int8_t output_zero;
    int8_t clamp_min;
    int8_t clamp_max;
    uint8_t spare[9];
    uint32_t input2;
    uint32_t count;
    int32_t multiplier1;
    int32_t multiplier2;
    int32_t multiplier;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_add_t;

// Over the last axis; may be in place. flags 1, of SOFTMAX to int16: the input is int8.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint8_t spare[18];
    uint32_t rows;
    uint32_t depth;
    int32_t multiplier;
    int32_t shift;
    int32_t diff_min;
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
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint8_t spare[34];
    uint32_t count;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_lut_t;

// Copies a 4-D tensor into a larger one filled with a value. Works on bytes: types is int8 for
// every tensor.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t in_shape[4];
    uint16_t before[4];
    uint16_t out_shape[4];
    int8_t value;
    uint8_t spare[13];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_pad_t;

// Copies runs of bytes between a dense tensor and one with strides. flags 0: the input has
// strides; 1: the output. types is int8 for every tensor.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t shape[5];
    uint16_t run;
    uint8_t spare[2];
    int32_t strides[5];
    uint32_t at;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_copy_t;

// Fills the output from weight blocks, the last of which may be longer than needed, or with
// one value. types is int8 for every tensor.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    int8_t value;
    uint8_t spare[33];
    uint32_t count;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_constant_t;

// Two inputs element by element, each repeated along the dimensions in which it has one
// element. flags: 0 ADD, 1 SUB, 2 MUL, 3 MAXIMUM, 4 MINIMUM, 5 PRELU, 6 SQUARED_DIFFERENCE, 7
// EQUAL, 8 NOT_EQUAL, 9 GREATER, 10 GREATER_EQUAL. The inputs of a sum are shifted left first:
// by 20 bits, those of int16 by 15; of a squared difference by 7, those of int16 not at all;
// of a comparison, which gives 0 or 1, by 8.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    int8_t shift1;
    int8_t shift2;
    int8_t shift;
    int8_t zero1;
    int8_t zero2;
    int8_t output_zero;
    uint8_t repeat1;
    uint8_t repeat2;
    int16_t clamp_min;
    int16_t clamp_max;
    uint16_t shape[5];
    uint32_t input2;
    int32_t multiplier1;
    int32_t multiplier2;
    int32_t multiplier;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_arithmetic_t;

// Every value times a factor, or another one where it is negative. flags 1: the output is
// int16; 2: it is int32, which has no limits; 4: the input is int32, and types int16.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    int8_t shift;
    int8_t negative_shift;
    int16_t input_zero;
    int16_t output_zero;
    int16_t clamp_min;
    int16_t clamp_max;
    uint8_t spare[16];
    uint32_t count;
    int32_t multiplier;
    int32_t negative_multiplier;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_requantize_t;

// The elements of input2 where that of the input, a byte, is not 0, of input3 elsewhere; each
// repeated along the dimensions in which it has one element.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t shape[5];
    uint8_t repeat1;
    uint8_t repeat2;
    uint8_t repeat3;
    uint8_t spare[17];
    uint32_t input2;
    uint32_t input3;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_select_t;

// A window over an image of int16 values, whose zero points are 0. flags 1: sums of 32 bits,
// as TFLM has them where the bias is int32; else of 64.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
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
    uint8_t spare[8];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_window16_t;

// A function of every int16 value; may be in place. The sigmoid's 256 uint16 values are the
// one weight block.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint8_t shift;
    uint8_t spare[29];
    uint32_t count;
    int32_t multiplier;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_function16_t;

// Matrices [rows, depth] times matrices [depth, columns]. flags 1: the first is stored as
// [depth, rows]; 2: the second as [columns, depth]; 3: both. A weight block, if there is one,
// holds an int32 for each column, which its sums of int8 begin with.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    int8_t shift;
    int8_t zero1;
    int8_t zero2;
    int8_t output_zero;
    uint8_t repeat1;
    uint8_t repeat2;
    uint16_t batch[3];
    uint16_t rows;
    uint16_t depth;
    uint16_t columns;
    uint8_t spare[12];
    uint32_t input2;
    int32_t multiplier;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_matmul_t;

// A long short-term memory over sequences. flags 1: time first.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t batch;
    uint16_t steps;
    uint16_t depth;
    uint16_t cells;
    uint16_t cell_clip;
    int8_t shift;
    int8_t shifts[8];
    int8_t cell_power;
    int8_t output_zero;
    uint8_t spare[5];
    uint32_t input2;
    uint32_t input3;
    int32_t multiplier;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_lstm_t;

// Filters over the input whose last results are remembered, and weighted sums of those. flags
// 1: these are int16.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    int8_t shift1;
    int8_t shift2;
    int8_t state_zero;
    int8_t output_zero;
    uint16_t batch;
    uint16_t depth;
    uint16_t units;
    uint16_t rank;
    uint16_t memory;
    uint16_t block_units;
    uint8_t spare[10];
    uint32_t input2;
    int32_t multiplier1;
    int32_t multiplier2;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_svdf_t;

// Images [batch, height, width, channels]. RESIZE_NEAREST_NEIGHBOR has a block of uint16: the
// input's row for each row of the output, then its column for each column; it moves bytes, and
// types is int8 for every tensor. RESIZE_BILINEAR steps through the input.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t batch;
    uint16_t in_h;
    uint16_t in_w;
    uint16_t in_c;
    uint16_t out_h;
    uint16_t out_w;
    uint8_t spare[10];
    int32_t step_h;
    int32_t step_w;
    int32_t start_h;
    int32_t start_w;
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
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    int8_t input_zero;
    uint8_t spare[29];
    uint32_t rows;
    uint32_t depth;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_normalize_t;

// Sums along the middle axis of [outer, reduce, inner]. flags 1: without the element itself;
// 2: from the last element on; 4: the last sum only.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    int8_t input_zero;
    int8_t output_zero;
    int8_t left_shift;
    int8_t shift;
    int16_t start;
    uint8_t spare[16];
    uint32_t outer;
    uint32_t reduce;
    uint32_t inner;
    int32_t multiplier;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_sums_t;

// Takes elements along the middle dimension of [outer, size, inner], by indices of int32; any
// other index counts as that of the last. Works on bytes: types is int8 for every tensor.
// flags 1: it takes them from its weight blocks, with outer 1.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t outer;
    uint16_t size;
    uint16_t inner;
    uint16_t block_rows;
    uint8_t spare[22];
    uint32_t count;
    uint32_t input2;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_gather_t;

// The leaves' values of some trees, tree by tree, are added to the sums. flags 1: the sums
// begin at the block's bias, otherwise where the record before left them; 2: a leaf has a list
// of values, otherwise one for the tree's sum; 4: a sum is rounded to float32 after each
// addition. Of int16 activations, nodes hold codes and leaves int16.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t features;
    uint16_t outputs;
    uint16_t trees;
    uint16_t nodes;
    uint16_t values;
    uint16_t entries;
    uint16_t leaves;
    uint8_t place_bits;
    uint8_t spare[23];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_trees_t;

// float32 results of float64 sums, each sum / divisor. flags 1: of a classifier, so that the
// class it decides for has the largest score and none that is equal stands before it; 2:
// probabilities, the softmax of the scores; 4: of one sum two scores, -sum / divisor (with
// flag 2: 0) and sum / divisor, and it decides for the second class where the sum is not below
// the threshold.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t sums;
    uint16_t outputs;
    uint8_t spare[18];
    uint32_t divisor[2];
    uint32_t threshold[2];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_scores_t;

// AFFINE: bias + sum of value * weight for each output. DISTANCES: bias - sum of weight *
// (value - centre)^2. flags 1: the values are float64, otherwise float32; 2: the outputs of
// AFFINE are float32, otherwise float64.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t inputs;
    uint16_t outputs;
    uint16_t rows;
    uint8_t activation;
    uint8_t spare[31];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_affine_t;

// float32 values, each with two float64 parameters: (x - a) / b, with flag 1 x * a + b,
// rounded to float32 after each operation. flags 2: limited to low and high.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t count;
    uint8_t spare[28];
    uint32_t low;
    uint32_t high;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_scaler_t;

// The rows of a table whose squared distances from a reading are the least, nearest first: a
// float64 distance and 8 bytes of the row's own for each. flags 1: the values are float64,
// otherwise float32; 2: so are the table's.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t inputs;
    uint16_t neighbors;
    uint16_t table;
    uint16_t rows;
    uint8_t spare[30];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_nearest_t;

// Of what NEAREST found: how many rows there are of each class, as float64. flags 1: the sum
// of the rows' float64 values; 2: shares, or the mean of the values, where a row has the
// weight 1 / distance.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t neighbors;
    uint16_t outputs;
    uint8_t spare[34];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_votes_t;

// int16 codes of float32 values, each with a power of two and a zero of its own; -32768 for
// NaN.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t count;
    uint8_t spare[36];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_codes_t;

// flags 1: the window is symmetric, and the block holds its first half; 2: a sample of -32768
// ends the search for the peak, as it does in TensorFlow Lite Micro.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t size;
    uint16_t points;
    uint8_t window_shift;
    uint8_t spare[33];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_spectrum_t;

// Of int8: features as int8, ((min(v, limit) * multiplier + addend) >> shift) + offset of a
// logarithm v; of int16: the logarithms. flags 1: an estimate stays below the channel; 2: with
// the automatic gain.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint8_t estimate_bits;
    uint8_t smoothing_bits;
    uint8_t snr_shift;
    uint8_t correction_bits;
    uint16_t channels;
    uint16_t bins;
    uint16_t columns;
    uint16_t smoothing[2];
    uint16_t one_minus[2];
    uint16_t remaining;
    uint16_t log_scale;
    uint16_t limit;
    int8_t offset;
    uint8_t shift;
    uint32_t multiplier;
    uint32_t addend;
    uint32_t input2;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_filter_bank_t;

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
    uint8_t flags;
} midge_tensor_t;

#endif
