// void midge_channel(const midge_window_t *op, const uint8_t *block, uint32_t index,
//     midge_channel_t *channel)
//
// Reads a channel's entry: fields of any number of bits, least significant first. 120 cycles.
//
// Reads the aligned words that hold the fields, so up to three bytes beside a block that does not
// lie at an aligned address.
//
// void midge_scale_channel(const midge_window_t *op, midge_scale_t *scale)
//
// What scale.c of the generic kernels says, in 85 cycles.
//
// Stack: 24 bytes.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

.syntax unified
.cpu cortex-m0plus
.thumb
.text

// Of midge_window_t
#define BIAS_BITS 14
#define SHIFT_BITS 15
#define MULT_BITS 16
#define SHIFT 17
#define MULTIPLIER 40

// Of midge_channel_t: bias, multiplier, shift

.global midge_channel
.type midge_channel, %function
.thumb_func
midge_channel:
    push {r4-r7, lr}
    mov r12, r3
    mov r4, r0
    ldrb r3, [r4, #BIAS_BITS]
    ldrb r5, [r4, #SHIFT_BITS]
    ldrb r6, [r4, #MULT_BITS]
    adds r5, r5, r3
    adds r5, r5, r6
    muls r2, r5, r2
    movs r5, #3
    ands r5, r1
    subs r1, r1, r5
    lsls r5, r5, #3
    adds r2, r2, r5
    bl read
    lsls r0, r0, r7 // its sign
    asrs r0, r0, r7
    mov r5, r12
    str r0, [r5]

    ldrb r3, [r4, #SHIFT_BITS]
    bl read
    movs r5, #SHIFT
    ldrsb r5, [r4, r5]
    adds r0, r0, r5
    movs r5, #30
    cmp r0, r5
    bgt .Llimit
    mvns r5, r5 // -31
    cmp r0, r5
    bge .Lshift
.Llimit:
    mov r0, r5
.Lshift:
    mov r5, r12
    str r0, [r5, #8]

    ldrb r3, [r4, #MULT_BITS]
    ldr r0, [r4, #MULTIPLIER]
    cmp r3, #0
    beq .Lmultiplier
    bl read
    movs r5, #1
    lsls r5, r5, #30
    orrs r0, r5
.Lmultiplier:
    mov r5, r12
    str r0, [r5, #4]
    pop {r4-r7, pc}

// r3 bits, 0 to 32, from bit r2 of r1 on -> r0; r2 behind them, r7 = 32 - r3. Uses r5, r6.
.thumb_func
read:
    lsrs r6, r2, #5
    lsls r6, r6, #2
    ldr r0, [r1, r6]
    movs r5, #31
    ands r5, r2
    lsrs r0, r0, r5
    adds r2, r2, r3
    movs r7, #32
    subs r5, r7, r5 // bits so far
    subs r7, r7, r3
    cmp r5, r3
    bhs .Lread
    adds r6, r6, #4
    ldr r6, [r1, r6]
    lsls r6, r6, r5
    orrs r0, r6
.Lread:
    lsls r0, r0, r7
    lsrs r0, r0, r7
    bx lr
.size midge_channel, . - midge_channel

// Of midge_window_t
#define OUTPUT_ZERO 11
#define CLAMP 12

// Of midge_scale_t
#define START 0
#define RANGE 8
#define HIGH 12
#define BASE 16
#define FIRST 20
#define OP 24
#define BIAS 28
#define SCALE_MULTIPLIER 32
#define SCALE_SHIFT 36

// One of Newton's steps towards r6 = 2^29 / r5; r7 = 2^15.
.macro newton
    mov r2, r5
    muls r2, r6, r2
    lsrs r2, r2, #15
    subs r2, r7, r2
    muls r6, r2, r6
    lsrs r6, r6, #14
.endm

// -shift is called r.
.global midge_scale_channel
.type midge_scale_channel, %function
.thumb_func
midge_scale_channel:
    push {r4-r7, lr}
    str r0, [r1, #OP]
    ldr r2, [r1, #BIAS]
    movs r3, #0
    mvns r4, r3
    str r3, [r1, #FIRST]
    stmia r1!, {r2, r3, r4} // start, limit, range
    subs r1, r1, #12
    ldrh r5, [r0, #CLAMP]
    ldr r6, =0x7F80 // 127, -128
    cmp r5, r6
    bne .Lscaled
    movs r5, #1
    lsls r6, r5, #29
    adds r2, r2, r6
    lsls r5, r5, #30
    cmp r2, r5
    bhi .Lscaled
    ldr r3, [r1, #SCALE_MULTIPLIER]
    lsrs r5, r3, #30
    beq .Lscaled
    ldr r4, [r1, #SCALE_SHIFT]
    mov r5, r4
    adds r5, r5, #12
    cmp r5, #12 - 2
    bhi .Lscaled
    lsrs r5, r3, #16
    ldr r6, =47746
    subs r6, r6, r5
    movs r7, #1
    lsls r7, r7, #15
    newton
    newton
    // r6 a step of the output, r5 half a unit, r2 and lr 14 - r, r7 range
    adds r4, r4, #13
    movs r5, #1
    lsls r5, r5, r4
    adds r2, r4, #1
    mov lr, r2
    movs r7, #255
    muls r7, r6, r7
    adds r7, r7, r5
    lsrs r7, r7, r2
    str r7, [r1, #RANGE]
    // r3 what `high` lacks, r7 error
    adds r4, r4, #25 - 13
    lsls r3, r3, r4
    lsrs r3, r3, #21
    adds r3, r3, #1
    muls r7, r3, r7
    lsrs r7, r7, #11
    adds r7, r7, #4
    // r4 7 + r, r0 zero point
    subs r4, r4, #32
    rsbs r4, r4, #0
    ldr r2, [r1, #SCALE_MULTIPLIER]
    lsrs r2, r2, r4
    str r2, [r1, #HIGH]
    mov r12, r2
    movs r2, #OUTPUT_ZERO
    ldrsb r0, [r0, r2]
    // base: the zero point, 1/2 and 2^(23 - r)
    lsls r2, r0, #1
    adds r2, r2, #1
    lsls r2, r2, #23
    str r2, [r1, #BASE]
    movs r2, #1
    lsls r2, r2, #30
    lsrs r2, r2, r4
    adds r0, r0, #128
    bne .Lsteps
.Lbase:
    ldr r0, [r1, #BASE]
    adds r0, r0, r2
    str r0, [r1, #BASE]
    lsls r7, r7, #8
    rsbs r7, r7, #0
    str r7, [r1, #4] // limit
.Lscaled:
    pop {r4-r7, pc}

    // r0 first, r2 2^(23 - r)
.Lsteps:
    muls r0, r6, r0
    adds r0, r0, r5
    mov r5, lr
    lsrs r0, r0, r5
    rsbs r5, r0, #0
    str r5, [r1, #FIRST]
    ldr r5, [r1, #START]
    adds r5, r5, r0
    str r5, [r1, #START]
    lsrs r5, r0, #11
    adds r7, r7, r5
    muls r3, r0, r3
    lsrs r3, r3, #11
    mov r5, r12
    muls r0, r5, r0
    adds r3, r3, r0
    adds r3, r3, #1
    lsls r0, r2, #1
    adds r7, r7, r0
    adds r7, r7, #2
    // 2^(23 - r) - 2^(24 - r) - what comes before `first`
    adds r2, r2, r3
    rsbs r2, r2, #0
    b .Lbase
    .ltorg
.size midge_scale_channel, . - midge_scale_channel

#endif
