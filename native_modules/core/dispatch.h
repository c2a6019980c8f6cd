// Which kernel runs an operator. An architecture's own kernels take their place here when the core
// is built; each of them chooses by the record when it runs, and has a way for every record.

#ifndef MIDGE_DISPATCH_H
#define MIDGE_DISPATCH_H

#include "operators.h"

#if defined(__ARM_ARCH_6M__) && !defined(MIDGE_PLAIN_C)
#include "../arch/armv6m/kernels.h"
#endif

// What no architecture has taken is the plain C's.
#ifndef MIDGE_TUNED_CONV
#define MIDGE_RUN_CONV midge_conv
#define MIDGE_RUN_DEPTHWISE_CONV midge_depthwise_conv
#endif
#ifndef MIDGE_TUNED_ADD
#define MIDGE_RUN_ADD midge_add
#endif

#endif
