// Generated from host/midge_host/device/ by `make generate`. Do not edit.
// The records of a .midge file as the core reads them: docs/FORMAT.md.

#ifndef MIDGE_FORMAT_H
#define MIDGE_FORMAT_H

#include <stdint.h>

#define MIDGE_FORMAT_VERSION 4
#define MIDGE_RECORD_BYTES 72
#define MIDGE_BLOCK_ALIGNMENT 4
#define MIDGE_OVERLAPS 128 // flag of any record: its output lies over its input
#define MIDGE_TOGETHER 16 // outputs over the input that may be written in any order

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
#define MIDGE_MAGNITUDES 80
#define MIDGE_CEPSTRUM 81
#define MIDGE_LOG_MEL 82
#define MIDGE_SERIES_FEATURES 76
#define MIDGE_SERIES_FILTER 77

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
#define MIDGE_PEAK_WRAPS 1 // flag of SPECTRUM: a sample of -32768 ends the search for the peak
#define MIDGE_CLAMPS 1 // flag of FILTER_BANK: an estimate stays below the channel
#define MIDGE_GAIN 2 // flag of FILTER_BANK: with the automatic gain
#define MIDGE_LOG_BYTES 258 // table of logarithms
#define MIDGE_GAIN_BYTES 130 // table of gains
#define MIDGE_ESTIMATE_BITS 14 // fraction of FILTER_BANK's smoothing
#define MIDGE_LOG_E 45426 // ln(2) in 1 / 65536
#define MIDGE_SAMPLE_BITS 15 // of the largest sample of MAGNITUDES when it has grown
#define MIDGE_SPARE_BITS 17 // of a sample times the window
#define MIDGE_HEAD_BITS 2 // of a sample times the window that powers are made without
#define MIDGE_WIDE_BITS 28 // upper ones of the largest number of 48 bits when it has grown
#define MIDGE_POWER_BITS 4 // of a power that are not kept
#define MIDGE_LOG2_WORDS 9 // polynomial of the logarithm, in words
#define MIDGE_MAX_BANDS 128 // bands of CEPSTRUM and LOG_MEL
#define MIDGE_HAS_BANDS 1 // flag of SERIES_FEATURES: cosines and sines lie behind the list
#define MIDGE_SERIES_INT8 2 // flag of SERIES_FEATURES: they are int8, by rescales behind the rest
#define MIDGE_SERIES_INT16 4 // flag of SERIES_FEATURES: they are int16
#define MIDGE_RESCALE_BYTES 12 // multiplier, shift and zero point of a feature
#define MIDGE_SERIES_MEAN 0 // feature of SERIES_FEATURES
#define MIDGE_SERIES_STD 1 // feature of SERIES_FEATURES
#define MIDGE_SERIES_MIN 2 // feature of SERIES_FEATURES
#define MIDGE_SERIES_MAX 3 // feature of SERIES_FEATURES
#define MIDGE_SERIES_RANGE 4 // feature of SERIES_FEATURES
#define MIDGE_SERIES_RMS 5 // feature of SERIES_FEATURES
#define MIDGE_SERIES_DIFF 6 // feature of SERIES_FEATURES
#define MIDGE_SERIES_CROSSINGS 7 // feature of SERIES_FEATURES
#define MIDGE_SERIES_MEDIAN 8 // feature of SERIES_FEATURES
#define MIDGE_SERIES_BAND 9 // feature of SERIES_FEATURES: a band of the spectrum, the next one
#define MIDGE_SECTION_BYTES 24 // a filter of SERIES_FILTER
#define MIDGE_COEFFICIENT_BITS 30 // fraction of a filter's coefficients
#define MIDGE_FILTERED_BITS 13 // fraction of the samples that a filter keeps
#define MIDGE_FILTERED_LIMIT 1073741824 // of what a filter gave, with that fraction

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

// Frames of cameras.
#define MIDGE_FRAME_RGB565 0
#define MIDGE_FRAME_RGB565BE 1
#define MIDGE_FRAME_BGR565 2
#define MIDGE_FRAME_YUV422 3
#define MIDGE_FRAME_GREY 4
#define MIDGE_FRAME_RGB888 5
#define MIDGE_FRAME_SIDE 16384
#define MIDGE_TAP_BITS 11

