// uint32_t midge_dot(const int8_t *x, const int8_t *w, uint32_t count)
//
// The sum of x[i] * w[i]. 8 cycles for a product.
//
// Stack: 12 bytes.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

.syntax unified
.cpu cortex-m0plus
.thumb
.text

.macro product
    ldrsb r4, [r0, r2]
    ldrsb r5, [r1, r2]
    muls r4, r5, r4
    adds r3, r3, r4
    adds r2, r2, #1
.endm

.global midge_dot
.type midge_dot, %function
.thumb_func
midge_dot:
    push {r4, r5, lr}
    movs r3, #0
    adds r0, r0, r2
    adds r1, r1, r2
    rsbs r2, r2, #0 // index from the end, up to 0
    beq .Lreturn
    lsrs r4, r2, #1
    bcs .Lodd
.Lproducts:
    product
.Lodd:
    product
    bne .Lproducts
.Lreturn:
    mov r0, r3
    pop {r4, r5, pc}
.size midge_dot, . - midge_dot

#endif
