// The functions of kernels/generic/audio/fft.h. Cycles: 36 for a pair of samples; 118 for a
// butterfly, 152 if it turns its numbers; 80 for a bin and its mirror image.
//
// Stack: 84 bytes.

#include "target.h"

#ifdef MIDGE_TUNED_FFT

#include "../registers.h"

.syntax unified
.cpu cortex-m0plus
.thumb
.text

#define SAVED 36

// r2 (re), r3 (im) times the factor r4, r5. `half`: a register with 2^14. Changes r6.
.macro turn half
    movs r6, r2
    muls r6, r4, r6
    muls r2, r5, r2
    muls r5, r3, r5
    muls r3, r4, r3
    adds r3, r3, r2
    subs r2, r6, r5
    add r2, \half
    add r3, \half
    asrs r2, r2, #15
    asrs r3, r3, #15
.endm

// uint32_t midge_spread(const int16_t *x, uint32_t samples, const uint8_t *window,
//     uint32_t shift, uint32_t *z, uint32_t points)
//
// r0 x, r1 limit 2^n - 1, r2 weight, r3 place; r7 window, r8 shift, r9 a fourth of z, r10 twice
// the limit, r11 end of z, r12 first place of four in z, lr by how much the window rises

// On the stack
#define X_END 0
#define LOWEST 4
#define Z (8 + SAVED)
#define POINTS (8 + SAVED + 4)

// To `wider` if -limit <= value <= limit does not hold. Changes the value.
.macro bound value, wider
    adds \value, \value, r1
    cmp \value, r10
    bhi \wider
\wider\()_done:
.endm

