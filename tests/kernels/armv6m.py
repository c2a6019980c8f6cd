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
from .layers import ALIGNMENT, Layer, check, place

RUNNER = Path(__file__).with_name("count_cycles.mjs")
RAM_BYTES = 264 << 10
BASE = 0x2000_0100  # below it lies the breakpoint to which calls return
STACK_BYTES = 2048
CLOCK_HZ = 125_000_000
LIMIT = 2_000_000_000


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


def assemble() -> Program:
    return build("armv6m", BASE)


def count(program: Program, layers: Sequence[Layer]) -> list[int]:
    """Cycles of each layer. Raises MidgeError when an output is not the reference's."""
    return [call["cycles"] for call in _run(program, layers, profile=False)]


def profile(program: Program, layer: Layer) -> Profile:
    (call,) = _run(program, [layer], profile=True)
    executed = call["executed"]
    return Profile(program, {a: n for a, n, _ in executed}, {a: c for a, _, c in executed})


def _run(program: Program, layers: Sequence[Layer], profile: bool) -> list[dict]:
    heap = program.base + len(program.image)
    heap += -heap % ALIGNMENT
    calls = []
    for layer in layers:
        placed = place(layer, heap)
        if heap + len(placed.memory) + STACK_BYTES > 0x2000_0000 + RAM_BYTES:
            raise MidgeError(f"{layer.title} does not fit {RAM_BYTES:,} bytes of RAM")
        memory = base64.b64encode(placed.memory).decode()
        calls.append({"memory": memory, "at": placed.at, "argument": placed.at, "read": placed.output})
    job = {
        "image": base64.b64encode(program.image).decode(),
        "base": program.base,
        "entry": program.symbols["run_layer"],
        "calls": calls,
        "profile": profile,
        "limit": LIMIT,
    }
    with as_file(files("midge_host.boards") / "cortex_m0plus.mjs") as core:
        done = subprocess.run(["node", RUNNER, core], input=json.dumps(job), capture_output=True, text=True)
    if done.returncode:
        raise MidgeError(f"the emulator failed: {done.stderr.strip()}")
    results = json.loads(done.stdout)
    for layer, call in zip(layers, results, strict=True):
        if "fault" in call:
            raise MidgeError(f"{layer.title}: {call['fault']}")
        check(layer, call["result"], base64.b64decode(call["output"]))
    return results
