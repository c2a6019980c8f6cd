#ifndef MIDGE_CONV_ARMV6M_H
#define MIDGE_CONV_ARMV6M_H

#include "call.h"

void midge_conv_armv6m(const midge_call_t *call); // any record

// Two ways to run a convolution; 0 where the record, or its scratch memory, does not suit.
int midge_dense_conv(const midge_call_t *call); // tiles.S
int midge_sparse_conv(const midge_call_t *call); // sparse.S

#endif