// Learning.
#define MIDGE_LEARN_METHOD_PROTOTYPES 1
#define MIDGE_LEARN_METHOD_NEIGHBOURS 2
#define MIDGE_LEARN_METHOD_HEAD 3
#define MIDGE_LEARN_FLAG_ANGULAR 1
#define MIDGE_LEARN_FLAG_WHITENED 2
#define MIDGE_LEARN_MOST_SIZE 1024
#define MIDGE_LEARN_MOST_HEAD_SIZE 512
#define MIDGE_LEARN_MOST_CLASSES 64
#define MIDGE_LEARN_MOST_NEIGHBOURS 15
#define MIDGE_LEARN_MOST_SAMPLES 65535
#define MIDGE_LEARN_EXPONENTS 256

// Coded weights.
#define MIDGE_CODE_MOST_KINDS 256
#define MIDGE_CODE_MOST_TABLES 8
#define MIDGE_CODE_MOST_ENTRY_BITS 128
#define MIDGE_CODE_MOST_KIND_BITS 8
#define MIDGE_CODE_MOST_ROW_BITS 8
#define MIDGE_UNPACKING_HEAD 0
#define MIDGE_UNPACKING_COPY 1
#define MIDGE_UNPACKING_ENTRIES 2
#define MIDGE_UNPACKING_KINDS 3
#define MIDGE_UNPACKING_VALUES 4
#define MIDGE_CODE_BITS 12
#define MIDGE_LOOKUP_BITS 7
#define MIDGE_IS_TABLE 128

// Finding things.
#define MIDGE_DETECT_SUPPRESS 1
#define MIDGE_DETECT_AVERAGE 2
#define MIDGE_DETECT_MERGE 3
#define MIDGE_DETECT_MOST_GRIDS 16
#define MIDGE_DETECT_MOST_ANCHORS 256
#define MIDGE_DETECT_MOST_TABLES 48
#define MIDGE_DETECT_MOST_MOST 255
#define MIDGE_DETECT_MOST_KEYPOINTS 32
#define MIDGE_DETECT_MOST_CANDIDATES 16384
#define MIDGE_DETECT_TABLE 256

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

// flags 1: a sample of -32768 ends the search for the peak, as it does in TensorFlow Lite
// Micro. The block: cosines of half a turn, int16, points + 1; the window, by second
// differences, two of 4 bits in a byte.
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
// the automatic gain. The block: weights and logarithms, uint16; with flag 2 gains, int16;
// widths of the rows, uint8, one more than channels.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint8_t smoothing_bits;
    uint8_t snr_shift;
    uint8_t correction_bits;
    uint8_t shift;
    int8_t offset;
    uint8_t first;
    uint16_t channels;
    uint16_t bins;
    uint16_t columns;
    uint16_t unit;
    uint16_t smoothing[2];
    uint16_t remaining;
    uint16_t log_scale;
    uint16_t limit;
    uint8_t spare[2];
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

// Behind the magnitudes the bits that samples were scaled up by; then zeros, as many as the
// FFT needs.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t size;
    uint16_t points;
    uint16_t bins;
    uint8_t is_power;
    uint8_t spare[31];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_magnitudes_t;

// The block, in words: the logarithm's polynomial; for each band and one more how many bins
// rise to its centre; of these bins the weights in 2^-30, of which a bin gives the rest to the
// band before; a row of factors in 2^-24, with signs, for each value.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t bins;
    uint16_t first;
    uint16_t bands;
    uint16_t columns;
    uint16_t values;
    int16_t offset;
    uint8_t unit;
    uint8_t epsilon_shift;
    uint8_t spare[20];
    uint32_t epsilon;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_cepstrum_t;

// The block, in words: the logarithm's polynomial; for each band and one more how many bins
// rise to its centre; of these bins the weights in 2^-30, of which a bin gives the rest to the
// band before; what is added to the logarithm of each band, in 2^-24, with a sign.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t bins;
    uint16_t first;
    uint16_t bands;
    uint16_t columns;
    int16_t offset;
    int16_t least;
    uint8_t spare[22];
    int32_t factor;
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_log_mel_t;

// Features of int16 samples, those of the first channel first: float32, with flag 2 int8, with
// flag 4 int16. The block lists the features of a channel, a byte for each, padded to a
// multiple of 4: 0 mean, 1 std, 2 min, 3 max, 4 range, 5 rms, 6 diff, 7 crossings, 8 median, 9
// a band of the spectrum. flags 1: with bands; cosine and sine of each part of a turn lie
// behind it. With flag 2 or 4: behind these multiplier, shift and zero point of each feature
// of each channel, int32.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t rows;
    uint16_t channels;
    uint16_t features;
    uint16_t bands;
    uint8_t spare[30];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_series_features_t;

