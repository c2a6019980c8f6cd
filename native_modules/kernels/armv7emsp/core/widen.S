// void midge_widen_pixel(uint32_t *to, const int8_t *from, uint32_t count)
// void midge_widen_row(uint32_t *to, const int8_t *from, uint32_t count)
//
// 5 instructions for four values, 7 with their doubling, and 3 for eight.
//
// Stack: 24 bytes.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV7EMSP

.syntax unified
.thumb
.text

// The four values in \word. Uses lr.
.macro spread word, words, doubled
    sxtb16 lr, \word
    sxtb16 \word, \word, ror #8
.if \doubled
    sadd16 lr, lr, lr
    sadd16 \word, \word, \word
.endif
    str lr, [r0], #4*\words
    str \word, [r0], #4*\words
.endm

// Values to every word of `words`.
.macro widen name, words, doubled
.type \name, %function
.thumb_func
\name:
    push {r4, lr}
    subs r2, r2, #8
    blo 2f
1:
    ldr r3, [r1], #4
    ldr r4, [r1], #4
    spread r3, \words, \doubled
    spread r4, \words, \doubled
    subs r2, r2, #8
    bhs 1b
2:
    adds r2, r2, #8
    beq 6f
    subs r2, r2, #4
    blo 3f
    ldr r3, [r1], #4
    spread r3, \words, \doubled
    beq 6f
    b 4f
3:
    adds r2, r2, #4
4:
    // One to three values, and zeros.
    add r1, r1, r2
    movs r3, #0
5:
    ldrb r4, [r1, #-1]!
    orr r3, r4, r3, lsl #8
    subs r2, r2, #1
    bne 5b
    spread r3, \words, \doubled
6:
    pop {r4, pc}
.size \name, . - \name
.endm

.global midge_widen_pixel
.global midge_widen_row
widen midge_widen_pixel, 4, 0
widen midge_widen_row, 2, 1

#endif
