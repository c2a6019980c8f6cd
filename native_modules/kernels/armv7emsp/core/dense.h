// Windows that lie within the image in one piece each, one after the other, and rows of weights as
// they are: no scratch memory.

#ifndef MIDGE_DENSE_ARMV7EMSP_H
#define MIDGE_DENSE_ARMV7EMSP_H

#include "lanes.h"

#define MIDGE_DENSE_ROWS 4

// The outputs of MIDGE_DENSE_ROWS channels, before their clamp, for the `count` values at x.
void midge_dense(const int8_t *x, const midge_lane_t *lanes, uint32_t count, int8_t *out);

// 0 where another kernel has to compute the call. `depth`: values of a window.
int midge_dense_conv(const midge_call_t *call, uint32_t depth);

#endif
