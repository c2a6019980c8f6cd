// void midge_tile(midge_tile_t *tile)
// void midge_dense(const int8_t *x, const int8_t *const *rows, uint32_t depth, uint32_t *sums)
//
// Every register but sp, gp and tp, which interrupts need, holds a sum, a value or an address. A
// step of midge_tile takes 40 instructions for 16 products, a step of midge_dense 25 for 8; an
// output of midge_tile takes 19 besides.
//
// Stack: 64 bytes.

#include "target.h"

#ifdef MIDGE_KERNELS_RV32IMC

#include "registers.h"
#include "tiles.h"

// Of midge_lane_t
#define ROW 0
#define BIAS 4
#define MULTIPLIER 8
#define HALF 12
#define SHIFT 16
#define LANE_BYTES 20

// Of midge_tile_t
#define PIXELS 0
#define WHOLE 4
#define END 8
#define LANES 12
#define OUT 16
#define OUT_STEP 20
#define ZERO 24
#define LOW 28
#define HIGH 32
#define GROUPS 36

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

.macro begin_channel n, s0, s1, s2, s3
    lw \s0, \n*LANE_BYTES+BIAS(a6)
    mv \s1, \s0
    mv \s2, \s0
    mv \s3, \s0
.endm

.macro call_channel s0, s1, s2, s3
    .ifnb \s0
    mv s0, \s0
    mv s1, \s1
    mv s2, \s2
    .endif
    .ifnb \s3
    mv s3, \s3
    .endif
    jal end_channel
.endm

.macro output sum
    scale \sum, a1, a2, a3, a4, a5, a6
    sb t5, 0(t4)
    add t4, t4, t3
.endm

.text
.balign 4
.global midge_tile
.type midge_tile, @function
midge_tile:
    save
    sw a0, FRAME_FREE(sp)
.Lgroup:
    lw t3, FRAME_FREE(sp)
    lw a6, LANES(t3)
    begin_channel 0, s0, s1, s2, s3
    begin_channel 1, s4, s5, s6, s7
    begin_channel 2, s8, s9, s10, s11
    begin_channel 3, t0, t1, t2, ra
    lw a1, 0*LANE_BYTES+ROW(a6)
    lw a2, 1*LANE_BYTES+ROW(a6)
    lw a3, 2*LANE_BYTES+ROW(a6)
    lw a4, 3*LANE_BYTES+ROW(a6)
    lw a0, PIXELS(t3)
    lw a5, WHOLE(t3)
    beq a0, a5, .Ltile_rest
.Ltile_steps:
    tile_step 0
    tile_step 1
    tile_step 2
    tile_step 3
    tile_next MIDGE_TILE_STEPS
    bne a0, a5, .Ltile_steps
.Ltile_rest:
    lw t3, FRAME_FREE(sp)
    lw a5, END(t3)
    beq a0, a5, .Lscale
.Ltile_one:
    tile_step 0
    tile_next 1
    bne a0, a5, .Ltile_one
    lw t3, FRAME_FREE(sp)
.Lscale:
    lw a0, LANES(t3)
    lw a4, ZERO(t3)
    lw a5, LOW(t3)
    lw a6, HIGH(t3)
    lw a7, OUT(t3)
    lw t3, OUT_STEP(t3)
    sw ra, FRAME_FREE+4(sp) // the last sum
    call_channel
    call_channel s4, s5, s6, s7
    call_channel s8, s9, s10, s11
    lw s3, FRAME_FREE+4(sp)
    call_channel t0, t1, t2
    lw t3, FRAME_FREE(sp)
    sw a0, LANES(t3)
    sw a7, OUT(t3)
    lw t4, GROUPS(t3)
    addi t4, t4, -1
    sw t4, GROUPS(t3)
    bnez t4, .Lgroup
    restore
    ret

// s0-s3, the sums of a channel of four pixels; a0 its midge_lane_t, a7 where its outputs go.
end_channel:
    lw a1, MULTIPLIER(a0)
    lw a2, HALF(a0)
    lw a3, SHIFT(a0)
    mv t4, a7
    output s0
    output s1
    output s2
    output s3
    addi a0, a0, LANE_BYTES
    addi a7, a7, 1
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
    andi a5, a2, MIDGE_DENSE_STEPS-1
    sub a5, a4, a5
    beq a0, a5, .Ldense_rest
.Ldense_steps:
    dense_step 0
    dense_step 1
    dense_step 2
    dense_step 3
    dense_next MIDGE_DENSE_STEPS
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