// Widens the limit, but for -32768. Changes r6.
.macro widen value, wider
\wider:
    subs \value, \value, r1
    sxth \value, \value
    movs r6, #1
    lsls r6, r6, #15
    adds r6, r6, \value
    bne \wider\()_more
    movs r6, #1
    lsls r6, r6, #31
    str r6, [sp, #LOWEST]
    b \wider\()_done
\wider\()_more:
    adds r6, \value, r1
    cmp r6, r10
    bls \wider\()_done
    adds r1, r1, r1
    adds r1, r1, #1
    mov r10, r1
    add r10, r10
    b \wider\()_more
.endm

.global midge_spread
.type midge_spread, %function
.thumb_func
midge_spread:
    save
    mov r8, r3
    mov r7, r2
    lsls r1, r1, #1
    adds r1, r1, r0
    movs r2, #0
    push {r1, r2}
    ldr r3, [sp, #POINTS]
    mov r9, r3
    lsls r3, r3, #2
    ldr r1, [sp, #Z]
    add r3, r1
    mov r11, r3
    movs r1, #0
    mov lr, r1
    mov r10, r1
    mov r12, r1
.Lfour:
    ldr r3, [sp, #Z]
    add r3, r12
    ldr r4, [sp, #X_END]
    cmp r0, r4
    bhs .Lzeros
.Lpair:
    ldrb r6, [r7]
    ldmia r0!, {r4}
    lsls r5, r6, #28
    asrs r5, r5, #28
    add lr, r5
    add r2, lr
    sxth r5, r4
    muls r5, r2, r5
    sxtb r6, r6
    asrs r6, r6, #4
    add lr, r6
    add r2, lr
    asrs r4, r4, #16
    muls r4, r2, r4
    mov r6, r8
    asrs r5, r5, r6
    asrs r4, r4, r6
    strh r5, [r3]
    strh r4, [r3, #2]
    bound r5, .Lfirst
    bound r4, .Lsecond
    adds r7, r7, #1
    add r3, r9
    cmp r3, r11
    blo .Lpair
.Lplaced:
    // The next place: one more in the second digit, with what that carries. r6: a digit's one.
    mov r3, r12
    mov r6, r9
.Lcarry:
    lsrs r6, r6, #2
    lsls r5, r6, #2
    cmp r6, #4
    bls .Llast
    subs r5, r5, r6
    eors r3, r5
    tst r3, r5
    beq .Lcarry
    eors r3, r5
    b .Lcount
.Llast:
    subs r5, r5, #4 // the digit's four, or two, less one
    movs r6, #4
    eors r3, r5
    tst r3, r5
    beq .Lspread
    eors r3, r5
.Lcount:
    adds r3, r3, r6
    mov r12, r3
    b .Lfour
.Lspread:
    ldr r0, [sp, #LOWEST]
    orrs r0, r1
    add sp, #8
    restore
.Lzeros:
    movs r4, #0
.Lzero:
    str r4, [r3]
    add r3, r9
    cmp r3, r11
    blo .Lzero
    b .Lplaced
    widen r5, .Lfirst
    widen r4, .Lsecond
.size midge_spread, . - midge_spread
#undef POINTS

// void midge_quarter(uint32_t *z, uint32_t points, uint32_t size, uint32_t scale,
//     const uint8_t *wave, uint32_t step)
//
// r0 a number, r1 scale, r8 4 * size, r9 2^14; r10 to lr: numbers that wait

// -> the number at an address times the scale.
.macro scaled re, im, address:vararg
    ldr \im, \address
    sxth \re, \im
    asrs \im, \im, #16
    muls \re, r1, \re
    muls \im, r1, \im
    add \re, r9
    add \im, r9
    asrs \re, \re, #15
    asrs \im, \im, #15
.endm

// r2, r3: the number at an address, turned by the factor at sp + `at`; the angle of none has no
// sine.
.macro next at, address:vararg
    scaled r2, r3, \address
    ldr r5, [sp, #\at + 4]
    cmp r5, #0
    beq .Las_it_is\at
    ldr r4, [sp, #\at]
    turn r9
.Las_it_is\at:
.endm

// r0: a -> behind d
.macro butterfly
    mov r7, r8
    next 0, [r0, r7]
    mov r10, r2
    mov r11, r3
    adds r0, r0, r7
    adds r0, r0, r7
    next 16, [r0, r7]
    mov r4, r10
    mov r5, r11
    add r10, r2 // b + d
    add r11, r3
    subs r4, r4, r2
    subs r5, r5, r3
    mov r12, r5
    mov lr, r4
    next 8, [r0]
    subs r0, r0, r7
    subs r0, r0, r7
    scaled r4, r5, [r0]
    adds r6, r4, r2 // a + c
    subs r4, r4, r2
    adds r7, r5, r3
    subs r5, r5, r3
    mov r2, r10
    mov r3, r11
    adds r1, r6, r2
    strh r1, [r0]
    adds r1, r7, r3
    strh r1, [r0, #2]
    subs r6, r6, r2
    subs r7, r7, r3
    mov r2, r12
    mov r3, lr
    add r0, r8
    adds r1, r4, r2
    strh r1, [r0]
    subs r1, r5, r3
    strh r1, [r0, #2]
    subs r4, r4, r2
    adds r5, r5, r3
    add r0, r8
    strh r6, [r0]
    strh r7, [r0, #2]
    add r0, r8
    strh r4, [r0]
    strh r5, [r0, #2]
    add r0, r8
.endm

// On the stack: three factors, then
#define END 24
#define SCALE 28
#define FIRST 32
#define ANGLE 36
#define POINTS 40
#define ENDFIRST 44
#define LOCALS 48
#define WAVE (LOCALS + SAVED)
#define STEP (LOCALS + SAVED + 4)

// The cosine at r3 + r4 goes to the stack.
.macro aligned at
    ldrsh r5, [r3, r4]
    str r5, [sp, #\at]
.endm

// The same where a halfword cannot be loaded. Changes r4.
.macro in_bytes at
    adds r4, r3, r4
    ldrb r5, [r4]
    ldrb r4, [r4, #1]
    lsls r4, r4, #24
    asrs r4, r4, #16
    orrs r5, r4
    str r5, [sp, #\at]
.endm

// r4 = r2 - |r4|
.macro mirror
    asrs r5, r4, #31
    eors r4, r5
    subs r4, r4, r5
    subs r4, r2, r4
.endm

// The factors of 1, 2 and 3 angles r7 go to the stack: cosines at r3, and those of a quarter of a
// turn more, which is r1.
.macro factors cosine
    lsls r2, r1, #1
    mov r4, r7
    \cosine 0
    adds r4, r7, r1
    \cosine 4
    lsls r6, r7, #1
    mov r4, r6
    \cosine 8
    subs r4, r6, r1
    mirror
    \cosine 12
    adds r6, r6, r7
    subs r4, r6, r2
    mirror
    \cosine 16
    subs r4, r6, r1
    mirror
    \cosine 20
.endm

.global midge_quarter
.type midge_quarter, %function
.thumb_func
midge_quarter:
    save
    sub sp, #LOCALS
    str r1, [sp, #POINTS]
    lsls r1, r1, #2
    adds r1, r1, r0
    str r1, [sp, #END]
    lsls r2, r2, #2
    mov r8, r2
    adds r2, r2, r0
    str r2, [sp, #ENDFIRST]
    str r3, [sp, #SCALE]
    movs r4, #1
    lsls r4, r4, #14
    mov r9, r4
    ldr r3, [sp, #STEP]
    lsls r3, r3, #1
    str r3, [sp, #STEP]
    movs r7, #0
.Lturn:
    // r0: the first number of these turns
    str r0, [sp, #FIRST]
    str r7, [sp, #ANGLE]
    cmp r7, #0
    beq .Lstill
    ldr r3, [sp, #WAVE]
    ldr r1, [sp, #POINTS]
    lsrs r4, r3, #1
    bcs .Lbytes
    factors aligned
    b .Lfound
.Lstill:
    str r7, [sp, #4] // no sines, whatever the table says
    str r7, [sp, #12]
    str r7, [sp, #20]
    b .Lfound
.Lbytes:
    factors in_bytes
.Lfound:
    ldr r1, [sp, #SCALE]
.Lturned:
    butterfly
    ldr r1, [sp, #SCALE]
    ldr r2, [sp, #END]
    cmp r0, r2
    bhs .Lnext
    b .Lturned
.Lnext:
    ldr r0, [sp, #FIRST]
    adds r0, r0, #4
    ldr r7, [sp, #ANGLE]
    ldr r3, [sp, #STEP]
    adds r7, r7, r3
    ldr r1, [sp, #ENDFIRST]
    cmp r0, r1
    beq .Ldone
    b .Lturn
.Ldone:
    add sp, #LOCALS
    restore
.size midge_quarter, . - midge_quarter

// void midge_energies(uint32_t *z, uint32_t points, const uint8_t *wave)
//
// r0 bin, r1 its mirror image, r8 cosine, r9 that of a quarter of a turn more, r10 16383, r11 2^14

.global midge_energies
.type midge_energies, %function
.thumb_func
midge_energies:
    save
    adds r4, r1, r2 // a quarter of a turn
    adds r5, r4, r1 // half a turn
    adds r4, r4, #2
    subs r5, r5, #2
    mov r8, r4
    mov r9, r5
    movs r6, #1
    lsls r6, r6, #14
    mov r11, r6
    subs r6, r6, #1
    mov r10, r6
    lsls r1, r1, #2
    adds r1, r1, r0
    subs r1, r1, #4
    adds r0, r0, #4
.Lbin:
    ldr r3, [r0]
    ldr r5, [r1]
    mov r6, r10
    mov r7, r11
    sxth r2, r3
    asrs r3, r3, #16
    sxth r4, r5
    asrs r5, r5, #16
    rsbs r5, r5, #0
    sxth r5, r5
    muls r2, r6, r2
    muls r3, r6, r3
    muls r4, r6, r4
    muls r5, r6, r5
    adds r2, r2, r7
    adds r3, r3, r7
    adds r4, r4, r7
    adds r5, r5, r7
    asrs r2, r2, #15
    asrs r3, r3, #15
    asrs r4, r4, #15
    asrs r5, r5, #15
    adds r6, r2, r4
    mov r12, r6
    adds r6, r3, r5
    mov lr, r6
    subs r2, r2, r4
    subs r3, r3, r5
    mov r6, r8
    mov r7, r9
    lsrs r4, r6, #1
    bcs .Lodd
    movs r4, #0
    ldrsh r5, [r7, r4]
    ldrsh r4, [r6, r4]
.Leven:
    adds r6, r6, #2
    subs r7, r7, #2
    mov r8, r6
    mov r9, r7
    turn r11
    sxth r2, r2
    sxth r3, r3
    mov r4, r12
    mov r5, lr
    adds r6, r4, r2
    asrs r6, r6, #1
    muls r6, r6
    adds r7, r5, r3
    asrs r7, r7, #1
    muls r7, r7
    adds r6, r6, r7
    stmia r0!, {r6}
    subs r4, r4, r2
    asrs r4, r4, #1
    muls r4, r4
    subs r3, r3, r5
    asrs r3, r3, #1
    muls r3, r3
    adds r4, r4, r3
    str r4, [r1]
    subs r1, r1, #4
    cmp r0, r1
    bls .Lbin
    restore
.Lodd:
    ldrb r5, [r7]
    ldrb r4, [r7, #1]
    lsls r4, r4, #24
    asrs r4, r4, #16
    orrs r5, r4
    ldrb r4, [r6, #1]
    lsls r4, r4, #24
    asrs r4, r4, #16
    ldrb r6, [r6]
    orrs r4, r6
    mov r6, r8
    b .Leven
.size midge_energies, . - midge_energies

#endif
