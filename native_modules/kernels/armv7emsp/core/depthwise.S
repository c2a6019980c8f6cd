// void midge_rows_1(const midge_rows_t *rows)
// void midge_rows_2(const midge_rows_t *rows)
//
// Column by column: each of the three values of a column is loaded once and meets the weights of
// all windows that it belongs to, two lines at a time. 21 instructions for an output, 29 with
// stride 2.
//
// Stack: 100 bytes.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV7EMSP

.syntax unified
.thumb
.text

// Of midge_rows_t, after its first eight words
#define FIELDS 32
#define MULTIPLIER 0
#define OFFSET 4
#define SHIFT 8
#define OUT_STEP 12
#define BIAS 16
#define LEFT 20
#define RIGHT 24
#define IS_LEFT 28
#define IS_RIGHT 32
#define IS_ODD 36
#define INPUT 40
#define INPUT_ROW 44
#define OUT 48
#define END 52
#define OUT_ROW 56
#define ROWS 60
#define FRAME 64

// r0 the column, r1 line, r2 step << 16 and shift, r3 and r12 the column's values; r4 to r6 pairs,
// r7 the first two thirds, r8 out_step << 16 and the last third; r9 to r11 sums; lr out

.macro begin
    push {r4-r11, lr}
    sub sp, sp, #FRAME
    add lr, r0, #FIELDS
    mov r12, sp
.rept 2
    ldm lr!, {r4-r11}
    stm r12!, {r4-r11}
.endr
    ldm r0, {r4-r11} // r10 line, r11 step
    ldrd r2, r12, [sp, #SHIFT] // out_step
    pkhbt r7, r7, r8, lsl #16
    pkhbt r8, r9, r12, lsl #16
    mov r1, r10
    orr r2, r2, r11, lsl #16
.endm

.macro begin_row
    ldr r0, [sp, #INPUT]
    ldr lr, [sp, #OUT]
    ldr r10, [sp, #LEFT]
    ldr r3, [sp, #IS_LEFT]
.endm

.macro column
    ldrsb r3, [r0]
    ldrsb r11, [r0, r1]
    ldrsb r12, [r0, r1, lsl #1]
    pkhbt r3, r3, r11, lsl #16
    add r0, r0, r2, lsr #16
.endm

// The column is a window's first, second or third.
.macro first
    ldr r10, [sp, #BIAS]
    smlad r10, r3, r4, r10
    smlabb r10, r12, r7, r10
.endm

.macro second sum, before
    smlad \sum, r3, r5, \before
    smlabt \sum, r12, r7, \sum
.endm

.macro third before
    smlad r11, r3, r6, \before
    smlabb r11, r12, r8, r11
.endm

// The sum in r11 -> the next output, as lanes.h says.
.macro output
    ldrd r3, r12, [sp, #MULTIPLIER]
    smmlar r3, r11, r3, r12
    add r3, r3, r11, asr #31
    asr r3, r3, r2 // by its lowest byte
    ssat r3, #8, r3
    strb r3, [lr]
    add lr, lr, r8, lsr #16
.endm

// To `row` unless this was the last one.
.macro end_row row
    ldr r0, [sp, #INPUT]
    ldr r3, [sp, #INPUT_ROW]
    add r0, r0, r3
    str r0, [sp, #INPUT]
    ldrd r9, r10, [sp, #OUT]
    ldrd r3, r12, [sp, #OUT_ROW] // rows
    add r9, r9, r3
    add r10, r10, r3
    strd r9, r10, [sp, #OUT]
    subs r12, r12, #1
    str r12, [sp, #ROWS]
    bne \row
    add sp, sp, #FRAME
    pop {r4-r11, pc}
.endm

.macro column_1
    column
    third r9
    second r9, r10
    first
    output
.endm

.balign 4
.global midge_rows_1
.type midge_rows_1, %function
.thumb_func
midge_rows_1:
    begin
.Lrow_1:
    begin_row
    cbnz r3, .Lleft_1
    column
    first
.Lleft_1:
    column
    second r9, r10
    first
    ldr r3, [sp, #END]
    cmp lr, r3
    beq .Lright_1
    ldr r3, [sp, #IS_ODD]
    cbnz r3, .Lodd_1
.Lcolumns_1:
    column_1
.Lodd_1:
    column_1
    ldr r3, [sp, #END]
    cmp lr, r3
    bne .Lcolumns_1
.Lright_1:
    ldr r3, [sp, #IS_RIGHT]
    cbz r3, .Lend_1
    ldr r11, [sp, #RIGHT]
    add r11, r11, r9
    output
.Lend_1:
    end_row .Lrow_1
.size midge_rows_1, . - midge_rows_1

.balign 4
.global midge_rows_2
.type midge_rows_2, %function
.thumb_func
midge_rows_2:
    begin
.Lrow_2:
    begin_row
    cbnz r3, .Lleft_2
    column
    first
.Lleft_2:
    ldr r3, [sp, #END]
    cmp lr, r3
    beq .Lright_2
.Lcolumns_2:
    column
    second r10, r10
    column
    third r10
    first
    output
    ldr r3, [sp, #END]
    cmp lr, r3
    bne .Lcolumns_2
.Lright_2:
    ldr r3, [sp, #IS_RIGHT]
    cbz r3, .Lend_2
    column
    second r11, r10
    ldr r3, [sp, #RIGHT]
    add r11, r11, r3
    output
.Lend_2:
    end_row .Lrow_2
.size midge_rows_2, . - midge_rows_2

#endif
