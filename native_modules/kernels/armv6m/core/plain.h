#ifndef MIDGE_PLAIN_ARMV6M_H
#define MIDGE_PLAIN_ARMV6M_H

#include "weight_rows.h"

#define MIDGE_DOT_ROWS 4

// Rows of weights for one row of values, and sums of their products. dot.S works in this order.
typedef struct {
    uint32_t sums[MIDGE_DOT_ROWS];
    const int8_t *w[MIDGE_DOT_ROWS];
} midge_dot_t;

// sums[r] += the sum of x[i] * w[r][first + i] for i < count; count > 0.
void midge_dot_rows(midge_dot_t *dot, const int8_t *x, uint32_t first, uint32_t count);

// CONV_2D and FULLY_CONNECTED, any record.
void midge_plain(const midge_call_t *call);

#endif
