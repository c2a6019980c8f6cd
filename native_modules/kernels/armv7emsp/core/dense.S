// void midge_dense(const int8_t *x, const midge_lane_t *lanes, uint32_t count, int8_t *out)
//
// 23 instructions for 16 products, and 7 for an output.
//
// Stack: 48 bytes.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV7EMSP

.syntax unified
.thumb
.text

// Of midge_lane_t
#define ROW 0
#define LANE_BYTES 20

#define FOUR_BYTES 92 // of code

// r0 x; r4 to r7 the rows, r8 to r11 their sums; r1, r12 the values of x, two to a word. Uses r2
// and lr.
.macro products row, sum
    ldr r2, [\row], #4
    sxtb16 lr, r2
    smlad \sum, lr, r1, \sum
    sxtb16 r2, r2, ror #8
    smlad \sum, r2, r12, \sum
.endm

.macro four
    ldr r1, [r0], #4
    sxtb16 r12, r1, ror #8
    sxtb16 r1, r1
    products r4, r8
    products r5, r9
    products r6, r10
    products r7, r11
.endm

.macro product row, sum
    ldrsb r2, [\row], #1
    mla \sum, r12, r2, \sum
.endm

// The sum -> the next output, as lanes.h says. r0 lanes, r4 out.
.macro output sum
    ldm r0!, {r1, r2, r3, r12, lr} // row, bias, multiplier, offset, shift
    add \sum, r2, \sum, lsl #1
    smmlar r12, \sum, r3, r12
    add r12, r12, \sum, asr #31
    asr r12, r12, lr
    ssat r12, #8, r12
    strb r12, [r4], #1
.endm

.balign 4
.global midge_dense
.type midge_dense, %function
.thumb_func
midge_dense:
    push {r1-r11, lr}
    ldr r4, [r1, #ROW]
    ldr r5, [r1, #LANE_BYTES+ROW]
    ldr r6, [r1, #2*LANE_BYTES+ROW]
    ldr r7, [r1, #3*LANE_BYTES+ROW]
    movs r1, #0
    mov r8, r1
    mov r9, r1
    mov r10, r1
    mov r11, r1
    bics r3, r2, #3
    beq .Lrest
    // The first round leaves out so many fours that the others are whole.
    rsb r12, r3, #0
    ubfx r12, r12, #2, #2
    adr lr, .Lround + 1 // Thumb
    movs r1, #FOUR_BYTES
    mla lr, r12, r1, lr
    adds r3, r3, r0 // end of the rounds
    bx lr
.balign 4
.Lround:
.rept 4
    four
.endr
    cmp r0, r3
    bne .Lround
.Lrest:
    ldr r3, [sp, #4]
    ands r3, r3, #3
    beq .Lscale
.Lone:
    ldrsb r12, [r0], #1
    product r4, r8
    product r5, r9
    product r6, r10
    product r7, r11
    subs r3, r3, #1
    bne .Lone
.Lscale:
    pop {r0, r2, r4} // lanes, count, out
    output r8
    output r9
    output r10
    output r11
    pop {r4-r11, pc}
.size midge_dense, . - midge_dense

#endif
