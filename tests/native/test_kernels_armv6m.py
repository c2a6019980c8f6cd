"""The kernels of native_modules/kernels/armv6m on an emulated core: random layers give the NumPy reference's bytes,
whatever scratch memory they have, and no record makes them touch other memory than theirs.

MIDGE_KERNEL_CASES=20000 MIDGE_KERNEL_SEED=7 pytest tests/native/test_kernels_armv6m.py runs that many of each kind.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from counting import armv6m
from counting.armv6m import EXECUTE, READ, WRITE, Fence, Outcome
from counting.build import NATIVE, Program
from counting.layers import Layer
from midge_host.device.registry import record_shapes
from random_layers import (
    KINDS,
    MAX_BYTES,
    SEED,
    crafted_layer,
    fields_of,
    generators,
    image,
    is_apart,
    overlapping_layer,
    random_layer,
    sparse_sizes,
    weight_window,
    with_scratch,
)

CASES = int(os.environ.get("MIDGE_KERNEL_CASES", 250))
BATCH = 250  # layers for one process
LIMIT = 100_000_000  # cycles
MORE_STACK = 1024  # bytes beyond what the plain C takes


@pytest.fixture(scope="module")
def program() -> Program:
    if why := armv6m.problem():
        pytest.skip(why)
    return armv6m.assemble()


def parts(layer: Layer) -> list[Fence]:
    """The parts of the arena that a layer may use."""
    op = fields_of(layer)
    size = layer.expected.size if layer.operator == "ADD" else int(np.prod(record_shapes(op)[0]))
    fences = [(op["input"], size, READ), (op["output"], layer.expected.size, WRITE)]
    fences += [(op["input2"], size, READ)] if "input2" in op else []
    return [*fences, (op["scratch"], op["scratch_bytes"], READ | WRITE | EXECUTE)]


def run(program: Program, layers: Sequence[Layer]) -> list[Outcome]:
    outcomes = []
    for at in range(0, len(layers), BATCH):
        outcomes += armv6m.run_fenced(program, [(one, parts(one)) for one in layers[at : at + BATCH]], LIMIT)
    return outcomes


def check(one: Layer, outcome: Outcome) -> None:
    case = f"{one.title}, blocks {one.begin} to {one.end}, seed {SEED}: {fields_of(one)}"
    assert not outcome.fault, f"{outcome.fault}: {case}"
    assert outcome.status == 0, case
    wrong = one.wrong(outcome.arena[one.output : one.output + one.expected.size])
    assert not wrong, f"{wrong} wrong bytes: {case}"


def check_all(program: Program, layers: Sequence[Layer]) -> list[Outcome]:
    outcomes = run(program, layers)
    for one, outcome in zip(layers, outcomes, strict=True):
        check(one, outcome)
    return outcomes


@pytest.mark.parametrize("kind", KINDS)
def test_random_layers(program, kind):
    check_all(program, [random_layer(rng, i, kind) for i, rng in generators(CASES, KINDS.index(kind))])


def with_pixels(one: Layer, rng: np.random.Generator, pixels: str) -> Layer:
    op = fields_of(one)
    values = image(rng, pixels, op["in_h"] * op["in_w"] * op["in_c"], op["input_zero"], op["in_c"]).tobytes()
    return replace(one, arena=one.arena[: op["input"]] + values + one.arena[op["input"] + len(values) :])


def swept_layer(kind: str, pixels: str) -> Layer:
    """A small layer that has several tiles of pixels and groups of channels."""
    for i, rng in generators(1000, 10):
        one = random_layer(rng, i, kind, 4000)
        op = fields_of(one)
        if kind == "ADD":
            if op["count"] > 300:
                continue
            return one
        if one.macs // op["output_bytes"] >= 8 and op["out_c"] >= 14 and op["out_h"] * op["out_w"] >= 14:
            return with_pixels(one, rng, pixels)
    raise AssertionError("no such layer")


SWEPT = [(kind, pixels) for kind in ("CONV_2D", "FULLY_CONNECTED") for pixels in ("uniform", "sparse large", "half")]


@pytest.mark.parametrize("kind, pixels", [*SWEPT, ("ADD", "")])
def test_every_size_of_scratch_memory(program, kind, pixels):
    """All sizes up to where more of it changes nothing."""
    one = swept_layer(kind, pixels)
    layers = [with_scratch(one, size) for size in [*range(0, 3000, 3), *range(3000, 12_000, 97)]]
    ways = {outcome.cycles for outcome in check_all(program, layers)}
    assert len(ways) > (1 if kind == "ADD" else 2)


def test_code_of_dense_pixels_in_sparse_images(program):
    """sparse.S makes code for a pixel in parts where the scratch memory has no room for all of it."""
    layers = []
    for i, rng in generators(4 * CASES, 50):
        one = random_layer(rng, i, "CONV_2D")
        op = fields_of(one)
        depth = one.macs // op["output_bytes"]
        if depth >= 20 and op["out_c"] >= 18:
            code, group = sparse_sizes(depth)
            scratch = code + int(rng.integers(3, 12)) * group + 4 * int(rng.integers(0, 8))
            if scratch < 2 * MAX_BYTES:
                layers.append(with_scratch(with_pixels(one, rng, "half"), scratch))
    check_all(program, layers)


def test_weight_blocks_in_parts(program):
    """As streaming runs them: in order, each part with its own weights, the arena as the part before left it."""
    waiting = []
    for i, rng in generators(CASES, 20):
        one = random_layer(rng, i, KINDS[i % 3], 20_000)
        step = int(rng.integers(1, one.blocks + 1))
        if rng.integers(2):
            step = -(-one.blocks // 2)
        waiting.append((one, [*range(0, one.blocks, step), one.blocks]))
    for turn in range(1000):
        waiting = [(one, cuts) for one, cuts in waiting if turn + 1 < len(cuts)]
        windows = [weight_window(one, cuts[turn], cuts[turn + 1]) for one, cuts in waiting]
        outcomes = check_all(program, windows)
        waiting = [(replace(one, arena=o.arena), cuts) for (one, cuts), o in zip(waiting, outcomes, strict=True)]


def test_outputs_over_inputs(program):
    """With the scratch memory that a plan gives them: no output is written over a value that is read later."""
    layers = [overlapping_layer(rng, i, 20_000, least=None) for i, rng in generators(CASES, 80)]
    check_all(program, layers)
    # As if they were to be shared between cores: the first one does all.
    check_all(program, [replace(one, share=(0, 2)) for one in layers[: CASES // 4]])


@pytest.mark.parametrize("kind", KINDS)
def test_rows_in_parts(program, kind):
    """Each part has its rows and its share of the scratch memory; ADD runs whole."""
    layers = [random_layer(rng, i, kind) for i, rng in generators(CASES, 60 + KINDS.index(kind))]
    layers = [replace(one, share=(0, 2 + i % 3)) for i, one in enumerate(layers)]
    while layers:
        outcomes = run(program, layers)
        waiting = []
        for one, outcome in zip(layers, outcomes, strict=True):
            part, count = one.share
            assert not outcome.fault, f"{outcome.fault}: part {part} of {count}, {fields_of(one)}"
            if part + 1 < count:
                waiting.append(replace(one, arena=outcome.arena, share=(part + 1, count)))
            else:
                check(one, outcome)
        layers = waiting


def test_crafted_records_stay_in_their_memory(program):
    """Whatever an accepted record says: nothing beyond the arena is used, nothing but output and scratch memory
    written, and what lies apart gives the plain C's bytes."""
    layers = [crafted_layer(rng, i) for i, rng in generators(2 * CASES, 30)]
    plain = armv6m.assemble(plain=True)
    compared, deepest = 0, {program: 0, plain: 0}
    for at in range(0, len(layers), BATCH):
        batch = layers[at : at + BATCH]
        jobs = []
        for one in batch:
            op = fields_of(one)
            scratch = (op["scratch"], op["scratch_bytes"], READ | WRITE | EXECUTE)
            jobs.append((one, [(0, len(one.arena), READ), (op["output"], one.expected.size, WRITE), scratch]))
        results = [armv6m.run_fenced(which, jobs, LIMIT) for which in (program, plain)]
        for one, tuned, expected in zip(batch, *results, strict=True):
            op = fields_of(one)
            assert (tuned.fault, tuned.status) == (expected.fault, expected.status) == ("", 0), op
            assert tuned.cycles < 4 * expected.cycles + 100_000, op
            if is_apart(one):
                output = slice(op["output"], op["output"] + one.expected.size)
                assert tuned.arena[output] == expected.arena[output], op
                compared += 1
            deepest[program] = max(deepest[program], tuned.stack)
            deepest[plain] = max(deepest[plain], expected.stack)
    assert compared > len(layers) // 4
    assert deepest[program] <= deepest[plain] + MORE_STACK


