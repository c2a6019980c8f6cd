// For the assembly of all banks: registers that functions leave as they were.

#ifndef MIDGE_REGISTERS_H
#define MIDGE_REGISTERS_H

// r8 to r11 to the stack and back. Uses r4 to r7.
.macro save_high
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    push {r4-r7}
.endm

.macro restore_high
    pop {r4-r7}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
.endm

// All of them, and the return.
.macro save
    push {r4-r7, lr}
    save_high
.endm

.macro restore
    restore_high
    pop {r4-r7, pc}
.endm

#endif
