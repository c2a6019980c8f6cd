// void midge_patches(const midge_patch_t *patch)
//
// Windows of one channel, side by side. 11 cycles for a product, 13 for a line, 55 for an output.
//
// Stack: 52 bytes, and midge_scale_exactly.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

.syntax unified
.cpu cortex-m0plus
.thumb
.text

#include "lanes.h"

// Of midge_patch_t
#define SCALE 24
#define COLUMNS 40
#define X_SKIP 44
#define W_SKIP 48

// Stack
#define COUNT 0
#define FRAME 8

// r8 patch, r9 out, r10 out_next, r11 x, r12 -zero, lr x_next
.global midge_patches
.type midge_patches, %function
.thumb_func
midge_patches:
    push {r4-r7, lr}
    save_high
    mov r8, r0
    ldmia r0!, {r1-r6}
    mov r11, r1
    mov lr, r2
    mov r9, r3
    mov r10, r4
    mov r12, r5
    push {r6, r7}
.Lwindow:
    mov r7, r8
    adds r7, r7, #SCALE
    ldmia r7!, {r1-r5} // scale, w, x_step, lines, columns
    ldr r0, [r1]
    adds r2, r2, r5 // the end of a line of weights
    mov r1, r11
    str r4, [sp, #4]
.Lline:
    rsbs r7, r5, #0 // index from there, up to 0
    movs r4, #0
.Lcolumn:
    ldrsb r5, [r1, r4]
    ldrsb r6, [r2, r7]
    add r5, r12
    muls r5, r6, r5
    adds r0, r0, r5
    adds r4, r4, r3
    adds r7, r7, #1
    bne .Lcolumn
    ldr r4, [sp, #4]
    subs r4, r4, #1
    bne .Lnext_line
    mov r7, r8
    ldr r7, [r7, #SCALE]
    adds r7, r7, #4
    ldmia r7!, {r1-r4}
    scale .Lclamp, .Ldoubt, r5
.Lstore:
    mov r7, r9
    strb r0, [r7]
    add r9, r10
    add r11, lr
    ldr r7, [sp, #COUNT]
    subs r7, r7, #1
    str r7, [sp, #COUNT]
    bne .Lwindow
    add sp, #FRAME
    restore_high
    pop {r4-r7, pc}

.Lnext_line:
    str r4, [sp, #4]
    mov r7, r8
    adds r7, r7, #COLUMNS
    ldmia r7!, {r4, r5, r6} // columns, x_skip, w_skip
    adds r1, r1, r5
    adds r2, r2, r6
    mov r5, r4
    b .Lline

.Lclamp:
    asrs r0, r0, #31
    movs r6, #127
    eors r0, r6
    b .Lstore
.Ldoubt:
    mov r0, r5
    mov r1, r8
    ldr r1, [r1, #SCALE]
    mov r4, r12
    mov r5, lr
    bl midge_scale_exactly
    mov r12, r4
    mov lr, r5
    b .Lstore
.size midge_patches, . - midge_patches

#endif
