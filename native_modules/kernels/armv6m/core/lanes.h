// Common to several kernels: two products in one multiplication, and scaling.

#ifndef MIDGE_LANES_H
#define MIDGE_LANES_H

#include "scale.h"

// Factors whose absolute values sum to this, times values of 8 bits, have a sum of 16 bits: 255 *
// 128 < 2^15.
#define MIDGE_LANE_LIMIT 255

#ifdef __ASSEMBLER__

#include "../registers.h"

// Two sums in one register, a + (b << 16), join their accumulators. Uses r0.
.macro flush lanes, low, high
    sxth r0, \lanes
    add \low, r0
    subs \lanes, \lanes, r0
    asrs \lanes, \lanes, #16
    add \high, \lanes
.endm

// r0 = x' -> r0 = its byte, as scale.h says; to `clamp` where x' is out of range, to `doubt` where
// the definition has to decide. r1 limit, r2 range, r3 high, r4 base; uses r6. `keep`: a
// register for x'.
.macro scale clamp, doubt, keep
    cmp r0, r2
    bhi \clamp
.ifnb \keep
    mov \keep, r0
.endif
    muls r0, r3, r0
    adds r0, r0, r4
    lsls r6, r0, #8
    cmp r6, r1
    bhs \doubt
    lsrs r0, r0, #24
.endm

// Where `requantize n, sum` of a kernel leads: the ends of the range, and what is in doubt, which
// `exactly` of the kernel decides.
.macro corners n, sum
.Lclamp\n:
    asrs r0, r0, #31
    movs r6, #127
    eors r0, r6
    b .Lstore\n
.Ldoubt\n:
    mov r0, \sum
    mov r6, lr
    bl exactly
    mov lr, r6
    b .Lstore\n
.endm

#endif

#endif
