// Sums of 16-bit products by MAC16, for cores that have it: ESP32 and ESP32-S3. Interrupts save
// its registers and those of the hardware loops (docs/performance.md).
// Stack: 48 bytes, and midge_scale_exactly.

#include "target.h"

#ifdef MIDGE_KERNELS_XTENSA

#include "mac16.h"

    .text

    .macro begin_function name
    .global \name
    .type \name, @function
    .align 4
\name:
    entry a1, 48
    .endm

    begin_function midge_core_id
    rsr.configid0 a2
    retw

// a2: to, a3: from, a4: count
    begin_function midge_expand
    srli a5, a4, 2
    beqz a5, 2f
    loop a5, 1f
    l8ui a6, a3, 0
    l8ui a7, a3, 1
    l8ui a8, a3, 2
    l8ui a9, a3, 3
    sext a6, a6, 7
    sext a7, a7, 7
    sext a8, a8, 7
    sext a9, a9, 7
    s16i a6, a2, 0
    s16i a7, a2, 2
    s16i a8, a2, 4
    s16i a9, a2, 6
    addi a2, a2, 8
    addi a3, a3, 4
1:  nop
2:  extui a4, a4, 0, 2
    beqz a4, 4f
    loop a4, 3f
    l8ui a6, a3, 0
    sext a6, a6, 7
    s16i a6, a2, 0
    addi a2, a2, 2
    addi a3, a3, 1
3:  nop
4:  retw

// a2: to, a3: from, a4: quads, not 0
    begin_function midge_expand_crosswise
    loop a4, 1f
    l8ui a6, a3, 0
    l8ui a7, a3, 1
    l8ui a8, a3, 2
    l8ui a9, a3, 3
    sext a6, a6, 7
    sext a7, a7, 7
    sext a8, a8, 7
    sext a9, a9, 7
    s16i a6, a2, 0
    s16i a8, a2, 2
    s16i a7, a2, 4
    s16i a9, a2, 6
    addi a2, a2, 8
    addi a3, a3, 4
1:  retw

// a2: pixel, a3: slot, a4: quads, a5: out, a6: count. a8: x'
    begin_function midge_mac_channels
    addi a2, a2, -4
    .literal_position
1:  l32i a8, a3, 0 // start
    mov a9, a2
    wsr.acclo a8
    addi a10, a3, MIDGE_SCALE_BYTES - 4
    ldinc m0, a9
    ldinc m2, a10
    loop a4, 2f
    mula.dd.ll.ldinc m1, a9, m0, m2
    mula.dd.hh.ldinc m3, a10, m0, m2
    mula.dd.ll.ldinc m0, a9, m1, m3
    mula.dd.hh.ldinc m2, a10, m1, m3
2:  rsr.acclo a8
    l32i a9, a3, 8 // range
    mov a7, a10
    bltu a9, a8, 5f
    l32i a11, a3, 12 // high
    l32i a13, a3, 16 // base
    mull a11, a8, a11
    l32i a14, a3, 4 // limit
    add a11, a11, a13
    slli a15, a11, 8
    bgeu a15, a14, 6f
    extui a8, a11, 24, 8
3:  s8i a8, a5, 0
    mov a3, a7
    addi a5, a5, 1
    addi a6, a6, -1
    bnez a6, 1b
    retw
5:  srai a8, a8, 31
    movi a9, 127
    xor a8, a8, a9
    j 3b
6:  mov a10, a8
    mov a11, a3
    call8 midge_scale_exactly
    mov a8, a10
    j 3b

// Signed bytes, 256 times: in the upper half of each half word, by a mask.
    .macro four_bytes at
    l32i a8, a3, \at
    slli a7, a8, 8
    and a7, a7, a6 // 0, 2
    and a8, a8, a6 // 1, 3
    mula.da.ll.ldinc m1, a2, m0, a7
    mula.da.hh m0, a7
    mula.da.ll.ldinc m0, a2, m1, a8
    mula.da.hh m1, a8
    .endm

// a2: x, a3: w, a4: quads
    .literal_position
    begin_function midge_mac_bytes
    movi a5, 0
    movi a6, 0xff00ff00
    wsr.acclo a5
    wsr.acchi a5
    addi a2, a2, -4
    srli a10, a4, 1
    ldinc m0, a2
    beqz a10, 2f
    loop a10, 1f
    four_bytes 0
    four_bytes 4
    addi a3, a3, 8
1:  nop
2:  bbci a4, 0, 3f
    four_bytes 0
3:  rsr.acclo a2
    rsr.acchi a3
    ssai 8
    src a2, a3, a2
    retw

