// The start of rv32imc.c, and what C cannot say.

    .section .start, "ax"
    .global start
start:
    li sp, 0x88000000 // the end of 128 MB
    la t0, fault
    csrw mtvec, t0
    li a0, 0x81000000
    call run_job
fault:
    j fault

    .text
    .global instructions
instructions:
    csrr a0, instret
    ret

    .global semihosting
    .balign 16
semihosting: // these three instructions, uncompressed and on one page
    .option push
    .option norvc
    slli zero, zero, 0x1f
    ebreak
    srai zero, zero, 7
    .option pop
    ret
