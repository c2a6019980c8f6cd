"""The memory plan: nothing alive overlaps, and in-place steps share memory only with what dies there."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from midge_host.graph import Tensor
from midge_host.planner import Buffer, lower_bound, place, plan
from midge_host.program import Step

lives = st.lists(st.tuples(st.integers(1, 64), st.integers(0, 12), st.integers(0, 5)), min_size=1, max_size=14)


@settings(max_examples=300, deadline=None)
@given(lives)
def test_no_two_live_buffers_overlap(lives: list[tuple[int, int, int]]) -> None:
    buffers = [Buffer(size, first, first + length) for size, first, length in lives]
    arena = place(buffers)
    for i, a in enumerate(buffers):
        assert a.offset >= 0 and a.offset + a.size <= arena
        for b in buffers[:i]:
            if a.overlaps(b):
                assert a.offset + a.size <= b.offset or b.offset + b.size <= a.offset
        assert a.offset % 4 == 0
    assert lower_bound(buffers) <= arena <= sum(b.size + 3 for b in buffers)
    assert arena == max(b.offset + b.size for b in buffers)


def tensor(size: int) -> Tensor:
    return Tensor("t", (size,), "int8")


def test_chain_needs_its_two_largest_neighbours() -> None:
    tensors = [tensor(n) for n in (100, 400, 40, 8)]
    steps = [Step("CONV_2D", str(i), [tensors[i]], tensors[i + 1], {}) for i in range(3)]
    assert plan(steps, tensors[:1], tensors[-1:], {}).arena_bytes == 500


def test_in_place_takes_the_memory_of_a_dying_input() -> None:
    a, b = tensor(64), tensor(64)
    steps = [Step("LUT", "lut", [a], b, {}, in_place=True)]
    result = plan(steps, [a], [b], {})
    assert result.arena_bytes == 64 and result.offset(a) == result.offset(b)


def test_in_place_leaves_a_living_input_alone() -> None:
    a, b, c = tensor(64), tensor(64), tensor(64)
    steps = [Step("LUT", "lut", [a], b, {}, in_place=True), Step("ADD", "add", [a, b], c, {}, in_place=True)]
    result = plan(steps, [a], [c], {})
    assert result.offset(a) != result.offset(b)
    assert result.arena_bytes == 128


def test_an_output_that_is_also_read_stays() -> None:
    a, b, c = tensor(64), tensor(64), tensor(64)
    steps = [Step("LUT", "1", [a], b, {}, in_place=True), Step("LUT", "2", [b], c, {}, in_place=True)]
    result = plan(steps, [a], [b, c], {})
    assert result.offset(b) != result.offset(c)


def test_reshape_shares_memory() -> None:
    a, b, c = tensor(64), tensor(64), tensor(10)
    result = plan([Step("FULLY_CONNECTED", "fc", [b], c, {})], [a], [c], {b: a})
    assert result.offset(a) == result.offset(b)
