// Constants and types of 3x3 depthwise convolutions, for C and assembly.

#ifndef MIDGE_ROWS_H
#define MIDGE_ROWS_H

#include "lanes.h"

// Of a row's sums on the stack, and what the stack is aligned to.
#define MIDGE_ROW_BYTES 256
#define MIDGE_ROW_COLUMNS (MIDGE_ROW_BYTES / 4)

// Of what midge_read_lines returns
#define MIDGE_LINES_WIDE 0x01000100
#define MIDGE_LINES_LEAST 28

// Offsets in midge_rows_t
#define MIDGE_ROWS_JOINS 8
#define MIDGE_ROWS_BEFORE 16
#define MIDGE_ROWS_IMAGE 28
#define MIDGE_ROWS_TAIL 36
#define MIDGE_ROWS_OUT 44
#define MIDGE_ROWS_SCALE 52
#define MIDGE_ROWS_START 56
#define MIDGE_ROWS_NEXT 60
#define MIDGE_ROWS_END 68

#ifndef __ASSEMBLER__

#include "scale.h"

// Of a line of the window: the weights of two columns in one word, and the weight of the third.
typedef struct {
    int32_t paired, single;
} midge_line_t;

// Three lines of weights at `w`, `line` bytes from each other. Of each, the first weight is in the
// upper half of `paired`, the one `lower` bytes behind it in the lower half, and the one `single`
// bytes behind it in `single`. to[4] becomes the sum of the three lines, to[0] to to[2].
// Returns the bits MIDGE_LINES_WIDE unless sum |w| of each half is MIDGE_LANE_LIMIT at most, and
// from bit MIDGE_LINES_LEAST on how many of the paired weights are -128.
uint32_t midge_read_lines(const int8_t *w, midge_line_t *to, uint32_t line, uint32_t lower,
    uint32_t single);

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
    int32_t out_step; // bytes from before the first output, by `back`, to the next row's last one
    const int8_t *end; // where the image would be after the last row
} midge_rows_t;

// A channel's weights by lines. Where a window misses its first or last line, it moves by one line
// and has weights of 0 there: lines 0 and 4.
typedef struct {
    midge_line_t lines[5];
    midge_line_t all; // their sum
    void (*run)(midge_rows_t *rows);
    int32_t count[3]; // of rows whose window misses the last line, none, the first line
    int32_t line; // bytes to the next line of the image
    int32_t zero; // point of the input
    int32_t stride;
} midge_filter_t;

// All rows of a channel. rows->image: where the window of the first one begins, or would begin.
void midge_run_rows(midge_rows_t *rows, const midge_filter_t *filter);

// Stride 1. In paired lines' weights, sum |w| of each column is MIDGE_LANE_LIMIT at most.
void midge_rows_1(midge_rows_t *rows);

// Strides 1 and 2 for any weights above -128.
void midge_rows_1_wide(midge_rows_t *rows);
void midge_rows_2(midge_rows_t *rows);

#endif

#endif
