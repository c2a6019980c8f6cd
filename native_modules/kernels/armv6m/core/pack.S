// uint32_t midge_pack(uint32_t *to, const int8_t *a, const int8_t *b, uint32_t n)
//
// to[3 * i] = a[i] + (b[i] << 16): one of the three pairs of a tile. Returns the sum of the words.
// 10 cycles for a word where `a` and `b` can be loaded by words, else 12.
//
// Stack: 20 bytes.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

.syntax unified
.cpu cortex-m0plus
.thumb
.text

// The word of r6 and r7, to the place `at`.
.macro put at
    adds r6, r6, r7
    str r6, [r0, #12 * \at]
    add r12, r6
.endm

// The next word, to the place `at`; then r0 is moved by `step`. Sets Z with the last word.
.macro word at, step=0
    ldrsb r6, [r1, r3]
    ldrsb r7, [r2, r3]
    lsls r7, r7, #16
    put \at
.if \step
    adds r0, r0, #\step
.endif
    adds r3, r3, #1
.endm

// Of the words r4 and r5 the bytes above which there are `above` bits.
.macro middle at, above
    lsls r6, r4, #\above
    asrs r6, r6, #24
    lsls r7, r5, #\above
    asrs r7, r7, #24
    lsls r7, r7, #16
    put \at
.endm

.global midge_pack
.type midge_pack, %function
.thumb_func
midge_pack:
    push {r4-r7, lr}
    movs r4, #0
    mov r12, r4
    adds r1, r1, r3
    adds r2, r2, r3
    movs r5, #3
    ands r5, r3
    rsbs r3, r3, #0 // index from the end, up to 0
    adds r5, r5, r3 // where words begin
    mov r4, r1
    orrs r4, r2
    lsls r4, r4, #30 // 0: they can be loaded as such
    b .Lnext
.Lone:
    word 0, 12
.Lnext:
    cmp r3, r5
    bne .Lone
    cmp r3, #0
    beq .Lreturn
    cmp r4, #0
    beq .Lfour
.Ltwo:
    word 0
    word 1, 24
    bne .Ltwo
    b .Lreturn
.Lfour:
    ldr r4, [r1, r3]
    ldr r5, [r2, r3]
    sxtb r6, r4
    lsls r7, r5, #24
    asrs r7, r7, #8
    put 0
    middle 1, 16
    middle 2, 8
    asrs r6, r4, #24
    asrs r7, r5, #24
    lsls r7, r7, #16
    put 3
    adds r0, r0, #48
    adds r3, r3, #4
    bne .Lfour
.Lreturn:
    mov r0, r12
    pop {r4-r7, pc}
.size midge_pack, . - midge_pack

#endif
