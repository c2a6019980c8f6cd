"""Instructions on QEMU's Xtensa core, with the registers windowed as on an ESP32."""

from __future__ import annotations

from collections.abc import Sequence

from midge_host.boards import xtensa

from .build import XTENSA, Program, build
from .layers import ALIGNMENT, Layer, check, place


def problem() -> str | None:
    """Why nothing can be counted here; None if it can."""
    return xtensa.problem()


def assemble(plain: bool = False, bank: str = "core") -> Program:
    """The core, or another bank; plain: without the kernels for this architecture."""
    return build("xtensawin", xtensa.Machine().heap, (XTENSA / "runtime.S",), plain, bank)


def count(program: Program, layers: Sequence[Layer]) -> list[int]:
    """Instructions of each layer. Raises MidgeError when an output is not the reference's."""
    machine = xtensa.Machine(counting=True)
    machine.write(program.base, program.image)
    free = program.base + len(program.image)
    free += -free % ALIGNMENT
    counts = []
    for layer in layers:
        placed = place(layer, free)
        machine.write(placed.at, placed.memory)
        entry = program.symbols["run_layer"]
        status, instructions, (output,) = machine.call(entry, placed.at, read=[placed.output])
        check(layer, status, output)
        counts.append(instructions)
    return counts
