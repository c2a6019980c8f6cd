// Bare-metal start of qemu-system-xtensa (-M sim -cpu dc233c): vectors, the C environment, calls to
// the simulator.

// Instructions beside those of windowed.inc: a program needs them, a native module does not.
    .macro s32e t, s, offset
    .byte .Lr_\t << 4, .Lr_\s | ((64 + \offset) / 4) << 4, 0x49
    .endm
    .macro l32e t, s, offset
    .byte .Lr_\t << 4, .Lr_\s | ((64 + \offset) / 4) << 4, 0x09
    .endm
    .macro rfwo
    .byte 0x00, 0x34, 0x00
    .endm
    .macro rfwu
    .byte 0x00, 0x35, 0x00
    .endm
    .macro wsr_number t, number
    .byte .Lr_\t << 4, \number, 0x13
    .endm
    .macro simcall
    .byte 0x00, 0x51, 0x00
    .endm
#define WINDOWBASE 72
#define WINDOWSTART 73

#define SIMCALL_EXIT 1
#define SIMCALL_READ 3
#define SIMCALL_WRITE 4

// A window overflow saves the registers of a caller, 4, 8 or 12 of them, to its stack; an underflow
// restores them. The places are the ABI's.
    .section .vectors, "ax"
    .org 0x000 // overflow, 4
    s32e a0, a5, -16
    s32e a1, a5, -12
    s32e a2, a5, -8
    s32e a3, a5, -4
    rfwo
    .org 0x040 // underflow, 4
    l32e a0, a5, -16
    l32e a1, a5, -12
    l32e a2, a5, -8
    l32e a3, a5, -4
    rfwu
    .org 0x080 // overflow, 8
    s32e a0, a9, -16
    l32e a0, a1, -12
    s32e a1, a9, -12
    s32e a2, a9, -8
    s32e a3, a9, -4
    s32e a4, a0, -32
    s32e a5, a0, -28
    s32e a6, a0, -24
    s32e a7, a0, -20
    rfwo
    .org 0x0c0 // underflow, 8
    l32e a0, a9, -16
    l32e a1, a9, -12
    l32e a2, a9, -8
    l32e a7, a1, -12
    l32e a3, a9, -4
    l32e a4, a7, -32
    l32e a5, a7, -28
    l32e a6, a7, -24
    l32e a7, a7, -20
    rfwu
    .org 0x100 // overflow, 12
    s32e a0, a13, -16
    l32e a0, a1, -12
    s32e a1, a13, -12
    s32e a2, a13, -8
    s32e a3, a13, -4
    s32e a4, a0, -48
    s32e a5, a0, -44
    s32e a6, a0, -40
    s32e a7, a0, -36
    s32e a8, a0, -32
    s32e a9, a0, -28
    s32e a10, a0, -24
    s32e a11, a0, -20
    rfwo
    .org 0x140 // underflow, 12
    l32e a0, a13, -16
    l32e a1, a13, -12
    l32e a2, a13, -8
    l32e a11, a1, -12
    l32e a3, a13, -4
    l32e a4, a11, -48
    l32e a5, a11, -44
    l32e a6, a11, -40
    l32e a7, a11, -36
    l32e a8, a11, -32
    l32e a9, a11, -28
    l32e a10, a11, -24
    l32e a11, a11, -20
    rfwu
    .org 0x300 // kernel exception
    j fault
    .org 0x340 // user exception
    j fault
    .org 0x3c0 // double exception
fault: // ends the simulation with code 100 + cause
    rsr a3, exccause
    addi a3, a3, 100
    movi a2, SIMCALL_EXIT
    simcall

    .section .reset, "ax"
    j 1f
    .align 4
0:  .long start
1:  l32r a0, 0b
    jx a0

    .text
    .literal_position
    .align 4
    .global start
start:
    movi a2, 0
    wsr_number a2, WINDOWBASE
    rsync
    movi a2, 1
    wsr_number a2, WINDOWSTART
    rsync
    movi a2, vectors
    wsr a2, vecbase
    movi a2, 0x4000f // PS: windowed calls on (WOE), interrupts off, no exception in progress
    wsr a2, ps
    rsync
    movi a1, stack
    movi a0, 0
    movi a4, main
    callx4 a4
    mov a3, a6
    movi a2, SIMCALL_EXIT
    simcall

// int sim_read(void *data, unsigned bytes), int sim_write(const void *data, unsigned bytes): standard
// input and output of QEMU; bytes done, negative on an error.
    .macro transfer name, file, number
    .global \name
    .align 4
\name:
    entry a1, 16
    mov a5, a3
    mov a4, a2
    movi a3, \file
    movi a2, \number
    simcall
    retw
    .endm
    transfer sim_read, 0, SIMCALL_READ
    transfer sim_write, 1, SIMCALL_WRITE

// void sim_exit(int code)
    .global sim_exit
    .align 4
sim_exit:
    entry a1, 16
    mov a3, a2
    movi a2, SIMCALL_EXIT
    simcall

// unsigned sim_ticks(void)
    .global sim_ticks
    .align 4
sim_ticks:
    entry a1, 16
    rsr a2, ccount
    retw
