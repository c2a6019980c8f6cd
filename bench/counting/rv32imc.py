"""Instructions on QEMU's RISC-V board."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from midge_host.errors import MidgeError

from .build import Program, build, compiler_problem
from .layers import ALIGNMENT, Layer, check, place

QEMU = "qemu-system-riscv32"
HERE = Path(__file__).parent
BASE, JOB = 0x8000_0000, 0x8100_0000
SECONDS = 300
GUARD = 256  # bytes; a multiple of ALIGNMENT


def problem() -> str | None:
    """Why nothing can be counted here; None if it can."""
    if shutil.which(QEMU) is None:
        return f"{QEMU} is not installed; as root on Debian: make toolchains"
    return compiler_problem("rv32imc")


def assemble(plain: bool = False, bank: str = "core") -> Program:
    """The core, or another bank; plain: without the kernels for this architecture."""
    return build("rv32imc", BASE, (HERE / "rv32imc.S", HERE / "rv32imc.c"), plain, bank)


class Outcome(NamedTuple):
    """What a layer made of its memory and of GUARD bytes on either side; `arena` is an offset in them."""

    status: int
    instructions: int
    before: bytes
    after: bytes
    arena: int


def run(program: Program, layers: Sequence[Layer]) -> list[Outcome]:
    head = 8 + 12 * len(layers)
    memory, calls, parts = bytearray(head), [], []
    for layer in layers:
        memory += b"\xa5" * (GUARD + -len(memory) % ALIGNMENT)
        start = len(memory)
        placed = place(layer, JOB + start)
        memory += placed.memory + b"\xa5" * GUARD
        calls.append((placed.at, 0, 0))
        parts.append((slice(start - GUARD, len(memory)), placed.arena - JOB - start + GUARD))
    memory[:head] = struct.pack("<2I", len(memory), len(layers)) + b"".join(struct.pack("<3I", *c) for c in calls)
    after = _run(program, bytes(memory))
    found = struct.iter_unpack("<3I", after[8:head])
    return [
        Outcome(status, instructions, bytes(memory[part]), after[part], arena)
        for (_, status, instructions), (part, arena) in zip(found, parts, strict=True)
    ]


def count(program: Program, layers: Sequence[Layer]) -> list[int]:
    """Instructions of each layer. Raises MidgeError when an output is not the reference's."""
    outcomes = run(program, layers)
    for layer, outcome in zip(layers, outcomes, strict=True):
        at = outcome.arena + layer.output
        check(layer, outcome.status, outcome.after[at : at + layer.expected.size])
    return [outcome.instructions for outcome in outcomes]


def _run(program: Program, memory: bytes) -> bytes:
    """The job's memory after it has run."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "program.elf").write_bytes(program.elf)
        (folder / "job.bin").write_bytes(memory)
        command = [QEMU, "-machine", "virt", "-bios", "none", "-icount", "shift=0", "-display", "none"]
        command += ["-monitor", "none", "-serial", "none", "-semihosting", "-kernel", "program.elf"]
        command += ["-device", f"loader,file=job.bin,addr={JOB:#x},force-raw=on"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise MidgeError(f"the emulated RISC-V core does not end within {SECONDS} seconds") from None
        if done.returncode or not (folder / "after.bin").exists():
            raise MidgeError(f"{QEMU} failed: {done.stderr.strip()}")
        return (folder / "after.bin").read_bytes()
