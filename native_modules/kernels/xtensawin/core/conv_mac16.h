#ifndef MIDGE_CONV_MAC16_H
#define MIDGE_CONV_MAC16_H

#include "call.h"

void midge_conv_xtensa(const midge_call_t *call); // any record

#endif
