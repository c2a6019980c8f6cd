// Which kernels a record gets: of this processor, or generic ones where its window is too large.

#include "target.h"

#ifdef MIDGE_KERNELS_PC

#include "pc.h"

static const midge_pc_kernels_t *kernels(void) {
#ifndef MIDGE_PC_PLAIN
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        return &midge_pc_avx2;
    }
#elif defined(__aarch64__)
    return &midge_pc_neon;
#endif
#endif
    return &midge_pc_plain;
}

void midge_conv_pc(const midge_call_t *call) {
    if (!kernels()->conv(call)) {
        midge_conv(call);
    }
}

void midge_depthwise_conv_pc(const midge_call_t *call) {
    const midge_window_t *op = call->op;
    // Of one input channel: its weights lie as a convolution's.
    if (!(op->in_c == 1 ? kernels()->conv(call) : kernels()->depthwise_conv(call))) {
        midge_depthwise_conv(call);
    }
}

void midge_add_pc(const midge_call_t *call) {
    kernels()->add(call);
}

#else
typedef int midge_no_empty_file; // C has none
#endif
