// Rows of a 3x3 depthwise convolution, column by column: each column of three values is loaded
// once and meets the window's three columns of weights.
//
// void midge_rows_1(midge_rows_t *rows)         stride 1
// void midge_rows_1_wide(midge_rows_t *rows)    stride 1, any weights
// void midge_rows_2(midge_rows_t *rows)         stride 2, any weights
// void midge_run_rows(midge_rows_t *rows, const midge_filter_t *filter)
// uint32_t midge_read_lines(const int8_t *w, midge_line_t *to, uint32_t line, uint32_t lower,
//     uint32_t single)
//
// Two of the three weights of a line stand in one word, a + (b << 16), so that a column takes six
// products for nine. Both halves of the sum of three such products must fit into 16 bits: sum |a|
// and sum |b| <= 255. The sums of a row are pushed on the stack and then requantised from its end.
//
// While sums are pushed no register is left to count columns: the stack is placed so that it is
// aligned to MIDGE_ROW_BYTES when the last one has been pushed.
//
// Stack: 604 bytes, and midge_scale_exactly.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

.syntax unified
.cpu cortex-m0plus
.thumb
.text

#include "rows.h"

// Of midge_scale_t
#define LIMIT 4

// r0 = the value of line 0, 1 or 2 in this column. r7 column, r3 line
.macro load_0
    ldrb r0, [r7]
    sxtb r0, r0
.endm
.macro load_1
    ldrsb r0, [r7, r3]
.endm
.macro load_2
    lsls r0, r3, #1
    ldrsb r0, [r7, r0]
.endm

// r2 = or += r0 * paired, r6 += r0 * single. r0 may be lost with the last.
.macro paired_first weight
    mov r2, \weight
    muls r2, r0, r2
.endm
.macro paired weight
    mov r1, \weight
    muls r1, r0, r1
    adds r2, r2, r1
.endm
.macro single weight
    mov r1, \weight
    muls r0, r1, r0
    adds r6, r6, r0
.endm

// Stride 1: what a column's first two values add.
.macro lines_0_and_1
    load_0
    paired_first r8
    single r11
    load_1
    paired r9
    single r12
.endm

// Stride 1. r6: the sum that this column completes. r4: the one before it. The word of a line is
// w[1] + (w[0] << 16), its single weight w[2].
.macro column_1
    lines_0_and_1
    load_2
    paired r10
    single lr
    push {r6}
    adds r7, r7, r5
    sxth r1, r2
    adds r6, r4, r1
    subs r2, r2, r1
    asrs r4, r2, #16
.endm

// The same for any weights: two lines' products, and the third's, are taken apart.
.macro column_1_wide
    lines_0_and_1
    sxth r1, r2
    adds r4, r4, r1
    subs r2, r2, r1
    asrs r2, r2, #16
    load_2
    mov r1, lr
    muls r1, r0, r1
    adds r6, r6, r1
    push {r6}
    adds r7, r7, r5
    mov r1, r10
    muls r1, r0, r1
    sxth r0, r1
    adds r6, r4, r0
    subs r1, r1, r0
    asrs r1, r1, #16
    adds r4, r2, r1
.endm

// Stride 2. The window's middle column: r6 += the single weights.
.macro middle_2
    load_0
    single r11
    load_1
    single r12
    load_2
    single lr
    adds r7, r7, r5
.endm

// The last column of a window is the first of the next: w[2] + (w[0] << 16). For any weights, as
// above.
.macro joint_2
    load_0
    paired_first r8
    load_1
    paired r9
    sxth r1, r2
    adds r6, r6, r1
    subs r2, r2, r1
    asrs r2, r2, #16
    load_2
    mov r1, r10
    muls r1, r0, r1
    adds r7, r7, r5
    sxth r0, r1
    adds r6, r6, r0
    push {r6}
    subs r1, r1, r0
    asrs r1, r1, #16
    adds r6, r2, r1
.endm

// r0 w, r1 to, r2 lines left, r3 `lower`, r12 `single`, lr `line`. r7: sum |w| of the lower half
// in bits 16 to 24, of the upper in bits 0 to 8; and the count. |w| <= 128, so bit 7 says -128.
.macro add_size weight, shift
    asrs r6, \weight, #31
    adds \weight, \weight, r6
    eors \weight, r6
    lsls r6, \weight, #\shift
    adds r7, r7, r6
    lsrs \weight, \weight, #7
    lsls \weight, \weight, #MIDGE_LINES_LEAST
    adds r7, r7, \weight
.endm

