"""Cycles on an emulated Cortex-M0+ with everything in RAM, whole or by instruction."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from midge_host.errors import MidgeError

from .build import Program, build, compiler_problem
from .layers import ALIGNMENT, LAYER, Layer, Placed, check, place

RUNNER = Path(__file__).with_name("count_cycles.mjs")
RAM, RAM_BYTES = 0x2000_0000, 264 << 10
BASE = RAM + 0x100  # below it lies the breakpoint to which calls return
STACK_BYTES = 2048
CLOCK_HZ = 125_000_000
LIMIT = 2_000_000_000

Fence = tuple[int, int, int]  # offset in the arena, bytes, rights


def problem() -> str | None:
    """Why nothing can be counted here; None if it can."""
    if shutil.which("node") is None:
        return "node (18 or later) is not installed"
    return compiler_problem("armv6m")


@dataclass(frozen=True)
class Profile:
    """Executed instructions of a call: how often, and cycles in all, by address."""

    program: Program
    times: dict[int, int]
    cycles: dict[int, int]

    def by_symbol(self) -> Counter[str]:
        """Cycles by the function or label before each instruction."""
        places = sorted((address, name) for name, address in self.program.symbols.items())
        addresses = [address for address, _ in places]
        total: Counter[str] = Counter()
        for address, cycles in self.cycles.items():
            total[places[bisect_right(addresses, address) - 1][1]] += cycles
        return total


def assemble(plain: bool = False, bank: str = "core") -> Program:
    """The core, or another bank; plain: without the kernels of this architecture."""
    return build("armv6m", BASE, plain=plain, bank=bank)


def count(program: Program, layers: Sequence[Layer]) -> list[int]:
    """Cycles of each layer. Raises MidgeError when an output is not the reference's."""
    return [call["cycles"] for call in _run(program, layers, profile=False)]


def count_banks(layers: Sequence[Layer]) -> list[int]:
    """The same for layers of any banks, each run by its own."""
    programs = {bank: assemble(bank=bank) for bank in {layer.bank for layer in layers}}
    counts: dict[int, int] = {}
    for bank, program in programs.items():
        chosen = [layer for layer in layers if layer.bank == bank]
        counts.update(zip([layer.index for layer in chosen], count(program, chosen), strict=True))
    return [counts[layer.index] for layer in layers]


def profile(program: Program, layer: Layer) -> Profile:
    (call,) = _run(program, [layer], profile=True)
    executed = call["executed"]
    return Profile(program, {a: n for a, n, _ in executed}, {a: c for a, _, c in executed})


@dataclass(frozen=True)
class Outcome:
    """Of a fenced layer: `arena` afterwards, bytes of stack that it took; `fault` says why it was stopped."""

    status: int
    arena: bytes
    cycles: int
    stack: int
    fault: str = ""


# Rights to memory, in count_cycles.mjs.
READ, WRITE, EXECUTE = 1, 2, 4


def run_fenced(program: Program, layers: Sequence[tuple[Layer, Sequence[Fence]]], limit: int) -> list[Outcome]:
    """Runs layers that may use no memory but the code, the record, their weights, the stack, and the parts of the arena
    that are named: (offset, bytes, rights)."""
    calls = []
    for layer, parts in layers:
        placed = _placed(program, layer)
        fences = [
            (program.base, len(program.image), READ | EXECUTE),
            (placed.at, LAYER.size, READ),
            (placed.program, len(layer.record), READ),
            (placed.weights, len(layer.weights), READ),
            (RAM + RAM_BYTES - STACK_BYTES, STACK_BYTES, READ | WRITE),
            *((placed.arena + at, size, rights) for at, size, rights in parts),
        ]
        calls.append({**_call(placed), "read": (placed.arena, len(layer.arena)), "fences": fences})
    outcomes = []
    for call in emulate(program, calls, limit):
        if "fault" in call:
            outcomes.append(Outcome(0, b"", 0, 0, call["fault"]))
        else:
            arena = base64.b64decode(call["output"])
            outcomes.append(Outcome(call["result"], arena, call["cycles"], call["stack"]))
    return outcomes


def _placed(program: Program, layer: Layer) -> Placed:
    heap = program.base + len(program.image)
    heap += -heap % ALIGNMENT
    placed = place(layer, heap)
    if heap + len(placed.memory) + STACK_BYTES > RAM + RAM_BYTES:
        raise MidgeError(f"{layer.title} does not fit {RAM_BYTES:,} bytes of RAM")
    return placed


def _call(placed: Placed) -> dict:
    memory = base64.b64encode(placed.memory).decode()
    return {"memory": memory, "at": placed.at, "argument": placed.at, "read": placed.output}


def emulate(
    program: Program, calls: list[dict], limit: int = LIMIT, profile: bool = False, entry: str = "run_layer"
) -> list[dict]:
    """Calls a function of the program: see count_cycles.mjs."""
    job = {
        "image": base64.b64encode(program.image).decode(),
        "base": program.base,
        "entry": program.symbols[entry],
        "calls": calls,
        "profile": profile,
        "limit": limit,
    }
    with as_file(files("midge_host.boards") / "cortex_m0plus.mjs") as core:
        done = subprocess.run(["node", RUNNER, core], input=json.dumps(job), capture_output=True, text=True)
    if done.returncode:
        raise MidgeError(f"the emulator failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def _run(program: Program, layers: Sequence[Layer], profile: bool) -> list[dict]:
    results = emulate(program, [_call(_placed(program, layer)) for layer in layers], LIMIT, profile)
    for layer, call in zip(layers, results, strict=True):
        if "fault" in call:
            raise MidgeError(f"{layer.title}: {call['fault']}")
        check(layer, call["result"], base64.b64decode(call["output"]))
    return results
