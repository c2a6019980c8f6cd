"""Instructions of a Cortex-M33 that Unicorn emulates, and cycles that they may take on one: an estimate."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from midge_host.errors import MidgeError

from .build import Program, build, compiler_problem
from .layers import ALIGNMENT, Layer, check, place

RAM, RAM_BYTES = 0x2000_0000, 1 << 20
STOP = 0x1000_0000  # where calls return to
STOP_BYTES = 0x1000
BASE = RAM + 0x100

# Registers of a list are loaded and stored one a cycle, after the first.
LOAD, BRANCH, DIVISION = 2, 2, 7
SINGLE_LOADS = re.compile(r"ldr(s?[bh])?(\.w)?$")
LISTS = re.compile(r"(ldm|stm|push|pop|vldm|vstm)")
PAIRS = re.compile(r"(ldrd|strd)")


class Effort(NamedTuple):
    """Of a layer. `cycles` are estimated: loads 2, and 1 each behind another one; taken branches 3; lists and pairs
    1 more than they have registers; divisions 7; all else 1; no waiting for memory."""

    instructions: int
    cycles: int


def problem() -> str | None:
    """Why nothing can be counted here; None if it can."""
    try:
        import unicorn  # noqa: F401
    except ImportError:
        return "unicorn is not installed: pip install unicorn"
    return compiler_problem("armv7emsp")


def assemble(plain: bool = False) -> Program:
    """The core; plain: without the kernels of this architecture."""
    return build("armv7emsp", BASE, plain=plain)


def count(program: Program, layers: Sequence[Layer]) -> list[int]:
    """Instructions of each layer. Raises MidgeError when an output is not the reference's."""
    return [effort.instructions for effort in measure(program, layers)]


def measure(program: Program, layers: Sequence[Layer]) -> list[Effort]:
    """Raises MidgeError when an output is not the reference's."""
    costs = _Costs(program)
    return [_run(program, costs, layer) for layer in layers]


class _Costs:
    """What a run of instructions takes, by the addresses of its first one and of what follows it."""

    def __init__(self, program: Program) -> None:
        lines = [(at, line.split("\t")) for at, line in program.disassembly() if at is not None]
        names = [parts[2].strip() if len(parts) > 2 else "" for _, parts in lines]
        operands = [parts[3] if len(parts) > 3 else "" for _, parts in lines]
        cycles = [_cycles(*pair) for pair in zip(names, operands, strict=True)]
        for at, (before, name) in enumerate(pairwise(names), 1):
            if SINGLE_LOADS.match(before) and SINGLE_LOADS.match(name):
                cycles[at] = 1
        self.index = {at: i for i, (at, _) in enumerate(lines)}
        self.sums = [0, *accumulate(cycles)]

    def of(self, start: int, end: int) -> Effort:
        first = self.index[start]
        last = self.index.get(end, len(self.sums) - 1)
        return Effort(last - first, self.sums[last] - self.sums[first])


def _cycles(name: str, operands: str) -> int:
    if SINGLE_LOADS.match(name):
        return LOAD
    if PAIRS.match(name):
        return 3
    if LISTS.match(name):
        registers = operands[operands.find("{") + 1 : operands.find("}")]
        names = [part.strip() for part in registers.split(",")]
        return 1 + sum(_span(part) for part in names)
    return DIVISION if name in ("sdiv", "udiv") else 1


def _span(registers: str) -> int:
    """Registers in `r4` or in `r4-r7`."""
    first, _, last = registers.partition("-")
    return int(last[1:]) - int(first[1:]) + 1 if last else 1


def _run(program: Program, costs: _Costs, layer: Layer) -> Effort:
    from unicorn import UC_ARCH_ARM, UC_HOOK_BLOCK, UC_MODE_MCLASS, UC_MODE_THUMB, Uc, UcError
    from unicorn import arm_const as arm

    start = BASE + len(program.image)
    placed = place(layer, start + -start % ALIGNMENT)
    machine = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)  # which is a Cortex-M33
    machine.mem_map(RAM, RAM_BYTES)
    machine.mem_map(STOP, STOP_BYTES)
    machine.mem_write(program.base, program.image)
    machine.mem_write(placed.at, placed.memory)
    blocks: Counter[tuple[int, int]] = Counter()
    edges: Counter[bool] = Counter()
    end_before = 0

    def entered(_: Uc, address: int, size: int, __: object) -> None:
        nonlocal end_before
        blocks[address, size] += 1
        edges[end_before != address] += 1
        end_before = address + size

    machine.hook_add(UC_HOOK_BLOCK, entered, begin=RAM, end=RAM + RAM_BYTES)
    machine.reg_write(arm.UC_ARM_REG_R0, placed.at)
    machine.reg_write(arm.UC_ARM_REG_SP, RAM + RAM_BYTES)
    machine.reg_write(arm.UC_ARM_REG_LR, STOP | 1)
    try:
        machine.emu_start(program.symbols["run_layer"] | 1, STOP)
    except UcError as error:
        raise MidgeError(f"{layer.title}: {error} at {machine.reg_read(arm.UC_ARM_REG_PC):#x}") from None
    address, size = placed.output
    check(layer, machine.reg_read(arm.UC_ARM_REG_R0), bytes(machine.mem_read(address, size)))
    instructions, cycles = 0, BRANCH * edges[True]
    for (at, size), times in blocks.items():
        effort = costs.of(at, at + size)
        instructions += times * effort.instructions
        cycles += times * effort.cycles
    return Effort(instructions, cycles)
