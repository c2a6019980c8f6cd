// Values of so many bits each, for unpack.c: 5 cycles for one, and 14 besides for the 16, 8 or 4
// of 2, 4 or 8 bits that a word of data holds; of 3 bits 16 for 5 values. For each other one 16,
// and 14 to read two bytes.
//
// Stack: 32 bytes.

#include "target.h"

#ifdef MIDGE_TUNED_UNPACK

.syntax unified
.cpu cortex-m0plus
.thumb
.text

// r0 next, r1 where values go, r2 the last place for as many as are taken together, r3 have, r4
// bits, r5 data, r6 step, ip 32 - have, lr the last place of as many data.

.macro values bits, count
    .set at, 0
    .rept \count
    asrs r7, r4, #32 - \bits
    .if (at + 1) * \bits < 32
    lsls r4, r4, #\bits
    .endif
    muls r7, r6
    strb r7, [r1, #at]
    .set at, at + 1
    .endr
    adds r1, #\count
.endm

// Words of values.
.macro words bits
    subs r2, #32 / \bits
    cmp r1, r2
    bhi 2f
1:  cmp r0, lr
    bhi 2f
    ldmia r0!, {r5}
    rev r5, r5
    movs r7, r5
    lsrs r7, r3
    orrs r4, r7
    values \bits, 32 / \bits
    mov r7, ip
    movs r4, r5
    lsls r4, r7
    cmp r1, r2
    bls 1b
2:  b one_by_one
.endm

// uint32_t midge_spread(midge_bits_t *in, uint8_t *stop, uint32_t left, uint32_t count,
//     uint32_t step)
.global midge_spread
.type midge_spread, %function
.thumb_func
midge_spread:
    push {r0, r1, r3, r4, r5, r6, r7, lr}
    ldr r6, [sp, #32]
    ldr r5, [r0, #12]
    ldr r4, [r0]
    subs r7, r1, r2
    movs r2, r1
    movs r1, r7
    movs r7, r3
    ldr r3, [r0, #4]
    ldr r0, [r0, #8]
    cmp r7, #3
    bne 4f
// Five at a time. r3: less than 16 bits are there by so many.
    subs r5, #2
    mov lr, r5
    movs r5, #16
    subs r3, r5, r3
    subs r2, #5
    cmp r1, r2
    bhi 3f
1:  cmp r3, #1
    ble 2f
    cmp r0, lr
    bhi 3f
    ldrh r7, [r0]
    adds r0, #2
    rev16 r7, r7
    lsls r7, r3
    orrs r4, r7
    subs r3, #16
2:  values 3, 5
    adds r3, #15
    cmp r1, r2
    bls 1b
3:  movs r5, #16
    subs r3, r5, r3
    b one_by_one
4:  subs r5, #4
    mov lr, r5
    movs r5, #32
    subs r5, r5, r3
    mov ip, r5
    cmp r7, #8
    beq of_8_bits
    cmp r7, #2
    beq of_2_bits
    cmp r7, #4
    bne 2f
    words 4
of_8_bits:
    words 8
of_2_bits:
    words 2
// r2 stop, r5 32 - count, ip count, lr the last place of two bytes.
one_by_one:
    ldr r5, [sp]
    ldr r7, [r5, #12]
    subs r7, #2
    mov lr, r7
    ldr r2, [sp, #4]
    ldr r7, [sp, #8]
    mov ip, r7
    movs r5, #32
    subs r5, r5, r7
1:  cmp r1, r2
    beq 4f
    mov r7, ip
    subs r3, r3, r7
    bhs 2f
    adds r3, r3, r7
    cmp r0, lr
    bhi 4f
    ldrh r7, [r0]
    adds r0, #2
    rev16 r7, r7
    lsls r7, r7, #16
    lsrs r7, r3
    orrs r4, r7
    adds r3, #16
    mov r7, ip
    subs r3, r3, r7
2:  movs r7, r4
    asrs r7, r5
    muls r7, r6
    strb r7, [r1]
    adds r1, #1
    mov r7, ip
    lsls r4, r7
    b 1b
4:  pop {r2, r5, r6}
    str r4, [r2]
    str r3, [r2, #4]
    str r0, [r2, #8]
    subs r0, r5, r1
    pop {r4, r5, r6, r7, pc}
.size midge_spread, . - midge_spread

#endif