.global midge_read_lines
.type midge_read_lines, %function
.thumb_func
midge_read_lines:
    push {r4-r7, lr}
    ldr r4, [sp, #20]
    mov r12, r4
    mov lr, r2
    movs r2, #3
    movs r7, #0
.Lread:
    movs r4, #0
    ldrsb r4, [r0, r4]
    ldrsb r5, [r0, r3]
    mov r6, r12
    ldrsb r6, [r0, r6]
    add r0, lr
    lsls r4, r4, #16
    adds r4, r4, r5
    stmia r1!, {r4, r6}
    subs r4, r4, r5
    asrs r4, r4, #16
    add_size r5, 16
    add_size r4, 0
    subs r2, r2, #1
    bne .Lread
    mov r12, r7
    subs r1, r1, #24
    ldmia r1!, {r2-r7}
    adds r2, r2, r4
    adds r2, r2, r6
    adds r3, r3, r5
    adds r3, r3, r7
    str r2, [r1, #8]
    str r3, [r1, #12]
    mov r0, r12
    pop {r4-r7, pc}

// Of midge_filter_t
#define ALL 40
#define RUN 48
#define COUNTS 52
#define LINE 64
#define ZERO 68
#define STRIDE 72

// r4 rows, r5 filter, r7 4 * the line where the window's weights begin: 2, 1, 0
.global midge_run_rows
.type midge_run_rows, %function
.thumb_func
midge_run_rows:
    push {r4-r7, lr}
    mov r4, r0
    mov r5, r1
    movs r7, #8
.Lgroup:
    adds r0, r5, r7
    ldr r6, [r0, #COUNTS]
    cmp r6, #0
    ble .Lno_rows
    lsls r0, r7, #1
    adds r1, r5, r0
    str r1, [r4] // lines
    // r2, r3: the line that is missing, 1, 0 or 3; what the zero point adds for it
    subs r0, r0, #8
    movs r1, #3 << 3
    ands r0, r1
    adds r0, r0, r5
    ldmia r0!, {r2, r3}
    sxth r0, r2
    subs r1, r2, r0
    asrs r1, r1, #16
    adds r0, r0, r1
    adds r0, r0, r3
    ldr r1, [r5, #ZERO]
    mov r12, r1
    muls r0, r1, r0
    ldr r1, [r4, #MIDGE_ROWS_SCALE]
    ldr r1, [r1]
    adds r0, r0, r1
    str r0, [r4, #MIDGE_ROWS_START]
    // r2, r3: first and last column of the lines that are there
    ldr r0, [r5, #ALL]
    ldr r1, [r5, #ALL + 4]
    subs r2, r0, r2
    subs r3, r1, r3
    sxth r0, r2
    subs r2, r2, r0
    asrs r2, r2, #16
    ldr r1, [r5, #STRIDE]
    cmp r1, #2
    bne .Lsingle_last
    mov r3, r0
.Lsingle_last:
    mov r1, r12
    muls r3, r1, r3
    str r3, [r4, #MIDGE_ROWS_TAIL]
    muls r2, r1, r2
    ldr r1, [r4, #MIDGE_ROWS_JOINS]
    cmp r1, #0
    beq .Lbefore
    movs r2, #0
.Lbefore:
    str r2, [r4, #MIDGE_ROWS_BEFORE]
    // The window moves by a line, or back.
    ldr r1, [r5, #LINE]
    subs r0, r7, #4
    asrs r0, r0, #2
    muls r1, r0, r1
    ldr r0, [r4, #MIDGE_ROWS_IMAGE]
    adds r0, r0, r1
    str r0, [r4, #MIDGE_ROWS_IMAGE]
    ldr r2, [r4, #MIDGE_ROWS_NEXT]
    muls r2, r6, r2
    adds r2, r2, r0
    str r2, [r4, #MIDGE_ROWS_END]
    mov r6, r1
    mov r0, r4
    ldr r1, [r5, #RUN]
    blx r1
    ldr r0, [r4, #MIDGE_ROWS_IMAGE]
    subs r0, r0, r6
    str r0, [r4, #MIDGE_ROWS_IMAGE]
.Lno_rows:
    subs r7, r7, #4
    bpl .Lgroup
    pop {r4-r7, pc}

.macro until_pushed again
    mov r0, sp
    lsls r0, r0, #24
    bne \again
.endm

.macro begin_function name
.global \name
.type \name, %function
.thumb_func
\name:
    push {r4-r7, lr}
    bl begin
.endm

// Weights and registers for a row, and the stack for its sums.
.thumb_func
begin_row:
    mov r0, lr
    ldr r7, [sp, #0]
    ldmia r7!, {r1}
    ldmia r1, {r1-r6}
    mov r8, r1
    mov r11, r2
    mov r9, r3
    mov r12, r4
    mov r10, r5
    mov lr, r6
    ldmia r7!, {r1-r6}
    ldr r7, [r7]
    add sp, r1
    bx r0

// Saves registers, aligns the stack and keeps `rows` and the former stack there. finish undoes it.
.thumb_func
begin:
    save_high
    mov r1, sp
    mov r2, r1
    subs r2, r2, #8
    movs r3, #MIDGE_ROW_BYTES - 1
    bics r2, r3
    mov sp, r2
    str r0, [sp, #0]
    str r1, [sp, #4]
    bx lr

// Stride 1, with one of the two kinds of columns.
.macro rows_1 name, column
begin_function \name
.Lrow_\column:
    bl begin_row
.Lloop_\column:
    \column
    until_pushed .Lloop_\column
    bl end_row_1
    bne .Lrow_\column
    b finish
.endm

rows_1 midge_rows_1, column_1
rows_1 midge_rows_1_wide, column_1_wide

begin_function midge_rows_2
.Lrow_2:
    bl begin_row
    mov r6, r4
    cmp r2, #0
    bne .Ljoint_2
.Lcolumn_2:
    middle_2
.Ljoint_2:
    joint_2
    until_pushed .Lcolumn_2
    ldr r4, [sp, #MIDGE_ROW_BYTES]
    adds r4, r4, #MIDGE_ROWS_IMAGE + 4
    ldmia r4!, {r1, r2}
    cmp r1, #0
    beq .Lno_tail_2
    adds r6, r6, r2
    middle_2
    mov r7, r4
    bl row_with_tail
    bne .Lrow_2
    b finish
.Lno_tail_2:
    mov r7, r4
    bl row_without_tail
    bne .Lrow_2

finish:
    ldr r1, [sp, #4]
    mov sp, r1
    restore_high
    pop {r4-r7, pc}

// Requantises a row from its end and steps to the next one; Z is set when there is none. r6 is the
// last sum, pushed with the others here if there is a tail. r7 points behind `tail`.
.thumb_func
row_without_tail:
    movs r1, #MIDGE_ROW_BYTES >> 2
    b scale_row

// Stride 1: the end of a row, pushed but for the last sum if its window hangs over.
.thumb_func
end_row_1:
    ldr r7, [sp, #MIDGE_ROW_BYTES]
    adds r7, r7, #MIDGE_ROWS_IMAGE + 4
    ldmia r7!, {r1, r2}
    cmp r1, #0
    beq row_without_tail
    adds r6, r6, r2
.thumb_func
row_with_tail:
    push {r6}
    movs r1, #(MIDGE_ROW_BYTES >> 2) + 1
scale_row:
    lsls r1, r1, #2
    add r1, sp
    mov r11, r1
    mov r12, lr
    ldmia r7!, {r1-r5} // outputs_bytes, out, back, scale, start
    mov r9, r3
    mov r10, r5
    mov r7, r2
    adds r6, r4, #LIMIT
    lsls r0, r1, #29 // whether their number is odd
    add r1, sp
    mov r8, r1
    ldmia r6!, {r1-r4}
    bpl .Loutputs
    pop {r5}
    b .Loutput
.Loutputs:
    pop {r0, r5}
    add r0, r10
    scale .Lclamp0, .Ldoubt0, lr
.Lstore0:
    strb r0, [r7]
    add r7, r9
.Loutput:
    add r5, r10
    mov r0, r5
    scale .Lclamp1, .Ldoubt1
.Lstore1:
    strb r0, [r7]
    add r7, r9
    cmp sp, r8
    bne .Loutputs

    mov sp, r11
    ldr r0, [sp, #0]
    ldr r1, [r0, #MIDGE_ROWS_IMAGE]
    adds r0, r0, #MIDGE_ROWS_NEXT
    ldmia r0!, {r2, r3, r4} // image_step, out_step, end
    subs r0, r0, #MIDGE_ROWS_NEXT + 12 - MIDGE_ROWS_IMAGE
    adds r7, r7, r3
    str r7, [r0, #MIDGE_ROWS_OUT - MIDGE_ROWS_IMAGE]
    adds r1, r1, r2
    str r1, [r0]
    cmp r1, r4
    bx r12

corners 0, lr
corners 1, r5

// r0 = x' -> r0 = its byte. Leaves all registers of the loop but lr.
.thumb_func
exactly:
    push {r1-r5, lr}
    mov r1, r12
    push {r1, r6}
    mov r1, r11
    ldr r1, [r1]
    ldr r1, [r1, #MIDGE_ROWS_SCALE]
    bl midge_scale_exactly
    pop {r1, r6}
    mov r12, r1
    pop {r1-r5, pc}

#endif
