// Convolutions whose input is often zero, one output pixel at a time: the pixel's values become
// machine code that multiplies the weights of six channels at once. A value of zero costs nothing.
//
// Weights are packed as pixels are in tiles.S: a word holds two channels' weights for one value, a
// + (b << 16); three words, six channels, for value 0, three for value 1, and so on. For a value
// u, relative to the input's zero point, the code is
//     movs r5, #|u|          ldmia r6!, {r0-r2}
//     muls r0, r5   muls r1, r5   muls r2, r5
//     adds r3, r0   adds r4, r1   adds r7, r2         (subs where u < 0)
// 11 cycles for 6 products. |weight| <= 128, so both sums in an accumulator are right while the
// sum of |u| is 255 at most; then the code moves them to the channels' sums, in r8 to r12 and lr,
// 12 cycles more.
//
// Code is written to and run from the scratch memory that the record grants.
//
// Stack: 84 bytes, and midge_scale_exactly.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

.syntax unified
.cpu cortex-m0plus
.thumb
.text

#include "sparse.h"

.macro flush_all
    flush r3, r8, r9
    flush r4, r10, r11
    flush r7, r12, lr
.endm

// Copies the first six words of end_of_run, to which r4 points behind them; lr = the former r4.
.macro append_end_of_run
    mov lr, r4
    adr r4, end_of_run
    ldmia r4!, {r5, r6, r7}
    stmia r0!, {r5, r6, r7}
    ldmia r4!, {r5, r6, r7}
    stmia r0!, {r5, r6, r7}
.endm

// Of midge_code_t
#define NEXT 0

// void midge_code_values(midge_code_t *code)
//
// r0 next word, r1 end of the values, r2 index from it, r3 budget, r4 value, r5-r7 words 2 to 4 of
// a value above zero; r8 word 1, r9 the value that is nothing, r10 minus that, r11 limit, r12 what
// passes values by. 18 cycles for a value, 7 for a zero and 24 for several in a row, 45 for a run.
.global midge_code_values
.type midge_code_values, %function
.thumb_func
midge_code_values:
    push {r0, r4-r7, lr}
    save_high
    ldmia r0!, {r1, r2, r3, r4, r5, r6}
    mov r11, r2
    mov r9, r6
    negs r6, r6
    mov r10, r6
    mov r0, r1
    adds r1, r4, r5
    negs r2, r5
    ldr r4, value_begin
    mov r8, r4
    ldr r4, pass
    mov r12, r4
    adr r4, value_above
    ldmia r4!, {r5, r6, r7}
    b .Lroom
.Lvalue:
    ldrsb r4, [r1, r2]
    cmp r4, r9
    ble .Lnot_above
    add r4, r10
    subs r3, r3, r4
    bmi .Lrun_above
.Labove:
    add r4, r8
    stmia r0!, {r4-r7}
.Lnext:
    adds r2, r2, #1
    beq .Lcode_return
.Lroom:
    cmp r0, r11
    bls .Lvalue
