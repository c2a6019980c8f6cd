#ifndef MIDGE_DEPTHWISE_CONV_H
#define MIDGE_DEPTHWISE_CONV_H

#include "window.h"

// Channel `i` of weight block `b`, which is at `block`: what a tuned kernel leaves.
void midge_depthwise_channel(const midge_call_t *call, const uint8_t *block, uint32_t b, uint32_t i);

#endif
