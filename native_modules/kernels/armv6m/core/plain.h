#ifndef MIDGE_PLAIN_ARMV6M_H
#define MIDGE_PLAIN_ARMV6M_H

#include "window.h"

// Any record.
void midge_plain(const midge_call_t *call);

// Channel `c`, which is number `index` of the weight block at `block`.
void midge_plain_channel(const midge_call_t *call, const uint8_t *block, uint32_t index,
    uint32_t c);

#endif
