"""Places every tensor in one arena by its lifetime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from ..device import registry, spec
from ..device.record import Step
from ..ir.graph import Tensor
from ..targets import EVERY_BOARD, Target
from . import overlap


@dataclass(eq=False)
class Buffer:
    """Memory for one tensor and its aliases, in use from step `first` to step `last`."""

    size: int
    first: int
    last: int
    offset: int = -1
    over: dict[Buffer, overlap.Distance] = field(default_factory=dict)  # what it may lie over

    def overlaps(self, other: Buffer) -> bool:
        """In time."""
        return self.first <= other.last and other.first <= self.last

    def lies_over(self, other: Buffer) -> bool:
        """In the arena."""
        return self.offset < other.offset + other.size and other.offset < self.offset + self.size


@dataclass
class Plan:
    """Arena offsets by tensor, and the arena's exact size."""

    buffers: dict[Tensor, Buffer]
    aliases: dict[Tensor, Tensor]
    arena_bytes: int
    scratch: dict[Step, tuple[int, int]] = field(default_factory=dict)  # offset and bytes
    places: Mapping[Tensor, int] = field(default_factory=dict)
    overlaps: frozenset[Step] = frozenset()  # steps whose outputs lie over their inputs
    cycles: float = 0  # of all steps, by the target's estimate
    apart: float = 0  # the same if no output lay over its input

    def offset(self, tensor: Tensor) -> int:
        at = 0
        while tensor in self.aliases:
            at += self.places.get(tensor, 0)
            tensor = self.aliases[tensor]
        return at + self.buffers[tensor].offset


def root_of(aliases: dict[Tensor, Tensor], tensor: Tensor) -> Tensor:
    """The tensor in whose memory it is."""
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
    apart: float = 0,
    spans: Mapping[Tensor, tuple[int, int]] = MappingProxyType({}),
) -> Plan:
    """A plan for `steps`; `aliases` maps a tensor to the one whose memory it shares, `places` bytes into it. `target`
    wants scratch memory. `apart`: cycles that the steps may take at any rate. `spans`: first and last step in which a
    tensor is needed, whoever makes and reads it.

    Inputs are alive from the start, outputs to the end, persistent tensors always. Operators that work in place take
    over the memory of an input of the same size that nobody reads afterwards. Where that makes the arena smaller,
    outputs lie over inputs.
    """
    aliases = dict(aliases)

    def last_reads() -> dict[Tensor, int]:
        last: dict[Tensor, int] = {}
        for i, step in enumerate(steps):
            last[root_of(aliases, step.output)] = max(last.get(root_of(aliases, step.output), 0), i)
            for tensor in step.inputs:
                last[root_of(aliases, tensor)] = i
        return last | {root_of(aliases, t): len(steps) for t in [*outputs, *persistent]}

    last = last_reads()
    for i, step in enumerate(steps):
        if registry.of_step(step).in_place and step.output not in spans:
            for tensor in step.inputs:
                root = root_of(aliases, tensor)
                free = last[root] == i and root is not root_of(aliases, step.output) and step.output not in persistent
                if free and tensor.bytes == step.output.bytes:
                    aliases[step.output] = tensor
                    last = last_reads()
                    break

    buffers: dict[Tensor, Buffer] = {}
    for tensor, first in [(t, -1) for t in [*inputs, *persistent]] + [(s.output, i) for i, s in enumerate(steps)]:
        root = root_of(aliases, tensor)
        if root not in buffers:
            buffers[root] = Buffer(tensor.bytes, first, max(last.get(root, first), first))
    for tensor, (start, end) in spans.items():
        buffer = buffers[root_of(aliases, tensor)]
        buffer.first, buffer.last = min(buffer.first, start), max(buffer.last, end)
    found = Plan(buffers, aliases, place(list(buffers.values())), places=places)
    made = list(buffers.values())
    room = max(0, target.ram - found.arena_bytes) if target.ram else target.growth_limit
    found.arena_bytes, found.scratch = place_scratch(steps, made, found.arena_bytes, target, room)
    found.apart = max(apart, _cycles(found, steps, target))
    if target.overlaps:
        _overlap(found, steps, target)
    found.cycles = _cycles(found, steps, target)
    return found


def _cycles(found: Plan, steps: list[Step], target: Target) -> float:
    return sum(target.cycles(s, found.scratch.get(s, (0, 0))[1], s in found.overlaps) for s in steps)


def _overlap(found: Plan, steps: list[Step], target: Target) -> None:
    """Makes the plan's arena smaller where outputs may lie over inputs and kernels keep enough scratch memory; or the
    steps faster in the memory that there is."""
    buffers = list(found.buffers.values())
    work = []
    for i, step in enumerate(steps):
        had = target.wanted(step).most if target.ram else found.scratch.get(step, (0, 0))[1]
        made = overlap.Work(step, Buffer(had, i, i), had, found.buffers[root_of(found.aliases, step.output)])
        bound = overlap.distance(step)
        if bound is not None:
            source = found.buffers[root_of(found.aliases, step.inputs[0])]
            whole = made.output.size == step.output.bytes and source.size == step.inputs[0].bytes
            if whole and made.output is not source and made.output.first == i == source.last:
                made.source, made.bound = source, bound
        work.append(made)
    offsets = [b.offset for b in buffers]
    size = overlap.place(buffers, work, found.arena_bytes, target, found.apart)
    over = frozenset(w.step for w in work if w.source and w.output.lies_over(w.source))
    if size is not None and (target.ram or (size < found.arena_bytes and over)):
        found.arena_bytes, found.overlaps = size, over
        found.scratch = place_scratch(steps, buffers, size, target, 0)[1]
    else:
        for buffer, offset in zip(buffers, offsets, strict=True):
            buffer.offset = offset


def place_scratch(
    steps: list[Step], buffers: list[Buffer], arena_bytes: int, target: Target, growth_limit: int
) -> tuple[int, dict[Step, tuple[int, int]]]:
    """Scratch memory where the tensors leave room, and the arena's bytes: more than before, up to the growth limit,
    when a step finds too little; of an arena of given bytes, when one could use more."""
    wants = [target.wanted(step) for step in steps]
    gaps = [_gaps([b for b in buffers if b.first <= i <= b.last]) for i in range(len(steps))]

    def largest(i: int, limit: int) -> tuple[int, int]:
        return max(((start, min(end, limit) - start) for start, end in gaps[i]), key=lambda gap: gap[1])

    most = arena_bytes + growth_limit
    for i, want in enumerate(wants):
        grow_to = want.most if target.ram else want.least
        if largest(i, arena_bytes)[1] < grow_to:
            arena_bytes = max(arena_bytes, min(most, gaps[i][-1][0] + spec.align(grow_to, spec.BLOCK_ALIGNMENT)))
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
