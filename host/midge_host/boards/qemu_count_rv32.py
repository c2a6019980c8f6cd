# Runs on the emulated RISC-V board, which executes exactly one instruction per tick of its counter.
import micropython


# The number of instructions so far into a buffer: an int of that size would take heap, and time to find it.
@micropython.asm_rv32
def stamp(a0):
    csrrs(a1, zero, 0xC02)  # rdinstret  # noqa: F821
    sw(a1, 0(a0))  # noqa: F821
    li(a0, 0)  # noqa: F821


def between(start, end):
    return (end - start) & 0xFFFFFFFF
