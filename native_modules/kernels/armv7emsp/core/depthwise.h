// Rows of 3x3 depthwise convolutions, for C and assembly.

#ifndef MIDGE_DEPTHWISE_ARMV7EMSP_H
#define MIDGE_DEPTHWISE_ARMV7EMSP_H

#define MIDGE_SIDE 3

#ifndef __ASSEMBLER__

#include "lanes.h"

// Rows of outputs of one channel whose windows meet the same weights. Weights are twice what they
// are, as int16. depthwise.S works in this order.
typedef struct {
    uint32_t pairs[MIDGE_SIDE]; // of columns: of the first line, of the second << 16
    int32_t thirds[MIDGE_SIDE]; // of the third line
    uint32_t line; // bytes from a line of the image to the next
    uint32_t step; // bytes from a column to the next, 16 bits
    int32_t multiplier; // as in midge_lane_t
    int32_t offset;
    int32_t shift;
    uint32_t out_step; // bytes from an output to the next, 16 bits
    int32_t bias;
    int32_t left; // the bias, and what a column of padding before the first adds
    int32_t right; // what a column of padding behind the last adds
    uint32_t is_left, is_right; // whether there are such columns
    uint32_t is_odd; // the number of outputs in a row, without the one that needs `right`
    const int8_t *input; // the first column of the first row's first line
    uint32_t input_row; // bytes from a row's first line to the next row's
    int8_t *out;
    int8_t *end; // of the first row's outputs, but the one with padding behind the last column
    uint32_t out_row; // bytes from a row of outputs to the next
    uint32_t rows; // 1 at least
} midge_rows_t;

void midge_rows_1(const midge_rows_t *rows); // stride 1
void midge_rows_2(const midge_rows_t *rows); // stride 2

#endif

#endif
