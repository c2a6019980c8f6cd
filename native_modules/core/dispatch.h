// Which tuned kernels stand before the plain C of the operators: chosen by architecture when the core
// is built, and by each kernel itself, from the record, when it runs.

#ifndef MIDGE_DISPATCH_H
#define MIDGE_DISPATCH_H

#include "operators.h"

// Runs the call and returns 1, or returns 0 for a record that it does not take: the plain C runs
// then, and writes every byte of the output again.
typedef int midge_tuned_t(const midge_call_t *call);

#if defined(__ARM_ARCH_6M__) && !defined(MIDGE_PLAIN_C)
#include "../arch/armv6m/kernels.h"
#endif

#ifndef MIDGE_TUNED_CONV
#define MIDGE_TUNED_CONV 0
#endif
#ifndef MIDGE_TUNED_DEPTHWISE_CONV
#define MIDGE_TUNED_DEPTHWISE_CONV 0
#endif

#endif