.Lcode_return:
    ldr r4, [sp, #16]
    adds r1, r1, r2
    negs r2, r2
    stmia r4!, {r0}
    adds r4, r4, #4
    stmia r4!, {r3}
    stmia r4!, {r1, r2}
    restore_high
    pop {r0, r4-r7, pc}

.Lrun_above:
    // The run's first value is written to the accumulators: no need to clear them.
    append_end_of_run
    ldmia r4!, {r5, r6}
    mov r7, lr
    movs r3, #MIDGE_LANE_LIMIT
    subs r3, r3, r7
    lsls r7, r7, #16
    adds r6, r6, r7
    stmia r0!, {r5, r6}
    ldmia r4!, {r5, r6}
    stmia r0!, {r5, r6}
    ldmia r4!, {r5, r6, r7}
    b .Lnext

.Lnot_above:
    beq .Lzeros
    add r4, r10
    negs r4, r4
    subs r3, r3, r4
    bmi .Lrun_below
.Lbelow:
    add r4, r8
    adr r6, value_below
    ldmia r6, {r6, r7}
    stmia r0!, {r4-r7}
    adr r6, value_above + 4
    ldmia r6, {r6, r7}
    b .Lnext

.Lrun_below:
    append_end_of_run
    ldr r5, [r4]
    adr r4, clear
    ldmia r4!, {r6, r7}
    stmia r0!, {r5, r6, r7}
    ldr r5, value_above
    mov r4, lr
    movs r3, #MIDGE_LANE_LIMIT
    subs r3, r3, r4
    b .Lbelow

.Lzeros:
    mov lr, r2
.Lzero:
    adds r2, r2, #1
    beq .Lpass
    ldrsb r4, [r1, r2]
    cmp r4, r9
    beq .Lzero
.Lpass:
    mov r4, lr
    subs r4, r2, r4
    cmp r4, #MIDGE_PASSED
    bhi .Lpass_many
.Lpass_rest:
    mov lr, r4
    lsls r4, r4, #1
    add r4, lr
    lsls r4, r4, #2
    add r4, r12
    stmia r0!, {r4}
    cmp r2, #0
    bne .Lroom
    b .Lcode_return
.Lpass_many:
    ldr r5, pass
    adds r5, r5, #12 * MIDGE_PASSED
.Lpass_max:
    stmia r0!, {r5}
    subs r4, r4, #MIDGE_PASSED
    cmp r4, #MIDGE_PASSED
    bhi .Lpass_max
    ldr r5, value_above
    b .Lpass_rest

// void midge_code_pass(midge_code_t *code, uint32_t count)
.global midge_code_pass
.type midge_code_pass, %function
.thumb_func
midge_code_pass:
    push {r4}
    ldr r2, [r0, #NEXT]
    ldr r3, pass
    lsls r4, r1, #3
    lsls r1, r1, #2
    adds r1, r1, r4
.Lpass_count:
    movs r4, #12 * MIDGE_PASSED
    cmp r1, r4
    bhs .Lpass_full
    mov r4, r1
.Lpass_full:
    subs r1, r1, r4
    adds r4, r4, r3
    stmia r2!, {r4}
    cmp r1, #0
    bne .Lpass_count
    str r2, [r0, #NEXT]
    pop {r4}
    bx lr

// Instructions that are copied; never run here.
.balign 4
end_of_run:
    flush_all
    movs r5, #0
    ldmia r6!, {r3, r4, r7}
    muls r3, r5, r3
    muls r4, r5, r4
    muls r7, r5, r7
value_above:
    muls r0, r5, r0
    muls r1, r5, r1
    muls r2, r5, r2
    adds r3, r3, r0
    adds r4, r4, r1
    adds r7, r7, r2
value_below:
    muls r2, r5, r2
    subs r3, r3, r0
    subs r4, r4, r1
    subs r7, r7, r2
value_begin:
    movs r5, #0
    ldmia r6!, {r0-r2}
pass:
    adds r6, r6, #0
    nop
clear: // behind the first 14 instructions of flush_all
    add lr, r7
    movs r3, #0
    movs r4, #0
    movs r7, #0

// Stack of midge_run_code: midge_groups_t, and in the place of `code` where the code returns to.
#define RETURN 0
#define WEIGHTS 4
#define WEIGHTS_STEP 8
#define SUMS 12
#define PARTIAL 16
#define SCALE 20
#define OUT 24
#define COUNT 28
#define BACK 32
#define CODE 36
#define FRAME 40

// void midge_code_end(midge_code_t *code)
.global midge_code_end
.type midge_code_end, %function
.thumb_func
midge_code_end:
    ldr r2, [r0, #NEXT]
    ldr r1, code_end
    stmia r2!, {r1}
    str r2, [r0, #NEXT]
    bx lr
.balign 4
code_end:
    ldr r0, [sp, #RETURN]
    bx r0

// r0 = x' of channel n -> its byte. r5 out; r7 at the channel's `limit`.
.macro requantize n, sum
    ldmia r7!, {r1-r4}
    mov r0, \sum
    scale .Lclamp\n, .Ldoubt\n
.Lstore\n:
    strb r0, [r5, #\n]
    adds r7, r7, #MIDGE_SCALE_BYTES - 16
.endm

// void midge_run_code(const midge_groups_t *groups)
//
// About 200 cycles for a group besides its code.
.global midge_run_code
.type midge_run_code, %function
.thumb_func
midge_run_code:
    push {r4-r7, lr}
    save_high
    sub sp, #FRAME
    mov r7, sp
    ldmia r0!, {r1-r6}
    adds r1, r1, #1
    str r1, [r7, #CODE]
    adr r1, .Lback
    adds r1, r1, #1
    stmia r7!, {r1-r5}
    adds r6, r6, #4 // scale->limit
    ldmia r0!, {r1-r3}
    stmia r7!, {r6}
    stmia r7!, {r1-r3}
    // The code was written as data.
    dsb
    isb

.Lgroup:
    ldr r6, [sp, #WEIGHTS]
    ldr r0, [sp, #WEIGHTS_STEP]
    adds r0, r0, r6
    str r0, [sp, #WEIGHTS]
    ldr r0, [sp, #SUMS]
    ldmia r0!, {r1-r5, r7}
    str r0, [sp, #SUMS]
    mov r8, r1
    mov r9, r2
    mov r10, r3
    mov r11, r4
    mov r12, r5
    mov lr, r7
    movs r3, #0
    movs r4, #0
    movs r7, #0
    ldr r0, [sp, #CODE]
    bx r0

corners 0, r8
corners 1, r9
corners 2, r10

.balign 4
.Lback:
    flush_all
    ldr r0, [sp, #PARTIAL]
    cmp r0, #0
    bne .Lpartial
    ldr r7, [sp, #SCALE]
    ldr r5, [sp, #OUT]
    requantize 0, r8
    requantize 1, r9
    requantize 2, r10
    requantize 3, r11
    requantize 4, r12
    requantize 5, lr
    adds r5, r5, #MIDGE_GROUP
    ldr r0, [sp, #COUNT]
    subs r0, r0, #1
    str r0, [sp, #COUNT]
    bhi .Lmore
    b .Ldone
.Lmore:
    cmp r0, #1
    bne .Lstep
    ldr r0, [sp, #BACK]
    adds r5, r5, r0
.Lstep:
    str r5, [sp, #OUT]
    str r7, [sp, #SCALE]
    b .Lgroup

.Lpartial:
    mov r1, r8
    mov r2, r9
    mov r3, r10
    mov r4, r11
    mov r5, r12
    mov r7, lr
    stmia r0!, {r1-r5, r7}
    str r0, [sp, #PARTIAL]
    ldr r0, [sp, #COUNT]
    subs r0, r0, #1
    str r0, [sp, #COUNT]
    beq .Ldone
    b .Lgroup
.Ldone:
    add sp, #FRAME
    restore_high
    pop {r4-r7, pc}

corners 3, r11
corners 4, r12
corners 5, lr

// r0 = x' -> r0 = its byte; r7 behind the channel's `base`. Leaves r5 to r7 and the sums.
.thumb_func
exactly:
    mov r1, r12
    push {r1, lr}
    mov r1, r7
    subs r1, r1, #20
    bl midge_scale_exactly
    pop {r1, r2}
    mov r12, r1
    bx r2
.size midge_run_code, . - midge_run_code

#endif
