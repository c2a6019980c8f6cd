"""The kernels of native_modules/kernels/rv32imc on an emulated core: random layers give the NumPy reference's bytes,
whatever scratch memory they have.

MIDGE_KERNEL_CASES=5000 MIDGE_KERNEL_SEED=7 pytest tests/native/test_kernels_rv32imc.py runs that many of each kind.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from counting import rv32imc
from counting.build import Program
from counting.layers import Layer
from random_layers import KINDS, fields_of, layer, random_layer

CASES = int(os.environ.get("MIDGE_KERNEL_CASES", 250))
SEED = int(os.environ.get("MIDGE_KERNEL_SEED", 1))


@pytest.fixture(scope="module")
def program() -> Program:
    if why := rv32imc.problem():
        pytest.skip(why)
    return rv32imc.assemble()


def with_scratch(one: Layer, size: int) -> Layer:
    """The same with other scratch memory, at the end of the arena."""
    at = -(-len(one.arena) // 4) * 4
    arena = one.arena.ljust(at, b"\xa5") + b"\xa5" * size
    return layer(
        size, {**fields_of(one), "scratch": at, "scratch_bytes": size}, one.weights, np.frombuffer(arena, np.int8)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_random_layers(program, kind):
    """count raises when a byte differs."""
    rngs = [np.random.default_rng((SEED, KINDS.index(kind), i)) for i in range(CASES)]
    rv32imc.count(program, [random_layer(rng, i, kind) for i, rng in enumerate(rngs)])


@pytest.mark.parametrize("kind", ["CONV_2D", "FULLY_CONNECTED"])
def test_every_size_of_scratch_memory(program, kind):
    for i in range(100):
        one = random_layer(np.random.default_rng((SEED, 10, i)), i, kind, 4000)
        op = fields_of(one)
        if op["out_c"] >= 14 and op["out_h"] * op["out_w"] >= 14:
            break
    counts = rv32imc.count(program, [with_scratch(one, size) for size in range(0, 1500, 3)])
    assert len(set(counts)) > 2
