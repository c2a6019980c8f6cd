"""The order of steps: what is read is made before, and no order needs less memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.random import Generator

from midge_host.device.program import Program
from midge_host.device.record import Step
from midge_host.ir.graph import Tensor
from midge_host.plan.arena import plan
from midge_host.plan.order import best_order, plan_in_order
from midge_host.targets import EVERY_BOARD, TWO_CORES
from random_layers import generators


def tensor(name: str, size: int) -> Tensor:
    return Tensor(name, (size,), "int8")


def program_of(
    steps: list[tuple[str, list[str], str]], sizes: dict[str, int], outputs: str, state: str = "", init_count: int = 0
) -> Program:
    """Of (operator, inputs, output) by names; x is the input."""
    tensors = {name: tensor(name, size) for name, size in sizes.items()}
    made = [Step(kind, out, [tensors[n] for n in sources], tensors[out], {}) for kind, sources, out in steps]
    edges = ([tensors[name] for name in which] for which in ("x", outputs, state))
    return Program(made, init_count, *edges, aliases={})


def names(program: Program) -> str:
    return "".join(step.name for step in program.steps)


SHORTCUT = [("MEAN", ["x"], "a"), ("MEAN", ["a"], "b"), ("MEAN", ["x"], "s"), ("MEAN", ["b", "s"], "y")]
SIZES = {"x": 160, "a": 80, "b": 80, "s": 40, "y": 80}


def test_a_shortcut_goes_first_where_its_input_is_large() -> None:
    program = program_of(SHORTCUT, SIZES, "y")
    assert plan_in_order(program, program.outputs, EVERY_BOARD).arena_bytes == 280
    assert names(program) == "saby"


@pytest.mark.parametrize("changes", [{"s": 400}, {"x": 40}])
def test_an_order_that_is_as_good_stays(changes: dict[str, int]) -> None:
    program = program_of(SHORTCUT, SIZES | changes, "y")
    plan_in_order(program, program.outputs, EVERY_BOARD)
    assert names(program) == "absy"


def test_a_state_is_written_after_it_was_read() -> None:
    steps = [("MEAN", ["x"], "a"), ("MEAN", ["a", "s"], "b"), ("MEAN", ["x"], "s"), ("MEAN", ["b"], "y")]
    program = program_of(steps, SIZES, "y", state="s")
    plan_in_order(program, program.outputs, EVERY_BOARD)
    assert names(program).index("b") < names(program).index("s")


def test_what_sets_the_state_stays_first() -> None:
    program = program_of([("MEAN", ["x"], "s"), *SHORTCUT[:2], ("MEAN", ["b", "s"], "y")], SIZES, "y", init_count=1)
    plan_in_order(program, program.outputs, EVERY_BOARD)
    assert names(program) == "saby"


def random_program(rng: Generator) -> Program:
    """Some steps, each of one or two tensors that are there."""
    sizes, steps = {"x": int(rng.integers(1, 50))}, []
    for name in "abcdef":
        sources = [str(n) for n in rng.choice([*sizes], min(len(sizes), int(rng.integers(1, 3))), replace=False)]
        is_lut = rng.integers(3) == 0
        sizes[name] = sizes[sources[0]] if is_lut else int(rng.integers(1, 50))
        steps.append(("LUT" if is_lut else "MEAN", sources[:1] if is_lut else sources, name))
    return program_of(steps, sizes, "f")


def orders(program: Program, done: list[Step]) -> Iterator[list[Step]]:
    """All."""
    if len(done) == len(program.steps):
        yield done
    there = {*program.inputs, *(step.output for step in done)}
    for step in program.steps:
        if step not in done and there.issuperset(step.inputs):
            yield from orders(program, [*done, step])


def alive(program: Program, steps: list[Step]) -> list[int]:
    """Bytes during each step, the most first: what `plan` keeps."""
    made = plan(steps, program.inputs, program.outputs, {}, target=TWO_CORES)
    lives = made.buffers.values()
    return sorted((sum(b.size for b in lives if b.first <= i <= b.last) for i in range(len(steps))), reverse=True)


def test_no_order_needs_less() -> None:
    changed = 0
    for _, rng in generators(40, 0):
        program = random_program(rng)
        found = best_order(program, program.outputs, 0)
        least = min(alive(program, steps) for steps in orders(program, []))
        assert alive(program, [program.steps[i] for i in found]) == least
        changed += found != sorted(found)
    assert changed > 5


def test_an_arena_is_never_larger() -> None:
    for _, rng in generators(40, 1):
        program = random_program(rng)
        given = plan(program.steps, program.inputs, program.outputs, {}).arena_bytes
        assert plan_in_order(program, program.outputs, EVERY_BOARD).arena_bytes <= given


def test_too_many_branches_stay_as_they_are() -> None:
    steps = [("MEAN", ["x"], name) for name in "abcdefghijklm"] + [("MEAN", [*"abcdefghijklm"], "y")]
    sizes = {
        name: int(n) for name, n in zip("xabcdefghijklmy", np.random.default_rng(0).integers(9, 99, 15), strict=True)
    }
    program = program_of(steps, sizes, "y")
    assert best_order(program, program.outputs, 0) == [*range(14)]