@pytest.mark.parametrize("kind", ["CONV_2D", "FULLY_CONNECTED", "ADD"])
def test_arenas_at_any_address(program, kind):
    """Scratch memory whose words are not aligned is left alone."""
    one = with_scratch(swept_layer(kind, "sparse large"), 12_000)
    check_all(program, [replace(one, arena_at=at) for at in range(4)])


def test_fences_hold(program):
    """A layer is stopped that lacks its input, or the last byte of its output."""
    for i, rng in generators(len(KINDS), 40):
        one = with_scratch(random_layer(rng, i, KINDS[i], 5000), 0)
        source, output, *others = parts(one)
        start, size, rights = output
        jobs = [(one, [output, *others]), (one, [source, (start, size - 1, rights), *others])]
        no_input, short_output = armv6m.run_fenced(program, jobs, LIMIT)
        assert no_input.fault.startswith("read of 1 bytes beyond the fences"), KINDS[i]
        assert short_output.fault.startswith("write to 1 bytes beyond the fences"), KINDS[i]


def test_scaling_is_the_definitions(tmp_path: Path):
    """The constants of scale.c, with the assembly's arithmetic in C: millions of sums on both sides of every turn."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    core, generic = NATIVE / "core", NATIVE / "kernels" / "generic"
    sources = [Path(__file__).with_name("scale.c"), NATIVE / "kernels" / "generic" / "core" / "scale.c"]
    sources += [generic / "core" / "window.c", core / "fixed_point.c"]
    options = ["-O2", "-std=c99", "-DMIDGE_TUNED_SCALE", f"-I{core}", f"-I{generic}"]
    subprocess.run([compiler, *options, *sources, "-o", tmp_path / "scale"], check=True)
    done = subprocess.run([tmp_path / "scale", str(400 * CASES), str(SEED)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
