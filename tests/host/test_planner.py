"""The memory plan: nothing alive overlaps, and in-place steps share memory only with what dies there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midge_host.device.record import Step
from midge_host.ir.graph import Tensor
from midge_host.plan.arena import Buffer, lower_bound, place, plan
from midge_host.targets import armv6m as scratch

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
    steps = [Step("MEAN", str(i), [tensors[i]], tensors[i + 1], {}) for i in range(3)]
    assert plan(steps, tensors[:1], tensors[-1:], {}).arena_bytes == 500


def test_in_place_takes_the_memory_of_a_dying_input() -> None:
    a, b = tensor(64), tensor(64)
    steps = [Step("LUT", "lut", [a], b, {})]
    result = plan(steps, [a], [b], {})
    assert result.arena_bytes == 64 and result.offset(a) == result.offset(b)


def test_in_place_leaves_a_living_input_alone() -> None:
    a, b, c = tensor(64), tensor(64), tensor(64)
    steps = [Step("LUT", "lut", [a], b, {}), Step("ADD", "add", [a, b], c, {"count": 64})]
    result = plan(steps, [a], [c], {})
    assert result.offset(a) != result.offset(b)
    assert result.arena_bytes == 128


def test_an_output_that_is_also_read_stays() -> None:
    a, b, c = tensor(64), tensor(64), tensor(64)
    steps = [Step("LUT", "1", [a], b, {}), Step("LUT", "2", [b], c, {})]
    result = plan(steps, [a], [b, c], {})
    assert result.offset(b) != result.offset(c)


def test_reshape_shares_memory() -> None:
    a, b, c = tensor(64), tensor(64), tensor(10)
    result = plan([Step("MEAN", "mean", [b], c, {})], [a], [c], {b: a})
    assert result.offset(a) == result.offset(b)


def conv(source: Tensor, output: Tensor, size: int, channels: int) -> Step:
    ones = ("kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w")
    fields = dict.fromkeys(ones, 1) | dict.fromkeys(("in_h", "in_w", "out_h", "out_w"), size)
    fields |= {"in_c": channels, "out_c": channels, "pad_top": 0, "pad_left": 0}
    return Step("CONV_2D", output.name, [source], output, fields)


@pytest.mark.parametrize("channels", [1, 8, 32, 128])
def test_scratch_is_nobody_elses_memory(channels: int) -> None:
    a, b, c, d = (tensor(36 * channels) for _ in range(4))
    steps = [conv(a, b, 6, channels), conv(b, c, 6, channels), conv(c, d, 6, channels)]
    result = plan(steps, [a], [d, b], {})
    without = place([Buffer(t.size, *life) for t, life in ((a, (-1, 0)), (b, (0, 3)), (c, (1, 2)), (d, (2, 3)))])
    assert without < result.arena_bytes <= without + scratch.GROWTH_LIMIT
    for i, step in enumerate(steps):
        start, size = result.scratch[step]
        assert size > 0 and start % 4 == 0 and start + size <= result.arena_bytes
        for buffer in result.buffers.values():
            if buffer.first <= i <= buffer.last:
                assert start + size <= buffer.offset or buffer.offset + buffer.size <= start


def test_scratch_counts_with_the_sizes_of_the_kernels() -> None:
    folder = Path(__file__).resolve().parents[2] / "native_modules" / "kernels"
    headers = [folder / "generic" / "scale.h", *sorted((folder / "armv6m").rglob("*.h"))]
    text = "".join(path.read_text(encoding="utf-8") for path in headers)
    sizes = {name: int(value) for name, value in re.findall(r"#define MIDGE_(\w+) (\d+)", text)}
    assert (sizes["SCALE_BYTES"], sizes["TILE"], sizes["GROUP"]) == (scratch.SCALE_BYTES, scratch.TILE, scratch.GROUP)
