"""Instructions of a Cortex-M33 that Unicorn emulates, and cycles that they may take on one: an estimate."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

from midge_host.errors import MidgeError

from .build import Program, build, compiler_problem
from .layers import ALIGNMENT, LAYER, Layer, Placed, check, place

if TYPE_CHECKING:
    from unicorn import Uc

RAM, RAM_BYTES = 0x2000_0000, 1 << 20
STOP = 0x1000_0000  # where calls return to
STOP_BYTES = 0x1000
BASE = RAM + 0x100
STACK_BYTES = 2048
WEIGHTS, ARENA, REGION_BYTES = 0x3000_0000, 0x4000_0000, 1 << 18  # of fenced layers

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


def assemble(plain: bool = False, bank: str = "core") -> Program:
    """The core, or another bank; plain: without the kernels of this architecture."""
    return build("armv7emsp", BASE, plain=plain, bank=bank)


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


def _machine(program: Program, placed: Placed) -> Uc:
    """A processor with the program and a layer, about to run it."""
    from unicorn import UC_ARCH_ARM, UC_MODE_MCLASS, UC_MODE_THUMB, Uc
    from unicorn import arm_const as arm

    machine = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)  # which is a Cortex-M33
    machine.mem_map(RAM, RAM_BYTES)
    machine.mem_map(STOP, STOP_BYTES)
    machine.mem_write(program.base, program.image)
    machine.mem_write(placed.at, placed.memory)
    machine.reg_write(arm.UC_ARM_REG_R0, placed.at)
    machine.reg_write(arm.UC_ARM_REG_SP, RAM + RAM_BYTES)
    machine.reg_write(arm.UC_ARM_REG_LR, STOP | 1)
    return machine


def _start(program: Program, machine: Uc, layer: Layer) -> int:
    """What the layer's run returns."""
    from unicorn import UcError
    from unicorn import arm_const as arm

    try:
        machine.emu_start(program.symbols["run_layer"] | 1, STOP)
    except UcError as error:
        raise MidgeError(f"{layer.title}: {error} at {machine.reg_read(arm.UC_ARM_REG_PC):#x}") from None
    return machine.reg_read(arm.UC_ARM_REG_R0)


def _placed(program: Program, layer: Layer) -> Placed:
    start = program.base + len(program.image)
    return place(layer, start + -start % ALIGNMENT)


def _run(program: Program, costs: _Costs, layer: Layer) -> Effort:
    from unicorn import UC_HOOK_BLOCK

    placed = _placed(program, layer)
    machine = _machine(program, placed)
    blocks: Counter[tuple[int, int]] = Counter()
    edges: Counter[bool] = Counter()
    end_before = 0

    def entered(_: Uc, address: int, size: int, __: object) -> None:
        nonlocal end_before
        blocks[address, size] += 1
        edges[end_before != address] += 1
        end_before = address + size

    machine.hook_add(UC_HOOK_BLOCK, entered, begin=RAM, end=RAM + RAM_BYTES)
    status = _start(program, machine, layer)
    address, size = placed.output
    check(layer, status, bytes(machine.mem_read(address, size)))
    instructions, cycles = 0, BRANCH * edges[True]
    for (at, size), times in blocks.items():
        effort = costs.of(at, at + size)
        instructions += times * effort.instructions
        cycles += times * effort.cycles
    return Effort(instructions, cycles)


class Outcome(NamedTuple):
    """Of a fenced layer: `arena` afterwards; `fault` says which access was none of its own."""

    status: int
    arena: bytes
    fault: str


def run_fenced(program: Program, layer: Layer, parts: Sequence[tuple[int, int, bool]]) -> Outcome:
    """Runs a layer that may use no memory but the code, the record, its weights, the stack, and the parts of the arena
    that are named: (offset, bytes, whether it may write there).

    Weights and arena end where memory ends. Within the arena an access is judged by where it begins: hooks that are
    called for what is allowed upset Unicorn.
    """
    from unicorn import UC_HOOK_MEM_READ, UC_HOOK_MEM_WRITE, UC_MEM_WRITE

    placed = _placed(program, layer)
    machine = _machine(program, placed)
    weights = _map_end(machine, WEIGHTS, layer.weights, 0)
    arena = _map_end(machine, ARENA, layer.arena, layer.arena_at)
    program_at, size = placed.program, len(layer.record)
    share = (layer.begin, layer.end, *layer.share)
    fields = (program_at, size, arena, len(layer.arena), weights, len(layer.weights), layer.weights_base, *share)
    machine.mem_write(placed.at, LAYER.pack(*fields))
    used = program_at + size
    stack = RAM + RAM_BYTES - STACK_BYTES
    fault = ""

    def beyond(_: Uc, kind: int, address: int, size: int, __: int, ___: object) -> None:
        nonlocal fault
        fault = f"{'writes' if kind == UC_MEM_WRITE else 'reads'} {size} bytes at {address - arena:+#x} of the arena"
        machine.emu_stop()

    def forbid(hook: int, begin: int, end: int) -> None:
        if begin < end:
            machine.hook_add(hook, beyond, None, begin, end - 1)

    forbid(UC_HOOK_MEM_READ, used, stack)
    forbid(UC_HOOK_MEM_WRITE, RAM, stack)
    forbid(UC_HOOK_MEM_WRITE, WEIGHTS, WEIGHTS + REGION_BYTES)
    for hook in (UC_HOOK_MEM_READ, UC_HOOK_MEM_WRITE):
        at = ARENA
        for start, length, may_write in sorted(parts):
            if length and (may_write or hook == UC_HOOK_MEM_READ):
                forbid(hook, at, arena + start)
                at = max(at, arena + start + length)
        forbid(hook, at, ARENA + REGION_BYTES)
    status = _start(program, machine, layer)
    return Outcome(status, bytes(machine.mem_read(arena, len(layer.arena))), fault)


def _map_end(machine: Uc, at: int, data: bytes, beyond: int) -> int:
    """Maps memory that ends with `data`, which begins `beyond` bytes behind a multiple of four; its address."""
    machine.mem_map(at, REGION_BYTES)
    start = at + REGION_BYTES - len(data)
    start -= (start - beyond) % 4
    machine.mem_write(start, data)
    return start
