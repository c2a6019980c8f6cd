// The registers that a function leaves as they were, to the stack and back: for assembly.

#ifndef MIDGE_FRAME_H
#define MIDGE_FRAME_H

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

#endif
