#ifndef MIDGE_KERNELS_ARMV7EMSP_H
#define MIDGE_KERNELS_ARMV7EMSP_H

#include "call.h"

// Any record.
void midge_conv_armv7emsp(const midge_call_t *call);
void midge_depthwise_conv_armv7emsp(const midge_call_t *call);
void midge_add_armv7emsp(const midge_call_t *call);

#endif
