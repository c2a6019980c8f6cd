// Lines of 16-bit colours into rows of pixels, for picture.c: docs/performance.md. Arrays of two
// words for each column, green's sum and that of the two others, are between the two functions.
//
// Stack: 36 bytes.

#include "target.h"

#ifdef MIDGE_TUNED_PICTURE

#include "../registers.h"

.syntax unified
.cpu cortex-m0plus
.thumb
.text

// Two colours of 5 bits, 16 bits apart in \both, and green in \pixel, of the pixel in it; times a
// weight.
.macro weigh pixel, both, weight, swapped
.if \swapped
    rev16 \pixel, \pixel
.endif
    lsls \both, \pixel, #5
    orrs \both, \pixel
    ands \both, r3
    muls \both, \weight
    lsls \pixel, \pixel, #21
    lsrs \pixel, \pixel, #26
    muls \pixel, \weight
.endm

// void f(const uint16_t *a, const uint16_t *b, int32_t step, uint32_t weights, uint32_t *sums,
//     const uint32_t *end): see add_pair in picture.c. What rounds is in the sums, and what makes
// them 128 less: of the upper 16 bits, which are signed then, and of green.
.macro add_lines name, swapped
.global \name
.type \name, %function
.thumb_func
\name:
    save
    uxth r4, r3
    lsrs r5, r3, #16
    subs r1, r1, r0 // from a to b
    lsls r2, r2, #1
    mov r8, r2
    ldr r2, [sp, #36]
    ldr r6, [sp, #40]
    mov r9, r6
    ldr r6, =0x80800080
    mov r10, r6
    ldr r6, =0x10100
    mov r11, r6
    ldr r3, =0x1F001F
1:
    ldrh r6, [r0]
    weigh r6, r7, r4, \swapped
    add r7, r10
    add r6, r11
    mov r12, r6
    mov lr, r7
    ldrh r6, [r0, r1]
    weigh r6, r7, r5, \swapped
    add r6, r12
    add r7, lr
    stmia r2!, {r6, r7}
    add r0, r8
    cmp r2, r9
    bne 1b
    restore
.ltorg
.size \name, . - \name
.endm

// void f(const uint32_t *sums, const uint16_t *pairs, uint8_t *out, const uint8_t *end): see
// put_pairs in picture.c. high, low: where the colours of the upper and of the lower 16 bits go.
.macro put_row name, high, low
.global \name
.type \name, %function
.thumb_func
\name:
    save
    mov r8, r0
    mov r10, r3
    movs r0, #1
    lsls r0, r0, #MIDGE_ROW_TAP_BITS
    mov r9, r0
1:
    ldrh r3, [r1]
    add r3, r8
    ldmia r3!, {r4-r7} // green and the others, of the first and of the second column
    ldrh r3, [r1, #2]
    mov r0, r9
    subs r0, r0, r3
    muls r4, r3
    muls r6, r0
    adds r4, r4, r6
    lsrs r4, r4, #20
    strb r4, [r2, #1]
    asrs r4, r5, #16
    muls r4, r3
    asrs r6, r7, #16
    muls r6, r0
    adds r4, r4, r6
    lsrs r4, r4, #19
    strb r4, [r2, #\high]
    uxth r5, r5
    muls r5, r3
    uxth r7, r7
    muls r7, r0
    adds r5, r5, r7
    lsrs r5, r5, #19
    subs r5, #128
    strb r5, [r2, #\low]
    adds r1, #4
    adds r2, #3
    cmp r2, r10
    bne 1b
    restore
.size \name, . - \name
.endm

.equ MIDGE_ROW_TAP_BITS, 11

add_lines midge_add_rgb565, 0
add_lines midge_add_rgb565be, 1
put_row midge_put_rgb, 0, 2
put_row midge_put_bgr, 2, 0

#endif