// int16 samples, each channel through second-order sections one after the other; may be in
// place. The block: six int32 for each section: b0, b1, b2, -a1, -a2 in 2^-30 and the gain at
// frequency 0 in 2^-13.
typedef struct {
    uint8_t code;
    uint8_t bank;
    uint8_t types;
    uint8_t flags;
    uint16_t blocks;
    uint16_t rows;
    uint16_t channels;
    uint16_t sections;
    uint8_t spare[32];
    uint32_t input;
    uint32_t output;
    uint32_t output_bytes;
    uint32_t weights;
    uint32_t block_bytes;
    uint32_t scratch;
    uint32_t scratch_bytes;
} midge_series_filter_t;

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

// Which pixels of a frame go where in an input of height x width x channels.
typedef struct {
    int32_t format;
    int32_t first;
    int32_t across;
    int32_t down;
    int32_t width;
    int32_t height;
    int32_t left;
    int32_t top;
    int32_t columns;
    int32_t rows;
    int32_t begin;
} midge_view_t;

// How a board learns, at the beginning of LERN: docs/FORMAT.md, "Learning".
typedef struct {
    int32_t offset;
    int32_t size;
    int32_t zero_point;
    int32_t method;
    int32_t flags;
    int32_t shift;
    int32_t neighbours;
    int32_t input_bits;
    int32_t fraction;
    int32_t rate;
    int32_t epochs;
    int32_t limit;
    int32_t classes;
    int32_t exemplars;
} midge_learn_t;

// The first bytes of CODE: docs/FORMAT.md, "Coded weights".
typedef struct {
    uint16_t kinds;
    uint16_t tables;
} midge_coding_t;

// Where midge_packed stands in a piece.
typedef struct {
    uint32_t phase;
    uint32_t taken;
    uint32_t bits;
    uint32_t have;
    uint32_t field;
    uint32_t rows;
    uint32_t row_bytes;
    uint32_t first_bits;
    uint32_t zero_bits;
    uint32_t last_bits;
    uint32_t kind;
    uint32_t kind_bits;
    uint32_t row;
    uint32_t left;
    uint32_t step;
    uint32_t how;
    uint32_t put;
    uint32_t put_bits;
    uint32_t place;
} midge_unpacking_t;

// How a model finds things, at the beginning of DETE: docs/FORMAT.md, "Finding things".
typedef struct {
    uint16_t grids;
    uint16_t anchors;
    uint16_t tables;
    uint16_t most;
    uint16_t keypoints;
    uint16_t mode;
    uint16_t apart;
    uint16_t overlap;
    uint16_t least;
    uint16_t reserved;
} midge_detect_t;

// Candidates of a head: rows x columns x anchors of them, the anchor varying fastest. Offsets
// are of the first one's values, int8, in the arena behind a prediction; steps are bytes.
typedef struct {
    uint32_t scores;
    uint32_t objectness;
    uint32_t x;
    uint32_t y;
    uint32_t width;
    uint32_t height;
    uint32_t keypoint_x;
    uint32_t keypoint_y;
    uint32_t origin_x;
    uint32_t origin_y;
    uint16_t stride_x;
    uint16_t stride_y;
    uint16_t score_step;
    uint16_t class_step;
    uint16_t box_step;
    uint16_t keypoint_step;
    uint16_t columns;
    uint16_t last;
    uint16_t first_anchor;
    int16_t threshold;
    uint8_t rows;
    uint8_t anchors;
    uint8_t last_class;
    uint8_t last_keypoint;
    uint8_t has_objectness;
    uint8_t has_box;
    uint8_t score_table;
    uint8_t position_table;
    uint8_t size_table;
    uint8_t position_shift;
    uint8_t size_shift;
    uint8_t reserved;
} midge_grid_t;

// What a candidate's values are multiplied with, in 1/16 pixels of the input; without boxes,
// these.
typedef struct {
    int16_t unit_x;
    int16_t unit_y;
    int16_t width;
    int16_t height;
} midge_anchor_t;

// At the beginning of ROWS. A `ring` for the source and one for each record follow, then
// turns.
typedef struct {
    uint16_t records;
    uint16_t turns;
} midge_region_t;

// The memory of a region's source, or of what a record makes: some rows of it.
typedef struct {
    uint32_t offset;
    uint32_t row_bytes;
    uint16_t height;
    uint16_t rows;
    uint16_t step;
    uint8_t source;
    uint8_t source2;
} midge_ring_t;

#endif
