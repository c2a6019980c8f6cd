"""The kernels of native_modules/kernels/xtensawin on an emulated core: random layers give the NumPy reference's bytes,
whatever scratch memory they have, and write nothing but their output and scratch memory.

MIDGE_KERNEL_CASES=2000 MIDGE_KERNEL_SEED=7 pytest tests/native/test_kernels_xtensawin.py runs that many of each kind.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from counting import xtensawin
from counting.build import Program
from counting.layers import ALIGNMENT, Layer, place
from midge_host.boards import xtensa
from random_layers import (
    KINDS,
    SEED,
    crafted_layer,
    fields_of,
    generators,
    is_apart,
    keeps_to_its_memory,
    overlapping_layer,
    random_layer,
    with_scratch,
)

CASES = int(os.environ.get("MIDGE_KERNEL_CASES", 60))
GUARD = 256  # bytes around a layer's memory


@pytest.fixture(scope="module")
def program() -> Program:
    if why := xtensawin.problem():
        pytest.skip(why)
    return xtensawin.assemble()


def run(program: Program, layers: Sequence[Layer], counting: bool = False) -> list[tuple[bytes, int]]:
    """The arenas after the layers, and the instructions; nothing else has changed."""
    machine = xtensa.Machine(counting)
    machine.write(program.base, program.image)
    free = program.base + len(program.image) + GUARD
    free += -free % ALIGNMENT
    results = []
    for one in layers:
        placed = place(one, free)
        before = bytes([0xA5]) * GUARD + placed.memory + bytes([0xA5]) * GUARD
        machine.write(free - GUARD, before)
        status, count, (after,) = machine.call(program.symbols["run_layer"], free, read=[(free - GUARD, len(before))])
        case = f"{one.title}, seed {SEED}: {fields_of(one)}"
        assert status == 0, case
        at = placed.arena - free + GUARD
        assert keeps_to_its_memory(one, before, after, at), f"bytes beyond: {case}"
        results.append((after[at : at + len(one.arena)], count))
    return results


def check(program: Program, layers: Sequence[Layer], counting: bool = False) -> list[int]:
    results = run(program, layers, counting)
    for one, (arena, _) in zip(layers, results, strict=True):
        wrong = one.wrong(arena[one.output : one.output + one.expected.size])
        assert not wrong, f"{wrong} wrong bytes: {one.title}, seed {SEED}: {fields_of(one)}"
    return [count for _, count in results]


@pytest.mark.parametrize("kind", KINDS)
def test_random_layers(program, kind):
    layers = [random_layer(rng, i, kind, 20_000) for i, rng in generators(CASES, KINDS.index(kind))]
    check(program, layers)
    check(program, [with_scratch(one, 8192) for one in layers])


@pytest.mark.parametrize("kind", ["CONV_2D", "FULLY_CONNECTED"])
def test_sizes_of_scratch_memory(program, kind):
    """From none to that of all channels, at any alignment: groups of channels, or the plain C."""
    rng = np.random.default_rng((SEED, 10))
    found = (random_layer(rng, i, kind, 4000) for i in range(1000))
    one = next(x for x in found if (op := fields_of(x))["out_c"] >= 8 and op["out_h"] * op["out_w"] >= 8)
    sizes = [*range(0, 1200, 7), *range(1200, 6000, 331)]
    assert len(set(check(program, [with_scratch(one, size) for size in sizes], counting=True))) > 2
    check(program, [replace(with_scratch(one, 4000), arena_at=at) for at in range(4)])


def test_outputs_over_inputs(program):
    """Whatever the scratch memory: no output is written over a value that is read later."""
    check(program, [overlapping_layer(rng, i, 10_000) for i, rng in generators(CASES, 80)])


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param({"kernel_h": 3, "kernel_w": 3, "dilation_h": 1, "dilation_w": 1}, id="3x3"),
        pytest.param({"in_c": 1}, id="one input channel"),
    ],
)
def test_depthwise(program, wanted):
    """By MAC16: every way a window can lie over the sides of a small image."""
    found = (random_layer(rng, i, "DEPTHWISE_CONV_2D", 3000) for i, rng in generators(10 * CASES, 20))
    layers = [with_scratch(one, 8192) for one in found if wanted.items() <= fields_of(one).items()]
    assert len(layers) > 20
    check(program, layers)


def test_crafted_records_stay_in_their_memory(program):
    """Whatever an accepted record says: as few bytes are written as it speaks of, and they are the plain C's."""
    layers = [crafted_layer(rng, i) for i, rng in generators(2 * CASES, 30)]
    plain = xtensawin.assemble(plain=True)
    for one, tuned, expected in zip(layers, run(program, layers, True), run(plain, layers, True), strict=True):
        if is_apart(one):
            output = slice(one.output, one.output + one.expected.size)
            assert tuned[0][output] == expected[0][output], fields_of(one)
