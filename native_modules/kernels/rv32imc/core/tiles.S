// void midge_tile(const int8_t *pixels, const int8_t *const *rows, uint32_t depth, uint32_t *sums)
// void midge_dense(const int8_t *x, const int8_t *const *rows, uint32_t depth, uint32_t *sums)
//
// Every register but sp, gp and tp, which interrupts need, holds a sum, a value or an address. A
// step of midge_tile takes 40 instructions for 16 products, a step of midge_dense 25 for 8.
//
// Stack: 64 bytes.

#include "target.h"

#ifdef MIDGE_KERNELS_RV32IMC

#include "frame.h"

#define TILE_STEPS 4 // unrolled
#define DENSE_STEPS 8

// One of the tile's channels: its weight meets four pixels.
.macro channel row, k, s0, s1, s2, s3
    lb a6, \k(\row)
    mul a7, t3, a6
    add \s0, \s0, a7
    mul a7, t4, a6
    add \s1, \s1, a7
    mul a7, t5, a6
    add \s2, \s2, a7
    mul a7, t6, a6
    add \s3, \s3, a7
.endm

.macro tile_step k
    lb t3, 4*\k(a0)
    lb t4, 4*\k+1(a0)
    lb t5, 4*\k+2(a0)
    lb t6, 4*\k+3(a0)
    channel a1, \k, s0, s1, s2, s3
    channel a2, \k, s4, s5, s6, s7
    channel a3, \k, s8, s9, s10, s11
    channel a4, \k, t0, t1, t2, ra
.endm

.macro tile_next steps
    addi a0, a0, 4*\steps
    addi a1, a1, \steps
    addi a2, a2, \steps
    addi a3, a3, \steps
    addi a4, a4, \steps
.endm

    .text
    .balign 4
    .global midge_tile
    .type midge_tile, @function
midge_tile:
    save
    sw a3, FRAME_FREE(sp)
    slli a5, a2, 2
    add a5, a0, a5 // end of the pixels
    sw a5, FRAME_FREE+4(sp)
    andi t0, a2, TILE_STEPS-1
    slli t0, t0, 2
    sub a5, a5, t0
    lw a2, 4(a1)
    lw a3, 8(a1)
    lw a4, 12(a1)
    lw a1, 0(a1)
    .irp sum, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t0, t1, t2, ra
    li \sum, 0
    .endr
    beq a0, a5, .Ltile_rest
.Ltile_steps:
    tile_step 0
    tile_step 1
    tile_step 2
    tile_step 3
    tile_next TILE_STEPS
    bne a0, a5, .Ltile_steps
.Ltile_rest:
    lw a5, FRAME_FREE+4(sp)
    beq a0, a5, .Ltile_done
.Ltile_one:
    tile_step 0
    tile_next 1
    bne a0, a5, .Ltile_one
.Ltile_done:
    lw a3, FRAME_FREE(sp)
    .set at, 0
    .irp sum, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t0, t1, t2, ra
    sw \sum, at(a3)
    .set at, at + 4
    .endr
    restore
    ret
    .size midge_tile, . - midge_tile

.macro product row, k, sum
    lb a7, \k(\row)
    mul a7, a7, a6
    add \sum, \sum, a7
.endm

.macro dense_step k
    lb a6, \k(a0)
    product s0, \k, t0
    product s1, \k, t1
    product s2, \k, t2
    product s3, \k, t3
    product s4, \k, t4
    product s5, \k, t5
    product s6, \k, t6
    product s7, \k, a1
.endm

.macro dense_next steps
    .irp at, a0, s0, s1, s2, s3, s4, s5, s6, s7
    addi \at, \at, \steps
    .endr
.endm

    .balign 4
    .global midge_dense
    .type midge_dense, @function
midge_dense:
    save
    .set at, 0
    .irp row, s0, s1, s2, s3, s4, s5, s6, s7
    lw \row, at(a1)
    .set at, at + 4
    .endr
    .irp sum, t0, t1, t2, t3, t4, t5, t6, a1
    li \sum, 0
    .endr
    add a4, a0, a2 // end
    andi a5, a2, DENSE_STEPS-1
    sub a5, a4, a5
    beq a0, a5, .Ldense_rest
.Ldense_steps:
    dense_step 0
    dense_step 1
    dense_step 2
    dense_step 3
    dense_step 4
    dense_step 5
    dense_step 6
    dense_step 7
    dense_next DENSE_STEPS
    bne a0, a5, .Ldense_steps
.Ldense_rest:
    beq a0, a4, .Ldense_done
.Ldense_one:
    dense_step 0
    dense_next 1
    bne a0, a4, .Ldense_one
.Ldense_done:
    .set at, 0
    .irp sum, t0, t1, t2, t3, t4, t5, t6, a1
    sw \sum, at(a3)
    .set at, at + 4
    .endr
    restore
    ret
    .size midge_dense, . - midge_dense

#endif
