"""The kernels of native_modules/kernels/armv7emsp on an emulated Cortex-M33: random layers give the NumPy reference's
bytes, whatever scratch memory they have, and no record makes them touch other memory than theirs.

MIDGE_KERNEL_CASES=2000 MIDGE_KERNEL_SEED=7 pytest tests/native/test_kernels_armv7emsp.py runs that many of each kind.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from counting import armv7emsp
from counting.build import Program
from counting.layers import Layer
from midge_host.device.registry import record_shapes
from random_layers import (
    KINDS,
    SEED,
    crafted_layer,
    fields_of,
    generators,
    is_apart,
    overlapping_layer,
    random_layer,
    with_scratch,
)

CASES = int(os.environ.get("MIDGE_KERNEL_CASES", 30))


@pytest.fixture(scope="module")
def program() -> Program:
    if why := armv7emsp.problem():
        pytest.skip(why)
    return armv7emsp.assemble()


def parts(one: Layer) -> list[tuple[int, int, bool]]:
    """The parts of the arena that a layer may use, and whether it may write there."""
    op = fields_of(one)
    size = one.expected.size if one.operator == "ADD" else int(np.prod(record_shapes(op)[0]))
    inputs = [(op[name], size, False) for name in ("input", "input2") if name in op]
    return [*inputs, (op["output"], one.expected.size, True), (op["scratch"], op["scratch_bytes"], True)]


def run(program: Program, one: Layer) -> bytes:
    """The arena afterwards."""
    outcome = armv7emsp.run_fenced(program, one, parts(one))
    case = f"{one.title}, blocks {one.begin} to {one.end}, seed {SEED}: {fields_of(one)}"
    assert not outcome.fault, f"{outcome.fault}: {case}"
    assert outcome.status == 0, case
    return outcome.arena


def check(program: Program, one: Layer) -> None:
    arena = run(program, one)
    wrong = one.wrong(arena[one.output : one.output + one.expected.size])
    assert not wrong, f"{wrong} wrong bytes: {one.title}, seed {SEED}: {fields_of(one)}"


def ways(program: Program, one: Layer, sizes: Sequence[int]) -> int:
    """How many counts of instructions these sizes of scratch memory give."""
    return len(set(armv7emsp.count(program, [with_scratch(one, size) for size in sizes])))


@pytest.mark.parametrize("kind", KINDS)
def test_random_layers(program, kind):
    for i, rng in generators(CASES, KINDS.index(kind)):
        one = random_layer(rng, i, kind, 20_000)
        check(program, one)
        check(program, with_scratch(one, 8192))


@pytest.mark.parametrize("kind", ["CONV_2D", "FULLY_CONNECTED"])
def test_sizes_of_scratch_memory(program, kind):
    """From none to that of all channels, at any alignment: strips of channels, rows as they are, or the plain C."""
    found = (random_layer(rng, i, kind, 4000) for i, rng in generators(1000, 10))
    one = next(x for x in found if ways(program, x, (0, 600, 6000)) == 3)
    for size in (*range(0, 1200, 17), *range(1200, 6000, 531)):
        check(program, with_scratch(one, size))
    for at in range(4):
        check(program, replace(with_scratch(one, 4000), arena_at=at))


def test_outputs_over_inputs(program):
    """Whatever the scratch memory: no output is written over a value that is read later."""
    for i, rng in generators(CASES, 80):
        check(program, overlapping_layer(rng, i, 10_000))


def test_windows_of_3x3(program):
    """Depthwise, by rows: every way a window can lie over the sides of a small image."""
    count = 0
    for i, rng in generators(5 * CASES, 20):
        one = random_layer(rng, i, "DEPTHWISE_CONV_2D", 3000)
        op = fields_of(one)
        if op["kernel_h"] == op["kernel_w"] == 3 and op["dilation_w"] == op["dilation_h"] == 1:
            check(program, one)
            count += 1
    assert count > 10


def test_weight_blocks_by_themselves(program):
    for i, rng in generators(CASES, 25):
        one = random_layer(rng, i, KINDS[i % 3], 5000)
        middle = one.blocks // 2
        for begin, end in ((0, middle), (middle, one.blocks)):
            check(program, one.part(begin, end))


def test_crafted_records_stay_in_their_memory(program):
    """Whatever an accepted record says: it touches no memory but its own, and gives the plain C's bytes."""
    plain = armv7emsp.assemble(plain=True)
    for i, rng in generators(2 * CASES, 30):
        one = crafted_layer(rng, i)
        arena = run(program, one)
        if is_apart(one):
            output = slice(one.output, one.output + one.expected.size)
            assert arena[output] == run(plain, one)[output], fields_of(one)
