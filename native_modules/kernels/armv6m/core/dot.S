// void midge_dot_rows(midge_dot_t *dot, const int8_t *x, uint32_t first, uint32_t count)
//
// Sums of products: a value is loaded once for four rows of weights. 21 cycles for 4 products, 60
// besides.
//
// Stack: 36 bytes.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

.syntax unified
.cpu cortex-m0plus
.thumb
.text

#include "lanes.h"

.macro row pointer, sum
    ldrsb r2, [\pointer, r3]
    muls r2, r0, r2
    add \sum, r2
.endm

.global midge_dot_rows
.type midge_dot_rows, %function
.thumb_func
midge_dot_rows:
    push {r4-r7, lr}
    save_high
    mov r12, r0
    ldmia r0!, {r4-r7}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
    ldmia r0!, {r4-r7}
    adds r1, r1, r3
    adds r2, r2, r3
    adds r4, r4, r2
    adds r5, r5, r2
    adds r6, r6, r2
    adds r7, r7, r2
    rsbs r3, r3, #0 // index from the end, up to 0
.Lvalue:
    ldrsb r0, [r1, r3]
    row r4, r8
    row r5, r9
    row r6, r10
    row r7, r11
    adds r3, r3, #1
    bne .Lvalue
    mov r0, r12
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    stmia r0!, {r4-r7}
    restore_high
    pop {r4-r7, pc}
.size midge_dot_rows, . - midge_dot_rows

#endif
