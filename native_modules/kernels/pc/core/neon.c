// For AArch64.

#include "target.h"

#if defined(MIDGE_KERNELS_PC) && defined(__aarch64__)

#include "pc.h"

#include "vector_neon.h"

#include "add.h"
#include "conv.h"
#include "depthwise.h"

const midge_pc_kernels_t midge_pc_neon = {run_conv, run_depthwise, run_add};

#else
typedef int midge_no_empty_file; // C has none
#endif
