// void midge_tile(const midge_tile_t *tile)
//
// A step takes 13 instructions for 16 products, 16 cycles: four words by loads of their own, which
// overlap, are had sooner than by LDRD. An output takes 8 besides. Every register but sp holds a
// sum, an address or an operand.
//
// Stack: 64 bytes.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV7EMSP

#include "tiles.h"

.syntax unified
.thumb
.text

// Of midge_tile_t, which is copied to the stack. There ENTRY, where the first round begins, takes
// the place of the steps that it leaves out.
#define PIXELS 0
#define END 4
#define GROUPS 8
#define GROUPS_END 12
#define OUT 16
#define OUT_STEP 20
#define ENTRY 24
#define TILE_BYTES 28

#define STEP_BYTES 52

// r0 pixels, r1 weights, r4 to r7 the sums of the first channel, r8 to r11 of the second
.macro step
    ldr r2, [r1], #4
    ldr r3, [r1], #4
    ldr r12, [r0], #4
    ldr lr, [r0], #4
    smlad r4, r12, r2, r4
    smlad r8, r12, r3, r8
    smlad r5, lr, r2, r5
    smlad r9, lr, r3, r9
    ldrd r12, lr, [r0], #8
    smlad r6, r12, r2, r6
    smlad r10, r12, r3, r10
    smlad r7, lr, r2, r7
    smlad r11, lr, r3, r11
.endm

// The sum -> its byte in lr, as lanes.h says. r2 multiplier, r3 offset, r12 shift.
.macro scale sum
    smmlar lr, \sum, r2, r3
    add lr, lr, \sum, asr #31
    asr lr, lr, r12
    ssat lr, #8, lr
.endm

.balign 4
.global midge_tile
.type midge_tile, %function
.thumb_func
midge_tile:
    push {r4-r11, lr}
    sub sp, sp, #TILE_BYTES
    ldm r0, {r1-r7}
    adr r0, .Lsteps + 1 // Thumb
    movs r8, #STEP_BYTES
    mla r7, r7, r8, r0
    stm sp, {r1-r7}
    mov r1, r3
.Lgroup:
    ldr r0, [sp, #PIXELS]
    ldm r1!, {r4, r8}
    mov r5, r4
    mov r6, r4
    mov r7, r4
    mov r9, r8
    mov r10, r8
    mov r11, r8
    ldr pc, [sp, #ENTRY]
.balign 4
.Lsteps:
.rept MIDGE_TILE_STEPS
    step
.endr
    ldr r2, [sp, #END]
    cmp r0, r2
    bne .Lsteps
    ldr r0, [sp, #OUT]
    ldm r1!, {r2, r3, r12}
    scale r4
    strb lr, [r0]
    ldr r4, [sp, #OUT_STEP]
    scale r5
    strb lr, [r0, r4]
    add r5, r4, r4, lsl #1
    scale r6
    strb lr, [r0, r4, lsl #1]
    scale r7
    strb lr, [r0, r5]
    adds r0, r0, #1
    ldm r1!, {r2, r3, r12}
    scale r8
    strb lr, [r0]
    scale r9
    strb lr, [r0, r4]
    scale r10
    strb lr, [r0, r4, lsl #1]
    scale r11
    strb lr, [r0, r5]
    adds r0, r0, #1
    str r0, [sp, #OUT]
    ldr r2, [sp, #GROUPS_END]
    cmp r1, r2
    bne .Lgroup
    add sp, sp, #TILE_BYTES
    pop {r4-r11, pc}
.size midge_tile, . - midge_tile

#endif
