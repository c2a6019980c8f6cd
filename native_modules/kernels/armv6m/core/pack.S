// uint32_t midge_pack(uint32_t *to, const int8_t *a, const int8_t *b, uint32_t n)
//
// to[3 * i] = a[i] + (b[i] << 16): one of the three pairs of a tile. Returns the sum of the words.
// 11 cycles for a word.
//
// Stack: 20 bytes.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

.syntax unified
.cpu cortex-m0plus
.thumb
.text

.macro word at
    ldrsb r4, [r1, r3]
    ldrsb r5, [r2, r3]
    lsls r5, r5, #16
    adds r4, r4, r5
    str r4, [r0, #12 * \at]
    adds r7, r7, r4
    adds r3, r3, #1
.endm

.global midge_pack
.type midge_pack, %function
.thumb_func
midge_pack:
    push {r4-r7, lr}
    movs r7, #0
    adds r1, r1, r3
    adds r2, r2, r3
    movs r6, #3
    ands r6, r3
    rsbs r3, r3, #0 // index from the end, up to 0
    cmp r6, #0
    beq .Lfours
.Lones:
    word 0
    adds r0, r0, #12
    subs r6, r6, #1
    bne .Lones
.Lfours:
    cmp r3, #0
    beq .Lreturn
.Lfour:
    word 0
    word 1
    word 2
    word 3
    adds r0, r0, #48
    cmp r3, #0
    bne .Lfour
.Lreturn:
    mov r0, r7
    pop {r4-r7, pc}
.size midge_pack, . - midge_pack

#endif
