// uint32_t midge_row_1(const midge_row_t *row)
// uint32_t midge_row_2(const midge_row_t *row)
//
// Column by column: each of the three values of a column is loaded once and meets the weights of
// all windows that it belongs to. 40 instructions for an output, 45 with stride 2.
//
// Stack: 64 bytes.

#include "target.h"

#ifdef MIDGE_KERNELS_RV32IMC

#include "registers.h"

// Registers: weights s0-s8 by columns, lines s9-s11, step a0, sums a1 (the window that ends here)
// and a2 (the next), bias a3, multiplier a4, half a5, shift a6, zero a7, low t0, high t1, out t2,
// out_step t3, end t4; t5, t6 and ra are free.

.macro begin
    save
    mv ra, a0
    .set at, 0
    .irp field, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11
    lw \field, at(ra)
    .set at, at + 4
    .endr
    .irp field, a0, a1, a2, a3, a4, a5, a6, a7, t0, t1, t2, t3, t4
    lw \field, at(ra)
    .set at, at + 4
    .endr
.endm

// The next value of a line.
.macro value line
    lb t5, 0(\line)
    add \line, \line, a0
.endm

.macro product weight, sum
    mul t6, t5, \weight
    add \sum, \sum, t6
.endm

// The sum -> the byte at out
.macro store sum
    scale \sum, a4, a5, a6, a7, t0, t1
    sb t5, 0(t2)
    add t2, t2, t3
.endm

.text
.balign 4
.global midge_row_1
.type midge_row_1, @function
midge_row_1:
    begin
    beq t2, t4, .Ldone_1
.Lcolumn_1:
    value s9
    product s6, a1
    product s3, a2
    mul ra, t5, s0
    add ra, ra, a3
    value s10
    product s7, a1
    product s4, a2
    product s1, ra
    value s11
    product s8, a1
    product s5, a2
    product s2, ra
    store a1
    mv a1, a2
    mv a2, ra
    bne t2, t4, .Lcolumn_1
.Ldone_1:
    mv a0, a1
    restore
    ret
.size midge_row_1, . - midge_row_1

.balign 4
.global midge_row_2
.type midge_row_2, @function
midge_row_2:
    begin
    beq t2, t4, .Ldone_2
.Lcolumns_2:
    value s9
    product s3, a2
    value s10
    product s4, a2
    value s11
    product s5, a2
    value s9
    product s6, a2
    mul a1, t5, s0
    add a1, a1, a3
    value s10
    product s7, a2
    product s1, a1
    value s11
    product s8, a2
    product s2, a1
    store a2
    mv a2, a1
    bne t2, t4, .Lcolumns_2
.Ldone_2:
    mv a0, a2
    restore
    ret
.size midge_row_2, . - midge_row_2

#endif
