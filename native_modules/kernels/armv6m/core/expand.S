// uint32_t *midge_expand(uint32_t *to, const int8_t *row, uint32_t n, const uint32_t *limit)
//
// Cuts a row of weights greedily into runs whose absolute values sum to 255 at most, as tiles.S
// wants them. About 13 cycles for a weight and 20 for a run.
//
// Stack: 28 bytes.

#include "target.h"

#ifdef MIDGE_KERNELS_ARMV6M

.syntax unified
.cpu cortex-m0plus
.thumb
.text

#include "tiles.h"

.global midge_expand
.type midge_expand, %function
.thumb_func
midge_expand:
    push {r4-r7, lr}
    mov r4, r8
    mov r5, r9
    push {r4, r5}
    subs r3, r3, #8 // for the end
    mov r9, r3
    adds r1, r1, r2
    negs r2, r2 // index from the row's end, up to 0

    // r0 next word, r3 the run's jump, r4 what is left of its budget, r8 index of its end at most
.Lopen:
    mov r3, r0
    adds r0, r0, #4
    lsls r5, r2, #2
    subs r5, r0, r5 // the run's end if it takes all weights that are left
    cmp r5, r9
    bhi .Lfull
    movs r4, #MIDGE_LANE_LIMIT
    mov r6, r2
    adds r6, r6, #MIDGE_RUN
    ble .Lend
    movs r6, #0
.Lend:
    mov r8, r6
.Lweight:
    ldrsb r5, [r1, r2]
    asrs r6, r5, #31
    adds r7, r5, r6
    eors r7, r6
    subs r4, r4, r7
    bmi .Lclose
    stmia r0!, {r5}
    adds r2, r2, #1
    cmp r2, r8
    bne .Lweight
.Lclose:
    // The jump over the steps that the run's n weights leave: (MIDGE_RUN - n) * 18. r0 - r3 = 4 n
    // + 4.
    subs r5, r0, r3
    lsls r6, r5, #2
    lsrs r5, r5, #1
    adds r6, r6, r5
    ldr r5, =(MIDGE_RUN + 1) * MIDGE_STEP
    subs r5, r5, r6
    str r5, [r3]
    cmp r2, #0
    bne .Lopen
    ldr r5, =MIDGE_RUN_END
    stmia r0!, {r5}
    // tiles.S reads a weight behind the jump.
    stmia r0!, {r5}
.Lreturn:
    pop {r4, r5}
    mov r8, r4
    mov r9, r5
    pop {r4-r7, pc}
.Lfull:
    movs r0, #0
    b .Lreturn
    .ltorg
.size midge_expand, . - midge_expand

#endif
