// Values of Huffman codes, for unpack.c. Of 16 to 21 cycles for a value, a refill with two bytes
// takes 22.
//
// Stack: 24 bytes.

#include "target.h"

#ifdef MIDGE_TUNED_LOOK_UP

.syntax unified
.cpu cortex-m0plus
.thumb
.text

// uint32_t midge_look_up(midge_bits_t *in, uint8_t *stop, uint32_t left, const uint16_t *lookup,
//     uint32_t step)
// r1 stop, r2 less what is left, r3 lookup, r4 bits, r5 have, r6 step, ip next, lr the last byte
.global midge_look_up
.type midge_look_up, %function
.thumb_func
midge_look_up:
    push {r0, r4, r5, r6, r7, lr}
    ldr r4, [r0]
    ldr r5, [r0, #4]
    ldr r6, [r0, #8]
    mov ip, r6
    ldr r6, [r0, #12]
    subs r6, #1
    mov lr, r6
    ldr r6, [sp, #24]
    rsbs r2, r2, #0
next_code:
    cmp r5, #7
    bls refill
look:
    lsrs r0, r4, #25
    lsls r0, r0, #1
    ldrh r0, [r3, r0]
    lsrs r7, r0, #8
    beq done
    lsls r4, r4, r7
    subs r5, r5, r7
    muls r0, r6
    strb r0, [r1, r2]
    adds r2, #1
    bne next_code
done:
    pop {r0}
    stmia r0!, {r4, r5}
    mov r7, ip
    str r7, [r0]
    rsbs r0, r2, #0
    pop {r4, r5, r6, r7, pc}
refill:
    mov r0, ip
    cmp r0, lr
    bhs done
    ldrb r7, [r0]
    ldrb r0, [r0, #1]
    lsls r7, r7, #8
    orrs r7, r0
    movs r0, #16
    subs r0, r0, r5
    lsls r7, r0
    orrs r4, r7
    adds r5, #16
    movs r0, #2
    add ip, r0
    b look
.size midge_look_up, . - midge_look_up

#endif
