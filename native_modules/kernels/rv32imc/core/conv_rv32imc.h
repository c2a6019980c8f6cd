#ifndef MIDGE_CONV_RV32IMC_H
#define MIDGE_CONV_RV32IMC_H

#include "call.h"

// Any record.
void midge_conv_rv32imc(const midge_call_t *call);
void midge_depthwise_conv_rv32imc(const midge_call_t *call);

#endif
