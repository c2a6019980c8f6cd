// void midge_channel(const midge_window_t *op, const uint8_t *block, uint32_t index,
//     midge_channel_t *channel)
//
// Reads a channel's entry: fields of any number of bits, least significant first. 180 cycles.
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
    push {r3-r7, lr}
    mov r4, r0
    ldrb r3, [r4, #BIAS_BITS]
    ldrb r5, [r4, #SHIFT_BITS]
    ldrb r6, [r4, #MULT_BITS]
    adds r5, r5, r3
    adds r5, r5, r6
    muls r2, r5, r2
    bl read
    lsls r0, r0, r7 // its sign
    asrs r0, r0, r7
    ldr r5, [sp]
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
    ldr r5, [sp]
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
    ldr r5, [sp]
    str r0, [r5, #4]
    pop {r3-r7, pc}

// r3 bits, 0 to 32, from bit r2 of r1 on -> r0; r2 behind them, r7 = 32 - r3. Touches no byte that
// holds none. Uses r5, r6.
.thumb_func
read:
    movs r0, #0
    movs r7, #7
    ands r7, r2
    lsrs r6, r2, #3
    adds r6, r6, r1
    adds r2, r2, r3
    movs r5, #0
    subs r5, r5, r7 // bits so far
    cmp r3, #0
    beq .Lread
    ldrb r0, [r6]
    lsrs r0, r0, r7
    b .Lmore
.Lbyte:
    adds r6, r6, #1
    ldrb r7, [r6]
    lsls r7, r7, r5
    orrs r0, r7
.Lmore:
    adds r5, r5, #8
    cmp r5, r3
    blt .Lbyte
.Lread:
    movs r7, #32
    subs r7, r7, r3
    lsls r0, r0, r7
    lsrs r0, r0, r7
    bx lr
.size midge_channel, . - midge_channel

#endif
