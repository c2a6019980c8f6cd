"""Which outputs may lie over the inputs that they are made of.

The bound is that of the device library, which checks files by it. Here is what kernels ask for besides: with less they
would begin a layer anew that has overwritten its input (docs/development.md, "Overlap").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..device import overlap, registry, spec
from ..device.ops import blocks
from ..device.record import Rows, Step
from ..targets import Target

if TYPE_CHECKING:
    from .arena import Buffer

BLOCK_LIMIT = 5120  # bytes of a convolution's weights, which have to be one block then
FAR = 1 << 29  # biases from here on, and other shifts to the right, are not for the tuned kernels
MOST_SHIFT = 22

SIZES = 24  # of an arena that are tried
TRIED = 2000  # places of buffers, for each


class Distance(NamedTuple):
    """An output may lie over an input that begins `least` bytes or more behind the output's beginning, by a multiple of
    `unit`."""

    least: int
    unit: int


def distance(step: Step) -> Distance | None:
    """None where the output must not lie over the input."""
    operator = registry.of_step(step)
    if not operator.by_rows or step.dtype != "int8" or step.partial or len(step.inputs) != 1:
        return None
    if step.rows is not None and not is_plain(step.operator, step.rows):
        return None
    f = step.fields
    sizes = (f["stride_h"], f["in_w"], f["in_c"], f["out_h"], f["out_w"], f["out_c"], f["kernel_w"], f["pad_top"])
    found = overlap.distance(operator.code, 1, *sizes)
    return Distance(*found) if found else None


def is_plain(operator: str, rows: Rows) -> bool:
    if operator == "CONV_2D":
        # Of weights of -128 too many make no code for armv6m.
        return bool(rows.weights.min() > -128) and blocks.single_bytes(rows) <= BLOCK_LIMIT
    return bool(abs(rows.bias).max() < FAR and rows.shift.max() < 0 and rows.shift.min() >= -MOST_SHIFT)


@dataclass
class Work:
    """A step, its scratch memory, what it has of that without overlap, and how its output may lie over its input."""

    step: Step
    scratch: Buffer
    had: int
    output: Buffer
    source: Buffer | None = None
    bound: Distance | None = None


def place(buffers: list[Buffer], work: list[Work], most: int, target: Target, cycles: float) -> int | None:
    """Sets the offsets of buffers such that outputs lie over inputs; returns the bytes needed. None if there is no plan
    for less than `most` in which the steps take little enough longer than `cycles` for the target. Where the target has
    a `ram`, it is the fastest plan for as many bytes.
    """
    if not any(w.bound for w in work) and not target.ram:
        return None
    live = [_live(buffers, w.scratch.first) for w in work]
    least = max(tensors - _saved(w) for w, tensors in zip(work, live, strict=True))
    most = target.ram or most

    def taken(size: int) -> float:
        _share(work, live, size, target)
        return sum(target.cycles(w.step, w.scratch.size, bool(w.output.over)) for w in work)

    sizes = [spec.align(least + (most - least) * i // SIZES, spec.BLOCK_ALIGNMENT) for i in range(SIZES)]
    if target.ram:
        sizes = sorted([size for size in [most, *reversed(sizes)] if least <= size <= most], key=taken)
    for size in sizes:
        # With less than there is, so that the places of what is shared out need not fit exactly.
        is_fast = taken(size) <= (1 + target.slowdown) * cycles and any(w.output.over for w in work)
        if is_fast or target.ram:
            scratch = [w.scratch for w in work if w.scratch.size]
            if any(_search(order, target.ram or size) for order in _orders(buffers, scratch, work)):
                return max(b.offset + b.size for b in [*buffers, *scratch])
    return None


def _live(buffers: list[Buffer], at: int) -> int:
    return sum(b.size for b in buffers if b.first <= at <= b.last)


def _saved(work: Work) -> int:
    """By an output over its input."""
    if work.source is None or work.bound is None:
        return 0
    output, source = work.output.size, work.source.size
    return max(0, output + source - max(output, source + work.bound.least))


def _share(work: list[Work], live: list[int], size: int, target: Target) -> None:
    """In an arena of that size: the scratch memory of each step, and which outputs lie over inputs. live: bytes of the
    tensors that are alive during each step.

    Overlap where there is no need has a price (docs/development.md).
    """
    for w in work:
        w.output.over = {}  # of all before any is set: steps that work in place have the buffer of another one
    for w, tensors in zip(work, live, strict=True):
        apart, over = size - tensors, size - tensors + _saved(w)
        w.scratch.size = min(w.had, max(apart, 0) // 4 * 4)
        if w.source is None or w.bound is None:
            continue
        needed = target.needed(w.step)
        room = min(max(w.had, needed.most), over // 4 * 4)
        if room < needed.least:
            continue
        if apart < 0 or target.cycles(w.step, room, True) < target.cycles(w.step, w.scratch.size, False):
            w.output.over = {w.source: w.bound}
            w.scratch.size = room


def _orders(buffers: list[Buffer], scratch: list[Buffer], work: list[Work]) -> Iterator[list[Buffer]]:
    """Orders in which buffers may find their places: those first that are there when most is needed."""
    totals = [_live([*buffers, *scratch], w.scratch.first) - _saved(w) * bool(w.output.over) for w in work]
    most = {b: max(totals[max(0, b.first) : b.last + 1], default=0) for b in [*buffers, *scratch]}
    late = {b: b.first for b in buffers} | {b: -1 for b in scratch}
    yield sorted(most, key=lambda b: (-most[b], -late[b], -b.size))
    yield sorted(most, key=lambda b: (b.first, -b.size))
    yield sorted(most, key=lambda b: (-b.last, -b.first, -b.size))
    yield sorted(most, key=lambda b: (-b.size, b.first))


def _search(order: list[Buffer], size: int) -> bool:
    """Places for all buffers in an arena of that size."""
    live = [[b for b in order[:i] if b.overlaps(order[i])] for i in range(len(order))]
    ways = [_ways(order[0], live[0], size)]
    for _ in range(TRIED):
        at = next(ways[-1], None)
        if at is None:
            ways.pop()
            if not ways:
                return False
            continue
        order[len(ways) - 1].offset = at
        if len(ways) == len(order):
            return True
        ways.append(_ways(order[len(ways)], live[len(ways)], size))
    return False


def _ways(buffer: Buffer, live: list[Buffer], size: int) -> Iterator[int]:
    """Offsets of a buffer beside, below and upon those that are alive, from the lowest on."""
    top = size - buffer.size
    ways = {0, top}
    for other in live:
        ways |= {other.offset + other.size, other.offset - buffer.size}
        if other in buffer.over:
            bound = buffer.over[other]
            ways |= {other.offset % bound.unit, other.offset - bound.least}
        if buffer in other.over:
            bound = other.over[buffer]
            ways |= {other.offset + bound.least, top - (top - other.offset) % bound.unit}
    for way in sorted(ways):
        # Of places that are no multiples the next ones, above or below.
        for at in sorted({way // 4 * 4, spec.align(way, spec.BLOCK_ALIGNMENT)}):
            if 0 <= at <= top and all(_agree(buffer, at, other) for other in live):
                yield at


def _agree(buffer: Buffer, at: int, other: Buffer) -> bool:
    """Whether both may be there, though alive at the same time."""
    if at + buffer.size <= other.offset or other.offset + other.size <= at:
        return True
    apart = other.offset - at
    found, turned = buffer.over.get(other), other.over.get(buffer)
    return (found is not None and apart >= found.least and apart % found.unit == 0) or (
        turned is not None and -apart >= turned.least and apart % turned.unit == 0
    )
