// For any processor.

#include "target.h"

#ifdef MIDGE_KERNELS_PC

#include "pc.h"

#include "vector_plain.h"

#include "add.h"
#include "conv.h"
#include "depthwise.h"

const midge_pc_kernels_t midge_pc_plain = {run_conv, run_depthwise, run_add};

#else
typedef int midge_no_empty_file; // C has none
#endif
