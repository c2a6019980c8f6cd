// For x86-64 with AVX2, whatever the rest of the program is compiled for.

#include "target.h"

#if defined(MIDGE_KERNELS_PC) && defined(__x86_64__)

#include "pc.h"

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif

#include "vector_avx2.h"

#include "add.h"
#include "conv.h"
#include "depthwise.h"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const midge_pc_kernels_t midge_pc_avx2 = {run_conv, run_depthwise, run_add};

#else
typedef int midge_no_empty_file; // C has none
#endif
