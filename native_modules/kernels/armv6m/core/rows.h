// Constants and types of 3x3 depthwise convolutions, for C and assembly.

#ifndef MIDGE_ROWS_H
#define MIDGE_ROWS_H

#include "lanes.h"

// Of a row's sums on the stack, and what the stack is aligned to.
#define MIDGE_ROW_BYTES 256
#define MIDGE_ROW_COLUMNS (MIDGE_ROW_BYTES / 4)

// Offsets in midge_rows_t
#define MIDGE_ROWS_IMAGE 28
#define MIDGE_ROWS_OUT 44
#define MIDGE_ROWS_SCALE 52
#define MIDGE_ROWS_NEXT 60

#ifndef __ASSEMBLER__

#include "scale.h"

// Of a line of the window: the weights of two columns in one word, and the weight of the third.
typedef struct {
    int32_t paired, single;
} midge_line_t;

// Rows of outputs of one channel that meet the same border. rows.S works in this order.
typedef struct {
    const midge_line_t *lines; // three
    int32_t above; // 4 * columns that the loop ends - MIDGE_ROW_BYTES
    uint32_t joins; // stride 2: whether the loop begins with the last column of a window
    int32_t line; // bytes to the next line of the window
    int32_t before; // sum of what lies before the first column
    int32_t column; // bytes to the next column
    int32_t none; // 0
    const int8_t *image; // the first column of the first line
    uint32_t has_tail; // whether the last output's window hangs over the end of the line
    int32_t tail; // sum of what lies behind the end
    uint32_t outputs_bytes; // 4 * outputs of a row
    int8_t *out; // the last output of the first row
    int32_t back; // bytes from an output to the one before it
    const midge_scale_t *scale;
    uint32_t start; // of x' in these rows
    int32_t image_step; // bytes to the next row's first line
    int32_t out_step; // bytes to the next row's last output
    uint32_t rows;
} midge_rows_t;

// Stride 1. In paired lines' weights, sum |w| of each column is MIDGE_LANE_LIMIT at most.
void midge_rows_1(midge_rows_t *rows);

// Strides 1 and 2 for any weights above -128.
void midge_rows_1_wide(midge_rows_t *rows);
void midge_rows_2(midge_rows_t *rows);

#endif

#endif
