# Runs on the emulated RISC-V board, which executes exactly one instruction per tick of its counter.
import micropython


@micropython.asm_rv32
def count():
    csrrs(a0, zero, 0xC02)  # rdinstret  # noqa: F821
