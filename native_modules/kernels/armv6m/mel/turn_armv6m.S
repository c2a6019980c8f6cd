// The function of kernels/generic/mel/turn.h. Cycles: 113 for a step of two.
//
// Stack: 44 bytes.

#include "target.h"

#ifdef MIDGE_TUNED_TURN

#include "../registers.h"

.syntax unified
.cpu cortex-m0plus
.thumb
.text

// On the stack
#define END 0
#define STEP 4

// out = high_mul(r2, b), b: its lower and its upper half. lr is 2^14. Changes r4 to r6.
.macro high_mul out, lower, upper
    uxth r4, r2
    asrs \out, r2, #16
    mov r5, \lower
    movs r6, r4
    muls r6, r5, r6
    lsrs r6, r6, #16
    muls r5, \out, r5
    adds r5, r5, r6
    add r5, lr
    mov r6, \upper
    muls r4, r6, r4
    muls \out, r6, \out
    uxth r6, r5
    adds r4, r4, r6
    asrs r5, r5, #16
    adds \out, \out, r5
    lsls \out, \out, #1
    asrs r4, r4, #15
    adds \out, \out, r4
.endm

// void midge_turn(midge_complex_t *a, const midge_complex_t *end, uint32_t size,
//     const midge_complex_t *by)
//
// r0 a, r1 the number `size` after it; r8, r9 the real part of `by`, r10, r11 the imaginary one
.global midge_turn
.type midge_turn, %function
.thumb_func
midge_turn:
    save
    ldmia r3!, {r4, r5}
    uxth r6, r4
    mov r8, r6
    asrs r4, r4, #16
    mov r9, r4
    uxth r6, r5
    mov r10, r6
    asrs r5, r5, #16
    mov r11, r5
    movs r4, #1
    lsls r4, r4, #14
    mov lr, r4
    lsls r4, r2, #3
    lsls r5, r2, #4
    subs r5, r5, #8
    push {r1, r5}
    adds r1, r0, r4
.Lstep:
    ldr r2, [r1]
    high_mul r3, r8, r9
    high_mul r7, r10, r11
    mov r12, r7
    ldr r2, [r1, #4]
    high_mul r7, r10, r11
    subs r3, r3, r7
    high_mul r7, r8, r9
    add r7, r12
    ldr r2, [r0]
    ldr r6, [r0, #4]
    adds r2, r2, #1
    adds r6, r6, #1
    subs r4, r2, r3
    subs r5, r6, r7
    asrs r4, r4, #1
    asrs r5, r5, #1
    adds r2, r2, r3
    adds r3, r6, r7
    asrs r2, r2, #1
    asrs r3, r3, #1
    stmia r0!, {r2, r3}
    stmia r1!, {r4, r5}
    ldr r2, [sp, #STEP]
    ldr r3, [sp, #END]
    adds r0, r0, r2
    adds r1, r1, r2
    cmp r0, r3
    blo .Lstep
    add sp, #8
    restore
.size midge_turn, . - midge_turn

#endif
