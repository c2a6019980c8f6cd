// void midge_dense(const int8_t *x, const int8_t *const *rows, uint32_t count, int32_t *sums)
//
// 23 instructions for 16 products.
//
// Stack: 48 bytes.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV7EMSP

.syntax unified
.thumb
.text

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

.balign 4
.global midge_dense
.type midge_dense, %function
.thumb_func
midge_dense:
    push {r2-r11, lr}
    sub sp, sp, #4
    ldm r1, {r4-r7}
    movs r1, #0
    mov r8, r1
    mov r9, r1
    mov r10, r1
    mov r11, r1
    bic r3, r2, #7
    adds r3, r3, r0 // end of the rounds
    cmp r0, r3
    beq .Lrest
.Lrounds:
    four
    four
    cmp r0, r3
    bne .Lrounds
.Lrest:
    ldr r3, [sp, #4]
    ands r3, r3, #7
    beq .Ldone
.Lone:
    ldrsb r12, [r0], #1
    product r4, r8
    product r5, r9
    product r6, r10
    product r7, r11
    subs r3, r3, #1
    bne .Lone
.Ldone:
    ldr r3, [sp, #8]
    stm r3, {r8-r11}
    add sp, sp, #12
    pop {r4-r11, pc}
.size midge_dense, . - midge_dense

#endif
