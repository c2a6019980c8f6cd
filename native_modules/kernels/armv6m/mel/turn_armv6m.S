// Functions of kernels/generic/mel/turn.h. Cycles for a step of two: 113, of 48 bits 145.
//
// Stack: 52 bytes.

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

// On the stack behind END and STEP
#define A 8
#define B 12
#define LOWS 8 // of a complex number

// x = lower + upper * 2^16, both with a sign. Changes x and r6.
.macro split lower, upper, x
    sxth r6, \x
    mov \lower, r6
    asrs \x, \x, #16
    movs r6, #0
    adcs \x, \x, r6
    mov \upper, \x
.endm

// sum += x * by, or -= (how). Changes scratch, which may be x.
.macro add_product how, sum, x, by, scratch
.ifc \x, \scratch
    mov r1, \by
    muls \x, r1, \x
.else
    mov \scratch, \by
    muls \scratch, \x, \scratch
.endif
    \how \sum, \sum, \scratch
.endm

// r1: half of the lower part of a number in `a`, of which r7 and `at` are the place; upper and
// lower: half of a product, of which the upper part is in r12 if `upper` is `lower`. To `a` goes
// their sum, to `b` (r5) the difference. Changes r1, r3, r4, lower.
.macro put at, low_at, upper, lower
    adds \lower, \lower, #1
    ldr r3, [r7, #\at]
    lsls r4, r3, #31
    lsrs r4, r4, #16
    adds r1, r1, r4
    asrs r3, r3, #1
    subs r4, r1, \lower
    adds r1, r1, \lower
    strh r1, [r7, #\low_at]
    strh r4, [r5, #\low_at]
    add r1, lr
    add r4, lr
    asrs r1, r1, #16
    asrs r4, r4, #16
    adds r1, r1, r3
    adds r4, r4, r3
.ifc \upper, \lower
    mov \upper, r12
.endif
    adds r1, r1, \upper
    subs r4, r4, \upper
    str r1, [r7, #\at]
    str r4, [r5, #\at]
.endm

// void midge_turn_wide(midge_wide_t *a, const midge_wide_t *end, uint32_t size,
//     const midge_complex_t *by)
//
// r8, r9 the lower and the upper part of the real part of `by`, r10, r11 of the imaginary one
.global midge_turn_wide
.type midge_turn_wide, %function
.thumb_func
midge_turn_wide:
    save
    ldmia r3!, {r4, r5}
    split r8, r9, r4
    split r10, r11, r5
    movs r4, #1
    lsls r4, r4, #15
    mov lr, r4
    movs r4, #12
    muls r2, r4, r2
    adds r3, r0, r2
    lsls r2, r2, #1
    push {r0, r3}
    push {r1, r2}
    mov r5, r3
.Lwide:
    // Parts of 16 bits: r2, r3, r6 of re, r4, r5, r7 of im, the upper ones first.
    ldmia r5!, {r2, r4, r6}
    sxth r3, r2
    subs r2, r2, r3
    asrs r2, r2, #16
    sxth r5, r4
    subs r4, r4, r5
    asrs r4, r4, #16
    asrs r7, r6, #16
    sxth r6, r6
    // The products' real part, upper and lower: r12, r0; lower parts' imaginary one: r6.
    mov r0, r9
    muls r0, r6, r0
    add_product subs, r0, r7, r11, r1
    asrs r0, r0, #16
    mov r1, r11
    muls r6, r1, r6
    add_product adds, r6, r7, r9, r7
    asrs r6, r6, #16
    mov r1, r8
    muls r1, r3, r1
    add_product subs, r1, r5, r10, r7
    asrs r1, r1, #16
    adds r0, r0, r1
    add_product adds, r0, r2, r8, r1
    add_product adds, r0, r3, r9, r1
    add_product subs, r0, r4, r10, r1
    add_product subs, r0, r5, r11, r1
    mov r1, r9
    muls r1, r2, r1
    add_product subs, r1, r4, r11, r7
    mov r12, r1
    // The imaginary one: r2, r6.
    mov r7, r10
    muls r7, r3, r7
    add_product adds, r7, r5, r8, r1
    asrs r7, r7, #16
    adds r6, r6, r7
    add_product adds, r6, r2, r10, r7
    add_product adds, r6, r4, r8, r7
    add_product adds, r6, r3, r11, r3
    add_product adds, r6, r5, r9, r5
    mov r1, r11
    muls r2, r1, r2
    add_product adds, r2, r4, r9, r4
    ldr r7, [sp, #A]
    ldr r5, [sp, #B]
    ldr r1, [r7, #LOWS]
    lsls r1, r1, #16
    asrs r1, r1, #17
    put 0, 8, r0, r0
    ldr r1, [r7, #LOWS]
    asrs r1, r1, #17
    put 4, 10, r2, r6
    ldr r0, [sp, #STEP]
    adds r7, r7, r0
    adds r5, r5, r0
    str r7, [sp, #A]
    str r5, [sp, #B]
    ldr r0, [sp, #END]
    cmp r7, r0
    blo .Lwide
    add sp, #16
    restore
.size midge_turn_wide, . - midge_turn_wide

#endif
