// Rows of 3x3 depthwise convolutions, for C and assembly.

#ifndef MIDGE_DEPTHWISE_RV32IMC_H
#define MIDGE_DEPTHWISE_RV32IMC_H

#define MIDGE_SIDE 3

#ifndef __ASSEMBLER__

#include "lanes.h"

// A row of outputs of one channel. depthwise.S works in this order.
typedef struct {
    int32_t weights[MIDGE_SIDE * MIDGE_SIDE]; // by columns
    const int8_t *lines[MIDGE_SIDE]; // where the first column to read begins
    uint32_t step; // bytes from a column to the next
    uint32_t before; // stride 1: sum so far of the first output, with its bias
    uint32_t next; // stride 1: of the second; stride 2: of the first
    uint32_t bias;
    uint32_t multiplier; // as in midge_lane_t
    int32_t half;
    uint32_t shift;
    int32_t zero, low, high; // of the output
    int8_t *out;
    uint32_t out_step;
    int8_t *end; // where the output behind the last one would be
} midge_row_t;

// Windows that end within the image. Returns the first sum that is not complete: it lacks the last
// column.
uint32_t midge_row_1(const midge_row_t *row); // stride 1: the third column is the first to read
uint32_t midge_row_2(const midge_row_t *row); // stride 2: the second column is

#endif

#endif