// a7: what the stack's first word keeps, the last weight.
    .macro load_columns
    l32i a5, a2, MIDGE_WEIGHTS_AT
    l32i a6, a2, MIDGE_WEIGHTS_AT + 4
    l32i a7, a2, MIDGE_WEIGHTS_AT + 8
    l32i a8, a2, MIDGE_WEIGHTS_AT + 12
    l32i a9, a2, MIDGE_WEIGHTS_AT + 16
    wsr.m0 a5 // 0, 1
    wsr.m1 a6 // 2, 3
    wsr.m2 a7 // 4, 5
    wsr.m3 a8 // 6, 7
    s32i a9, a1, 0 // 8
    s32i a2, a1, 4
    s32i a3, a1, 8
    l32i a3, a2, 0
    l32i a4, a2, 4
    l32i a5, a2, 8
    l32i a6, a2, MIDGE_SUMS_AT
    l32i a8, a2, MIDGE_STEP_AT
    l32i a9, a2, MIDGE_STEP_AT + 4
    l32i a10, a2, MIDGE_STEP_AT + 8
    l32i a11, a2, MIDGE_COLUMN_AT
    l32i a12, a2, MIDGE_COLUMN_AT + 4
    l32i a13, a2, MIDGE_COLUMN_AT + 8
    .endm

// With the columns that are left, u and v.
    .macro store_columns ux, uy, uz, vx, vy, vz
    l32i a7, a1, 4
    s32i a3, a7, 0
    s32i a4, a7, 4
    s32i a5, a7, 8
    s32i a6, a7, MIDGE_SUMS_AT
    s32i \ux, a7, MIDGE_COLUMN_AT
    s32i \uy, a7, MIDGE_COLUMN_AT + 4
    s32i \uz, a7, MIDGE_COLUMN_AT + 8
    s32i \vx, a7, MIDGE_COLUMN_AT + 12
    s32i \vy, a7, MIDGE_COLUMN_AT + 16
    s32i \vz, a7, MIDGE_COLUMN_AT + 20
    .endm

    .macro next_column x, y, z
    l8ui \x, a3, 0
    l8ui \y, a4, 0
    l8ui \z, a5, 0
    add a3, a3, a8
    add a4, a4, a9
    add a5, a5, a10
    sext \x, \x, 7
    sext \y, \y, 7
    sext \z, \z, 7
    .endm

    .macro first_column x, y, z
    mul.da.ll m0, \x
    mula.da.hl m0, \y
    mula.da.ll m1, \z
    .endm

    .macro second_column x, y, z
    mula.da.hl m1, \x
    mula.ad.ll \y, m2
    mula.ad.lh \z, m2
    .endm

    .macro third_column x, y, z, at
    l32i a7, a1, 0
    mula.ad.ll \x, m3
    mula.ad.lh \y, m3
    mula.aa.ll \z, a7
    rsr.acclo a7
    s32i a7, a6, \at
    .endm

// a2: columns, a3: count. The registers of the first column take the third, which is the second of
// the next output.
    begin_function midge_mac_columns
    load_columns
    l32i a14, a2, MIDGE_COLUMN_AT + 12
    l32i a15, a2, MIDGE_COLUMN_AT + 16
    l32i a7, a1, 8
    l32i a2, a2, MIDGE_COLUMN_AT + 20
    srli a7, a7, 1
    beqz a7, 2f
    loop a7, 1f
    first_column a11, a12, a13
    second_column a14, a15, a2
    next_column a11, a12, a13
    third_column a11, a12, a13, 0
    first_column a14, a15, a2
    second_column a11, a12, a13
    next_column a14, a15, a2
    third_column a14, a15, a2, 4
    addi a6, a6, 8
1:  nop
2:  l32i a7, a1, 8
    bbci a7, 0, 3f
    first_column a11, a12, a13
    second_column a14, a15, a2
    next_column a11, a12, a13
    third_column a11, a12, a13, 0
    addi a6, a6, 4
    store_columns a14, a15, a2, a11, a12, a13
    retw
3:  store_columns a11, a12, a13, a14, a15, a2
    retw

// a2: columns, a3: count, not 0
    begin_function midge_mac_columns_2
    load_columns
    l32i a7, a1, 8
    loop a7, 1f
    first_column a11, a12, a13
    next_column a11, a12, a13
    second_column a11, a12, a13
    next_column a11, a12, a13
    third_column a11, a12, a13, 0
    addi a6, a6, 4
1:  store_columns a11, a12, a13, a11, a12, a13
    retw

// a2: sums, a3: count, not 0, a4: scale, a5: out, a6: step. In the loop a12 to a15 are free.
    begin_function midge_scale_sums
    l32i a7, a4, 0 // start
1:  l32i a8, a4, 8 // range
    l32i a9, a4, 12 // high
    l32i a11, a4, 16 // base
    l32i a12, a4, 4 // limit
2:  l32i a13, a2, 0
    addi a2, a2, 4
    add a13, a13, a7
    bltu a8, a13, 5f
    mull a14, a13, a9
    add a14, a14, a11
    slli a15, a14, 8
    bgeu a15, a12, 6f
    extui a13, a14, 24, 8
3:  s8i a13, a5, 0
    add a5, a5, a6
    addi a3, a3, -1
    bnez a3, 2b
    retw
5:  srai a13, a13, 31
    movi a14, 127
    xor a13, a13, a14
    j 3b
6:  mov a10, a13
    mov a11, a4
    call8 midge_scale_exactly
    s8i a10, a5, 0
    add a5, a5, a6
    addi a3, a3, -1
    bnez a3, 1b
    retw

#endif
