// void midge_accumulate_armv6m(uint32_t *acc, const int8_t *w0, const int8_t *w1, const int8_t *x,
//     uint32_t n)
//
// acc[0] += w0 . x and acc[1] += w1 . x, for n values. 11 cycles for two products.

.syntax unified
.cpu cortex-m0plus
.thumb
.text

.macro value
    ldrsb r4, [r3, r7]
    ldrsb r5, [r1, r7]
    muls r5, r4, r5
    adds r0, r0, r5
    ldrsb r5, [r2, r7]
    muls r5, r4, r5
    adds r6, r6, r5
    adds r7, r7, #1
.endm

.global midge_accumulate_armv6m
.type midge_accumulate_armv6m, %function
.thumb_func
midge_accumulate_armv6m:
    push {r0, r4-r7, lr}
    ldr r7, [sp, #24]
    ldmia r0, {r0, r6}
    adds r1, r1, r7
    adds r2, r2, r7
    adds r3, r3, r7
    negs r7, r7 // index from the end, up to 0
    beq .Lreturn
    lsrs r4, r7, #1
    bcs .Lodd
.Lvalues:
    value
.Lodd:
    value
    bne .Lvalues
.Lreturn:
    pop {r1}
    stmia r1!, {r0, r6}
    pop {r4-r7, pc}
.size midge_accumulate_armv6m, . - midge_accumulate_armv6m
