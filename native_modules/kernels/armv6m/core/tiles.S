// One output channel of a convolution for tiles of six pixels, two products in each
// multiplication.
//
// void midge_tiles(const uint32_t *pixels, const midge_scale_t *scale, int8_t *out,
//     const midge_tiles_t *job)
//
// A word of `pixels` holds two pixels' values of one channel, a + (b << 16); three words, six
// pixels, follow each other for channel 0, three for channel 1, and so on. A product with a weight
// w is a * w + (b * w << 16), and sums of such products hold two sums as long as the lower one
// stays within 16 bits: |a| <= 128, so for a run of weights with sum |w| <= 255. expand.S cuts the
// weights into such runs behind `scale`:
//     jump, w0, w1, ...  for each run; the jump skips the steps that the run does not need
//     end                a jump to the epilogue
//
// Cycles: 13 n + 16 for a run of n weights, that is 6 n products; about 140 for a tile's
// beginning, end and requantisation.
//
// Stack: 84 bytes, and midge_scale_exactly.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

.syntax unified
.cpu cortex-m0plus
.thumb
.text

#include "tiles.h"

// Of midge_scale_t
#define START 0
#define LIMIT 4

// Stack
#define SCALE 0
#define OUT 4
#define COUNT 8
#define STRIDE 12
#define LAST_STEP 16
#define FRAME 20

// r0 = x' -> the byte at r7. r1 limit, r2 range, r3 high, r4 base.
.macro requantize n, sum
    mov r0, \sum
    scale .Lclamp\n, .Ldoubt\n
.Lstore\n:
    strb r0, [r7]
.endm

.global midge_tiles
.type midge_tiles, %function
.thumb_func
midge_tiles:
    push {r4-r7, lr}
    save_high
    mov r6, r0
    ldmia r3, {r3, r4, r5}
    push {r1-r5}

.Ltile:
    ldr r7, [sp, #SCALE]
    ldr r0, [r7, #START]
    adds r7, r7, #MIDGE_SCALE_BYTES
    mov r8, r0
    mov r9, r0
    mov r10, r0
    mov r11, r0
    mov r12, r0
    mov lr, r0
    b .Lrun

.Lflush:
    flush r2, r8, r9
    flush r3, r10, r11
    flush r4, r12, lr
.Lrun:
    ldmia r7!, {r1, r5}
    ldmia r6!, {r2, r3, r4}
    muls r2, r5, r2
    muls r3, r5, r3
    muls r4, r5, r4
    add pc, r1
    nop
.rept MIDGE_RUN - 1
    ldmia r7!, {r5}
    ldmia r6!, {r0, r1}
    muls r0, r5, r0
    adds r2, r2, r0
    muls r1, r5, r1
    adds r3, r3, r1
    ldmia r6!, {r0}
    muls r0, r5, r0
    adds r4, r4, r0
.endr
    b .Lflush
    // MIDGE_RUN_END leads here. The step before it has read three pixel words too many.
    subs r6, r6, #12
    mov r5, r6
    ldr r7, [sp, #SCALE]
    adds r7, r7, #LIMIT
    ldmia r7!, {r1-r4}
    ldr r7, [sp, #OUT]
    requantize 0, r8
    ldr r6, [sp, #STRIDE]
    mov r8, r6
    add r7, r8
    requantize 1, r9
    add r7, r8
    requantize 2, r10
    add r7, r8
    requantize 3, r11
    add r7, r8
    requantize 4, r12
    add r7, r8
    requantize 5, lr
    add r7, r8
    mov r6, r5
    ldr r0, [sp, #COUNT]
    subs r0, r0, #1
    beq .Ldone
    str r0, [sp, #COUNT]
    cmp r0, #1
    bne .Lnext
    ldr r0, [sp, #LAST_STEP]
    adds r7, r7, r0
.Lnext:
    str r7, [sp, #OUT]
    b .Ltile

.Ldone:
    add sp, #FRAME
    restore_high
    pop {r4-r7, pc}

corners 0, r8
corners 1, r9
corners 2, r10
corners 3, r11
corners 4, r12
corners 5, lr

// r0 = x' -> r0 = its byte. Leaves all registers of the epilogue but r0.
.thumb_func
exactly:
    push {r1-r4, lr}
    mov r1, r12
    push {r1, r6}
    ldr r1, [sp, #28 + SCALE]
    bl midge_scale_exactly
    pop {r1, r6}
    mov r12, r1
    pop {r1-r4, pc}
.size midge_tiles, . - midge_tiles

#endif
