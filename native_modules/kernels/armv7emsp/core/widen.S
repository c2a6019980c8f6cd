// void midge_widen_pixel(uint32_t *to, const int8_t *from, uint32_t count, uint32_t lines,
//     uint32_t pitch)
// void midge_widen_row(uint32_t *to, const int8_t *from, uint32_t count, uint32_t lines,
//     uint32_t pitch)
//
// 5 instructions for four values, 7 with their doubling, and 2 for eight.
//
// Stack: 20 bytes.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV7EMSP

.syntax unified
.thumb
.text

// The four values in \word, to every word of `words`. Uses r12.
.macro spread word, words, doubled
    sxtb16 r12, \word
    sxtb16 \word, \word, ror #8
.if \doubled
    sadd16 r12, r12, r12
    sadd16 \word, \word, \word
.endif
    str r12, [r0], #4*\words
    str \word, [r0], #4*\words
.endm

// r4 where a line's next values are, r5 how many are left, less 8
.macro widen name, words, doubled
.type \name, %function
.thumb_func
\name:
    push {r4-r7, lr}
    ldr r7, [sp, #20] // pitch
1:
    mov r4, r1
    subs r5, r2, #8
    blo 3f
2:
    ldr r6, [r4], #4
    ldr lr, [r4], #4
    spread r6, \words, \doubled
    spread lr, \words, \doubled
    subs r5, r5, #8
    bhs 2b
3:
    lsls r6, r5, #30 // carry: four or more; zero: none besides
    bcc 4f
    ldr r6, [r4], #4
    spread r6, \words, \doubled
4:
    beq 7f
    // One to three, and zeros: the upper bytes of the line's last word, if it has one.
    ands r5, r5, #3
    adds r4, r4, r5
    cmp r2, #4
    blo 8f
    ldr r6, [r4, #-4]
    rsb r5, r5, #4
    lsls r5, r5, #3
    lsrs r6, r6, r5
    b 6f
8:
    movs r6, #0
5:
    ldrb lr, [r4, #-1]!
    orr r6, lr, r6, lsl #8
    subs r5, r5, #1
    bne 5b
6:
    spread r6, \words, \doubled
7:
    adds r1, r1, r7
    subs r3, r3, #1
    bne 1b
    pop {r4-r7, pc}
.size \name, . - \name
.endm

.global midge_widen_pixel
.global midge_widen_row
widen midge_widen_pixel, 4, 0
widen midge_widen_row, 2, 1

#endif
