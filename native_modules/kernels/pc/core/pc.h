// The kernels of a PC: bodies in conv.h, depthwise.h and add.h, compiled once for any processor
// and once for the vectors of this one.

#ifndef MIDGE_PC_H
#define MIDGE_PC_H

#include "call.h"

typedef struct {
    // 0 where a record's window is too large.
    int (*conv)(const midge_call_t *call);
    int (*depthwise_conv)(const midge_call_t *call);
    void (*add)(const midge_call_t *call);
} midge_pc_kernels_t;

extern const midge_pc_kernels_t midge_pc_plain;
#ifdef __x86_64__
extern const midge_pc_kernels_t midge_pc_avx2;
#endif
#ifdef __aarch64__
extern const midge_pc_kernels_t midge_pc_neon;
#endif

#endif
