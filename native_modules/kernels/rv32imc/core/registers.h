// Common to the assembly: the registers that a function leaves as they were, and requantisation.

#ifndef MIDGE_REGISTERS_H
#define MIDGE_REGISTERS_H

#define FRAME 64
#define FRAME_FREE 52 // 12 bytes from here on are the function's

.macro each_saved instruction
    \instruction ra, 0(sp)
    \instruction s0, 4(sp)
    \instruction s1, 8(sp)
    \instruction s2, 12(sp)
    \instruction s3, 16(sp)
    \instruction s4, 20(sp)
    \instruction s5, 24(sp)
    \instruction s6, 28(sp)
    \instruction s7, 32(sp)
    \instruction s8, 36(sp)
    \instruction s9, 40(sp)
    \instruction s10, 44(sp)
    \instruction s11, 48(sp)
.endm

.macro save
    addi sp, sp, -FRAME
    each_saved sw
.endm

.macro restore
    each_saved lw
    addi sp, sp, FRAME
.endm

// The sum -> its byte in t5, as midge_scaled in lanes.h. Uses t6.
.macro scale sum, multiplier, half, shift, zero, low, high
    mul t6, \sum, \multiplier
    mulhsu t5, \sum, \multiplier
    srli t6, t6, 31
    add t5, t5, t6
    srai t6, t5, 31
    add t5, t5, \half
    add t5, t5, t6
    sra t5, t5, \shift
    add t5, t5, \zero
    bge t5, \low, 1f
    mv t5, \low
1:
    bge \high, t5, 2f
    mv t5, \high
2:
.endm

#endif
