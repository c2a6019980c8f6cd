"""The kernels of native_modules/kernels/rv32imc on an emulated core: random layers give the NumPy reference's bytes,
whatever scratch memory they have, and write nothing but their output and scratch memory.

MIDGE_KERNEL_CASES=5000 MIDGE_KERNEL_SEED=7 pytest tests/native/test_kernels_rv32imc.py runs that many of each kind.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import pytest

from counting import rv32imc
from counting.build import Program
from counting.layers import Layer
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

CASES = int(os.environ.get("MIDGE_KERNEL_CASES", 250))


@pytest.fixture(scope="module")
def program() -> Program:
    if why := rv32imc.problem():
        pytest.skip(why)
    return rv32imc.assemble()


def check(program: Program, layers: Sequence[Layer]) -> list[int]:
    """The instructions of layers that give the reference's bytes and write no others."""
    outcomes = rv32imc.run(program, layers)
    for one, outcome in zip(layers, outcomes, strict=True):
        case = f"{one.title}, seed {SEED}: {fields_of(one)}"
        assert outcome.status == 0, case
        assert keeps_to_its_memory(one, outcome.before, outcome.after, outcome.arena), f"bytes beyond: {case}"
        at = outcome.arena + one.output
        wrong = one.wrong(outcome.after[at : at + one.expected.size])
        assert not wrong, f"{wrong} wrong bytes: {case}"
    return [outcome.instructions for outcome in outcomes]


@pytest.mark.parametrize("kind", KINDS)
def test_random_layers(program, kind):
    check(program, [random_layer(rng, i, kind) for i, rng in generators(CASES, KINDS.index(kind))])


@pytest.mark.parametrize("kind", ["CONV_2D", "FULLY_CONNECTED"])
def test_every_size_of_scratch_memory(program, kind):
    for i, rng in generators(100, 10):
        one = random_layer(rng, i, kind, 4000)
        op = fields_of(one)
        if op["out_c"] >= 14 and op["out_h"] * op["out_w"] >= 14:
            break
    counts = check(program, [with_scratch(one, size) for size in range(0, 1500, 3)])
    assert len(set(counts)) > 2
    check(program, [replace(with_scratch(one, 4000), arena_at=at) for at in range(4)])


def test_outputs_over_inputs(program):
    """Whatever the scratch memory: no output is written over a value that is read later."""
    check(program, [overlapping_layer(rng, i, 10_000) for i, rng in generators(CASES, 80)])


def test_windows_of_3x3(program):
    """Depthwise, by columns: every way a window can lie over the sides of a small image."""
    layers = []
    for i, rng in generators(4 * CASES, 20):
        one = random_layer(rng, i, "DEPTHWISE_CONV_2D", 3000)
        op = fields_of(one)
        if op["kernel_h"] == op["kernel_w"] == 3 and op["dilation_w"] == op["dilation_h"] == 1:
            layers.append(one)
    assert len(layers) > 20
    check(program, layers)


def test_crafted_records_stay_in_their_memory(program):
    """Whatever an accepted record says: as few bytes are written as it speaks of, and they are the plain C's."""
    layers = [crafted_layer(rng, i) for i, rng in generators(2 * CASES, 30)]
    plain = rv32imc.run(rv32imc.assemble(plain=True), layers)
    compared = 0
    for one, tuned, expected in zip(layers, rv32imc.run(program, layers), plain, strict=True):
        op = fields_of(one)
        assert tuned.status == expected.status == 0, op
        assert keeps_to_its_memory(one, tuned.before, tuned.after, tuned.arena), op
        if is_apart(one):
            output = slice(tuned.arena + one.output, tuned.arena + one.output + one.expected.size)
            assert tuned.after[output] == expected.after[output], op
            compared += 1
    assert compared > len(layers) // 4
