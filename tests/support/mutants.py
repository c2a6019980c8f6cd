"""Mutated .midge files for boards, thousands in one session: files as they should be, and what differs from them.

tests/support/mutants_board.py makes each of them from the file that it differs from, loads and runs it there.
"""

from __future__ import annotations

import functools
import itertools
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import hostile
import midge
from midge_host.conversion import GOLDEN_SEED, build
from midge_host.device import reference, registry, spec
from midge_host.device.layout import Layout
from midge_host.frontends import tflite
from outcome import outcome

WORK = 20_000  # of a run that is not left out
MEMORY = 1 << 16  # arena and results of such a run; a board has more
MODES = ("ram", "stream", "map")
REFUSED, RUNS, DIFFERS, LONG = range(4)  # as mutants_board.py knows them
ANY = 0xFFFFFFFF  # for a checksum: where tensors lie upon each other, the order of work shows


@dataclass
class Mutant:
    """A file: `patches` are places and bytes that differ from file number `base`. What CPython made of it."""

    base: int
    mode: int
    what: str
    patches: list[tuple[int, bytes]]
    answer: int = REFUSED
    crc: int = 0

    def pack(self) -> bytes:
        head = struct.pack("<BBBBI", self.base, self.mode, self.answer, len(self.patches), self.crc)
        return head + b"".join(struct.pack("<HB", at, len(data)) + data for at, data in self.patches)


@functools.cache
def bases() -> list[bytes]:
    """Every specimen, and a network."""
    models = [*hostile.specimens().values(), build(tflite.load_tflite(hostile.network(), "network.tflite"))]
    for model in models:
        model.window = 0  # as much in pieces as there can be
        model.golden_seed = GOLDEN_SEED
        model.golden = reference.golden_values(model)
    return [model.to_bytes() for model in models]


def patches(before: bytes, after: bytes) -> list[tuple[int, bytes]]:
    """The runs of bytes that differ."""
    differs = np.flatnonzero(np.frombuffer(before, np.uint8) != np.frombuffer(after, np.uint8)).tolist()
    runs: list[list[int]] = []
    for at in differs:
        if runs and at - runs[-1][1] < 4 and at - runs[-1][0] < 200:
            runs[-1][1] = at
        else:
            runs.append([at, at])
    return [(first, after[first : last + 1]) for first, last in runs]


def sections(good: bytes) -> list[list[tuple[Layout, int]]]:
    """Where the layouts of a good file lie: records, which are most of what can go wrong, then the others."""
    found = hostile.places(good)
    records = found.pop("PROG")
    return [records] * 8 + [rows for rows in found.values() if rows]


def mutate(base: int, rng: np.random.Generator) -> tuple[str, bytes]:
    """One to three fields of a part changed; checksums right."""
    data = bases()[base]
    places = sections(data)
    places = places[rng.integers(len(places))]
    layout, at = places[rng.integers(len(places))]
    raw = data[at : at + layout.size]
    for _ in range(rng.integers(1, 4)):
        raw = hostile.change(layout, raw, rng)
    return f"{layout.name} at {at}", hostile.repaired(data[:at] + raw + data[at + layout.size :])


@functools.cache
def mutants(count: int, folder: Path, backend: str = "native") -> list[Mutant]:
    """`count` mutants, with CPython's answers."""
    rng = np.random.default_rng(count)
    made = []
    while len(made) < count:
        base = int(rng.integers(len(bases())))
        what, data = mutate(base, rng)
        found = patches(bases()[base], data)
        if found and len(found) < 256:
            mutant = Mutant(base, len(made) % len(MODES), what, found)
            mutant.answer, mutant.crc = answer(data, folder / "m.midge", MODES[mutant.mode], backend)
            made.append(mutant)
    return made


def answer(data: bytes, path: Path, mode: str, backend: str) -> tuple[int, int]:
    path.write_bytes(data)
    try:
        model = midge.load(str(path), mode, backend)
    except (ValueError, MemoryError):
        return REFUSED, 0
    program = bytes(model._program)
    raws = [program[at : at + spec.RECORD_BYTES] for at in range(0, len(program), spec.RECORD_BYTES)]
    records = [registry.of_bytes(raw).layout.unpack(raw) for raw in raws]
    edges = sum(8 * tensor.bytes for tensor in model.inputs + model.outputs)
    if hostile.work(records) > WORK or model.arena_bytes + edges > MEMORY:
        return LONG, 0
    said, crc = outcome(model).split()
    alike = all(hostile.has_one_meaning(op, model.arena_bytes) for op in records)
    return (RUNS if said == "runs" else DIFFERS), int(crc) if alike else ANY


def run(made: list[Mutant], execute: Callable[[int, int], str], at_a_time: int = 250) -> None:
    """execute(first, last) runs some of them on a board; it prints a line for each whose answer is another one."""
    surprises = []
    for first in range(0, len(made), at_a_time):
        last = min(first + at_a_time, len(made))
        said = execute(first, last).split("\n")
        assert said[-2:] == [f"done {last}", ""], f"ends at {said[-2:]}"
        surprises += said[:-2]
    shown = [f"{made[int(line.split()[0])]}: {line}" for line in itertools.islice(surprises, 10)]
    assert not surprises, f"{len(surprises)} of {len(made)}: " + "\n".join(shown)
