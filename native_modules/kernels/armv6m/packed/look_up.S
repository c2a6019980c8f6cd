// Values of Huffman codes, for unpack.c: 14 cycles for one of two whose codes are looked up, 46
// and 13 for each bit above 8 for a longer one, 11 to read two bytes.
//
// Stack: 40 bytes.

#include "target.h"

#ifdef MIDGE_TUNED_UNPACK

.syntax unified
.cpu cortex-m0plus
.thumb
.text

// r4 bits, r5 less than 16 bits are there by so many, ip next, lr the last place of two bytes.
// Uses r0, r7. Goes to done where data end.
.macro refill
    mov r0, ip
    cmp r0, lr
    bhi done
    ldrh r7, [r0]
    rev16 r7, r7
    adds r0, #2
    mov ip, r0
    lsls r7, r5
    orrs r4, r7
    subs r5, #16
.endm

// A value, with flags of how many are left. r1 stop - 1, r2 1 - left, r3 lookup, r6 step.
.macro look_up longer
    lsrs r0, r4, #25
    lsls r0, r0, #1
    ldrh r0, [r3, r0]
    lsrs r7, r0, #8
    beq \longer
    lsls r4, r7
    adds r5, r7
    muls r0, r6
    strb r0, [r1, r2]
    adds r2, #1
.endm

// uint32_t midge_look_up(midge_bits_t *in, uint8_t *stop, uint32_t left,
//     const midge_huffman_t *codes)
.global midge_look_up
.type midge_look_up, %function
.thumb_func
midge_look_up:
    push {r0, r3, r4, r5, r6, r7, lr}
    ldr r4, [r0]
    ldr r6, [r0, #4]
    movs r5, #16
    subs r5, r5, r6
    ldr r6, [r0, #8]
    mov ip, r6
    ldr r6, [r0, #12]
    subs r6, #2
    mov lr, r6
    ldr r6, [r3, #12]
    ldr r3, [r3]
    adds r3, #6
    subs r1, #1
    rsbs r2, r2, #0
    adds r2, #1
    beq last
two:
    cmp r5, #2
    ble 1f
    refill
1:  look_up longer
    look_up longer
    bmi two
    bne done
last:
    cmp r5, #9
    ble 1f
    refill
1:  look_up longer
done:
    pop {r0, r3}
    movs r3, #16
    subs r3, r3, r5
    cmp r3, #32
    bls 1f
    movs r3, #0 // tables that are not those of midge_prepare
1:  stmia r0!, {r4}
    stmia r0!, {r3}
    mov r7, ip
    str r7, [r0]
    movs r0, #1
    subs r0, r0, r2
    pop {r4, r5, r6, r7, pc}

// A code of 8 to 12 bits. r1 32 - its length, r0 the first code of that length, r3 how many
// shorter ones there are, r7 where it says how many there are of this length.
longer:
    cmp r5, #4
    ble 1f
    refill
1:  push {r1, r2, r3}
    ldr r7, [sp, #16]
    subs r3, #6
    ldrh r0, [r3]
    ldrh r3, [r3, #2]
    ldr r7, [r7, #4]
    adds r7, #7
    movs r1, #24
length:
    movs r2, r4
    lsrs r2, r1
    subs r2, r2, r0
    ldrb r6, [r7]
    cmp r2, r6
    blo found
    adds r3, r3, r6
    adds r0, r0, r6
    lsls r0, r0, #1
    adds r7, #1
    subs r1, #1
    cmp r1, #20
    bhs length
none:
    pop {r1, r2, r3}
    b done
found:
    adds r3, r3, r2
    ldr r6, [sp, #16]
    ldr r7, [r6, #8]
    cmp r3, r7
    bhs none
    ldr r7, [r6, #4]
    adds r7, #12
    ldrb r0, [r7, r3]
    ldr r6, [r6, #12]
    movs r7, #32
    subs r7, r7, r1
    lsls r4, r7
    adds r5, r5, r7
    muls r0, r6
    pop {r1, r2, r3}
    strb r0, [r1, r2]
    adds r2, #1
    bmi two
    beq last
    b done
.size midge_look_up, . - midge_look_up

#endif
