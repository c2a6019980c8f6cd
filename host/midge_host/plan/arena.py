"""Places every tensor in one arena by its lifetime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from ..device import registry, spec
from ..device.record import Step
from ..ir.graph import Tensor
from ..targets import EVERY_BOARD, Target


@dataclass(eq=False)
class Buffer:
    """Memory for one tensor and its aliases, in use from step `first` to step `last`."""

    size: int
    first: int
    last: int
    offset: int = -1

    def overlaps(self, other: Buffer) -> bool:
        return self.first <= other.last and other.first <= self.last


@dataclass
class Plan:
    """Arena offsets by tensor, and the arena's exact size."""

    buffers: dict[Tensor, Buffer]
    aliases: dict[Tensor, Tensor]
    arena_bytes: int
    scratch: dict[Step, tuple[int, int]] = field(default_factory=dict)  # offset and bytes
    places: Mapping[Tensor, int] = field(default_factory=dict)

    def offset(self, tensor: Tensor) -> int:
        at = 0
        while tensor in self.aliases:
            at += self.places.get(tensor, 0)
            tensor = self.aliases[tensor]
        return at + self.buffers[tensor].offset


def _root(aliases: dict[Tensor, Tensor], tensor: Tensor) -> Tensor:
    while tensor in aliases:
        tensor = aliases[tensor]
    return tensor


def plan(
    steps: list[Step],
    inputs: list[Tensor],
    outputs: list[Tensor],
    aliases: dict[Tensor, Tensor],
    persistent: Sequence[Tensor] = (),
    target: Target = EVERY_BOARD,
    places: Mapping[Tensor, int] = MappingProxyType({}),
) -> Plan:
    """A plan for `steps`; `aliases` maps a tensor to the one whose memory it shares, `places` bytes into it. `target`
    wants scratch memory.

    Inputs are alive from the start, outputs to the end, persistent tensors always. Operators that work in place take
    over the memory of an input of the same size that nobody reads afterwards.
    """
    aliases = dict(aliases)

    def last_reads() -> dict[Tensor, int]:
        last: dict[Tensor, int] = {}
        for i, step in enumerate(steps):
            last[_root(aliases, step.output)] = max(last.get(_root(aliases, step.output), 0), i)
            for tensor in step.inputs:
                last[_root(aliases, tensor)] = i
        return last | {_root(aliases, t): len(steps) for t in [*outputs, *persistent]}

    last = last_reads()
    for i, step in enumerate(steps):
        if registry.of_step(step).in_place:
            for tensor in step.inputs:
                root = _root(aliases, tensor)
                free = last[root] == i and root is not _root(aliases, step.output) and step.output not in persistent
                if free and tensor.bytes == step.output.bytes:
                    aliases[step.output] = tensor
                    last = last_reads()
                    break

    buffers: dict[Tensor, Buffer] = {}
    for tensor, first in [(t, -1) for t in [*inputs, *persistent]] + [(s.output, i) for i, s in enumerate(steps)]:
        root = _root(aliases, tensor)
        if root not in buffers:
            buffers[root] = Buffer(tensor.bytes, first, max(last.get(root, first), first))
    arena_bytes = place(list(buffers.values()))
    arena_bytes, scratch = place_scratch(steps, list(buffers.values()), arena_bytes, target)
    return Plan(buffers, aliases, arena_bytes, scratch, places)


def place_scratch(
    steps: list[Step], buffers: list[Buffer], arena_bytes: int, target: Target
) -> tuple[int, dict[Step, tuple[int, int]]]:
    """Scratch memory where the tensors leave room, and the arena's bytes: more than before, up to the growth limit,
    when a step finds too little."""
    wants = [target.wanted(step) for step in steps]
    gaps = [_gaps([b for b in buffers if b.first <= i <= b.last]) for i in range(len(steps))]

    def largest(i: int, limit: int) -> tuple[int, int]:
        return max(((start, min(end, limit) - start) for start, end in gaps[i]), key=lambda gap: gap[1])

    most = arena_bytes + target.growth_limit
    for i, want in enumerate(wants):
        if largest(i, arena_bytes)[1] < want.least:
            arena_bytes = max(arena_bytes, min(most, gaps[i][-1][0] + spec.align(want.least, spec.BLOCK_ALIGNMENT)))
    placed = {}
    for i, want in enumerate(wants):
        start, size = largest(i, arena_bytes)
        if want.most and size > 0:
            placed[steps[i]] = (start, min(size, want.most))
    return arena_bytes, placed


def _gaps(live: list[Buffer]) -> list[tuple[int, int]]:
    """Start and end of the places between buffers; the last one has no end."""
    gaps, at = [], 0
    for buffer in sorted(live, key=lambda b: b.offset):
        gaps.append((at, buffer.offset))
        at = max(at, spec.align(buffer.offset + buffer.size, spec.BLOCK_ALIGNMENT))
    return [*gaps, (at, 1 << 32)]


def place(buffers: list[Buffer]) -> int:
    """Sets the offsets; returns the bytes needed. The best of a few greedy orders: each buffer goes to the
    lowest place that is free during its life."""
    orders = [
        lambda b: (-b.size, b.first),
        lambda b: (b.first - b.last, -b.size),
        lambda b: (b.first, -b.size),
        lambda b: (-b.size * (b.last - b.first + 1), b.first),
    ]
    least, best, offsets = lower_bound(buffers), -1, []
    for order in orders:
        placed: list[Buffer] = []
        for buffer in sorted(buffers, key=order):
            buffer.offset = _lowest(buffer, placed)
            placed.append(buffer)
        size = max((b.offset + b.size for b in buffers), default=0)
        if best < 0 or size < best:
            best, offsets = size, [b.offset for b in buffers]
        if best == least:
            break
    for buffer, offset in zip(buffers, offsets, strict=True):
        buffer.offset = offset
    return best


def _lowest(buffer: Buffer, placed: list[Buffer]) -> int:
    offset = 0
    for other in sorted((p for p in placed if p.overlaps(buffer)), key=lambda p: p.offset):
        if other.offset - offset >= buffer.size:
            break
        offset = max(offset, spec.align(other.offset + other.size, spec.BLOCK_ALIGNMENT))
    return offset


def lower_bound(buffers: list[Buffer]) -> int:
    """The most bytes that are alive at once: no plan can need less."""
    return max((sum(b.size for b in buffers if b.first <= at.first <= b.last) for at in buffers), default=0)
