"""First layers in strips of rows, so that of their tensors no more is in memory than the next layer needs:
docs/FORMAT.md, "Rows". Which layers, and how many rows at a time, is chosen for the least time in so much memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf

from ..device import registry, spec
from ..device.program import Program
from ..device.record import Step
from ..device.region import Region, Ring
from ..errors import MidgeError
from ..ir.graph import Tensor
from ..targets import Target
from . import overlap
from .arena import Plan, plan, root_of
from .order import best_order, plan_in_order
from .turns import Root, Shape, Turns, reach, shapes_of

PIXELS = (1, 12, 24, 48, 72, 96, 144, 192, 288, 384, 576)  # of an output at a time, that are tried for all layers
NEAR = 1.1  # as a share of the cycles with as much memory as is of use: good enough
IMPROVED = 4  # of the best cuts, each of other steps
TRIED, TRIED_OVER = 100, 8  # plans, from the quickest on; those with outputs over inputs
TURN_CYCLES = 6_000  # of a turn, beside its kernel
FEED_CYCLES = 20_000  # more, of a turn in which rows come in


@dataclass(frozen=True)
class Cut:
    """A program whose first steps are made in strips.

    steps: all, those of the region with the sizes of their first strip and tensors of as many rows as are in memory.
    spans: how long these live. tensors, rings: of the region, the source first; the rings have no places yet.
    """

    program: Program
    steps: list[Step]
    inputs: list[Tensor]
    aliases: dict[Tensor, Tensor]
    spans: dict[Tensor, tuple[int, int]]
    tensors: list[Tensor]
    rings: list[Ring]
    turns: bytes

    def plan(self, outputs: Sequence[Tensor], target: Target) -> Plan:
        p = self.program
        edges = (self.inputs, list(outputs), self.aliases, p.state)
        return plan(self.steps, *edges, target, p.places, spans=self.spans)

    def region(self, arena: Plan) -> Region:
        placed = zip(self.tensors, self.rings, strict=True)
        return Region(tuple(replace(ring, offset=arena.offset(tensor)) for tensor, ring in placed), self.turns)

    @property
    def bytes(self) -> int:
        """Of all rings: no plan needs less."""
        return sum(ring.bytes for ring in self.rings)

    def cycles(self, arena: Plan, target: Target) -> float:
        """Roughly, of all steps."""
        return self._cycles(target, lambda step: (arena.scratch.get(step, (0, 0))[1], step in arena.overlaps))

    def least_cycles(self, target: Target, held: Mapping[Step, int]) -> float:
        """The same of the best plan in `target.ram` bytes that one may hope for; inf where there is none. held: of
        tensors, during each step behind the region."""
        return self._cycles(
            target, lambda step: (min(target.ram - held.get(step, self.bytes), target.wanted(step).most), False)
        )

    def _cycles(self, target: Target, memory: Callable[[Step], tuple[int, bool]]) -> float:
        total = float(TURN_CYCLES * len(self.turns) + FEED_CYCLES * self.turns.count(0))
        for number, step in enumerate(self.steps, 1 - self.program.init_count):
            scratch_bytes, overlaps = memory(step)
            if scratch_bytes < 0:
                return inf
            times = self.turns.count(number) if 1 <= number < len(self.rings) else 1
            total += times * target.cycles(step, scratch_bytes, overlaps)
        return total


Hope = tuple[float, Cut]  # with its least cycles


def choose(name: str, program: Program, outputs: list[Tensor], target: Target, arena: Plan) -> tuple[Plan, Cut | None]:
    """The quickest way, by estimate, to run in an arena of `target.ram` bytes: as it is, or cut. MidgeError where there
    is none. name: the model's; arena: a plan of it as it is.
    """
    smallest = target._replace(ram=0, growth_limit=0, slowdown=inf)
    if arena.arena_bytes > target.ram:
        arena = plan_in_order(program, outputs, smallest)
    found: tuple[Plan, Cut | None] = (arena, None)
    least = arena.cycles if arena.arena_bytes <= target.ram else inf
    wished = sum(target.cycles(step, target.wanted(step).most, False) for step in program.steps)
    if least <= NEAR * wished:
        return found
    ways = [program]
    order = best_order(program, outputs, program.init_count)
    if order != [*range(len(order))]:
        steps = program.steps[program.init_count :]
        ways.append(replace(program, steps=[*program.steps[: program.init_count], *(steps[i] for i in order)]))
    cuts: list[Cut] = []
    hopes: list[Hope] = []
    for way in ways:
        here, held = list(_cuts(way, outputs)), _held(way, outputs, target)
        hoped = _hopes(here, target, held)
        better = [_improved(hope, outputs, target, held) for hope in _best_of_each(hoped)[:IMPROVED]]
        cuts, hopes = cuts + here, hopes + better + hoped
    hopes.sort(key=lambda hope: hope[0])
    # Most fit, or do not, without outputs over inputs, whose places take long to find.
    for overlaps, tried in ((False, TRIED), (target.overlaps, TRIED_OVER)):
        for made in [c for cycles, c in hopes if cycles < least][:tried]:
            placed = made.plan(outputs, target._replace(overlaps=overlaps))
            cycles = made.cycles(placed, target)
            if placed.arena_bytes <= target.ram and cycles < least:
                found, least = (placed, made), cycles
    if least == inf:
        cuts.sort(key=lambda c: c.bytes)
        needed = min(p.arena_bytes for p in [arena, *(made.plan(outputs, smallest) for made in cuts[:TRIED_OVER])])
        raise MidgeError(
            f"{name}: {target.ram:,} bytes of working memory are too few, it takes {needed:,} at least; "
            f"--ram {needed} is possible"
        )
    if found[1]:
        program.steps = found[1].program.steps
    return found


def _held(program: Program, outputs: Sequence[Tensor], target: Target) -> dict[Step, int]:
    """Bytes of the tensors that are alive during each step, where what can lies over what it is made of."""
    root = partial(root_of, program.aliases)
    last = {root(t): i for i, step in enumerate(program.steps) for t in [step.output, *step.inputs]}
    last |= {root(t): len(program.steps) for t in [*outputs, *program.state]}
    alive, held = {root(t) for t in [*program.inputs, *program.state]}, {}
    for i, step in enumerate(program.steps):
        ends = alive | {root(step.output)}
        saved = 0
        if registry.of_step(step).in_place or (target.overlaps and overlap.distance(step)):
            saved = min(step.output.bytes, max((t.bytes for t in map(root, step.inputs) if last[t] == i), default=0))
        held[step] = sum(t.bytes for t in ends) - saved
        alive = {t for t in ends if last[t] > i}
    return held


def _cuts(program: Program, outputs: Sequence[Tensor]) -> Iterator[Cut]:
    """Those that are tried."""
    for count in range(2, len(program.steps) - program.init_count):
        for is_fed in (False, True):
            for pixels in PIXELS:
                made = cut(program, outputs, count, is_fed, pixels)
                if made is not None:
                    yield made


def _hopes(cuts: Iterable[Cut], target: Target, held: Mapping[Step, int]) -> list[Hope]:
    """The least cycles of those that may fit, the least first."""
    hopes = [(made.least_cycles(target, held), made) for made in cuts if made.bytes <= target.ram]
    return sorted((hope for hope in hopes if hope[0] < inf), key=lambda hope: hope[0])


def _best_of_each(hopes: list[Hope]) -> list[Hope]:
    """The first of those that have the same steps in strips, fed or not."""
    firsts: dict[tuple[int, bool], Hope] = {}
    for hope in hopes:
        firsts.setdefault((len(hope[1].rings), hope[1].rings[0].step > 0), hope)
    return list(firsts.values())


def _improved(hope: Hope, outputs: Sequence[Tensor], target: Target, held: Mapping[Step, int]) -> Hope:
    """Other numbers of rows at a time, as long as a change of one of them makes it quicker."""
    while True:
        best = hope[1]
        rows = [ring.step for ring in best.rings]
        changed = {
            (*rows[:i], other, *rows[i + 1 :])
            for i, ring in enumerate(best.rings)
            for other in {ring.step - 1, ring.step + 1, ring.step // 2, 2 * ring.step}
            if ring.step and 0 < other <= ring.height
        }
        nearby = [made for one in sorted(changed) if (made := cut_by_rows(best.program, outputs, one))]
        hopes = _hopes(nearby, target, held)
        if not hopes or hopes[0][0] >= hope[0]:
            return hope
        hope = hopes[0]


def cut(program: Program, outputs: Sequence[Tensor], count: int, is_fed: bool, pixels: int) -> Cut | None:
    """The first `count` steps of a prediction in strips of so many pixels, or a row; None where they cannot be.

    is_fed: whether the input comes in by rows.
    """
    steps, shapes = _shapes(program, count)
    if shapes is None:
        return None
    source, *made = shapes.values()
    rows = [min(shape.height, -(-pixels // shape.width)) for shape in made]
    fed = min(source.height, rows[0] * steps[0].fields.get("stride_h", 1))
    return cut_by_rows(program, outputs, (fed if is_fed else 0, *rows))


def cut_by_rows(program: Program, outputs: Sequence[Tensor], rows: Sequence[int]) -> Cut | None:
    """The same with so many rows at a time of the input, or 0, and of what each step makes."""
    first, aliases, count = program.init_count, program.aliases, len(rows) - 1
    steps, shapes = _shapes(program, count)
    after = program.steps[first + count :]

    root = partial(root_of, aliases)
    source = root(steps[0].inputs[0])
    later = {root(t) for t in [*outputs, *program.state, *(t for step in after for t in step.inputs)]}
    is_alone = len(program.inputs) == 1 and source not in later
    if (
        shapes is None
        or source not in map(root, program.inputs)
        or any(s.output in aliases for s in steps)
        or (rows[0] and not is_alone)
    ):
        return None
    at_a_time = dict(zip(shapes, rows, strict=True))
    turns = Turns(steps, shapes, root, at_a_time)
    if len(turns.order) > spec.MAX_DIM:
        return None
    kept = {t: shape.height if t in later else turns.memory[t] for t, shape in shapes.items()}
    made = {t: _shortened(t, kept[t], shape) for t, shape in shapes.items()}
    numbers = {t: number for number, t in enumerate(shapes)}
    rings = [Ring(0, shape.row_bytes, shape.height, kept[t], at_a_time[t]) for t, shape in shapes.items()]
    for step in steps:
        sources = [numbers[root(t)] for t in step.inputs]
        at = numbers[step.output]
        rings[at] = replace(rings[at], **dict(zip(("source", "source2"), sources, strict=False)))
    return Cut(
        program,
        [*program.steps[:first], *(_strip(s, shapes, made, root, at_a_time[s.output]) for s in steps), *after],
        [made.get(root(t), t) for t in program.inputs],
        aliases | {t: short for t, short in made.items() if short is not t},
        {short: (first - (t is source), first + count - 1) for t, short in made.items()},
        list(made.values()),
        rings,
        bytes(turns.order),
    )


def _shapes(program: Program, count: int) -> tuple[list[Step], dict[Tensor, Shape] | None]:
    """The first `count` steps of a prediction, and their tensors' shapes."""
    steps = program.steps[program.init_count : program.init_count + count]
    root = partial(root_of, program.aliases)
    return steps, shapes_of(steps, root(steps[0].inputs[0]), root)


def _shortened(tensor: Tensor, rows: int, shape: Shape) -> Tensor:
    return tensor if rows == shape.height else Tensor(tensor.name, (rows, shape.row_bytes), "int8")


def _strip(step: Step, shapes: dict[Tensor, Shape], made: dict[Tensor, Tensor], root: Root, rows: int) -> Step:
    """A step's first rows."""
    ins = [root(t) for t in step.inputs]
    if step.operator == "ADD":
        sizes = {"count": rows * shapes[step.output].row_bytes}
    else:
        sizes = {"in_h": reach(step, 0, rows, shapes[ins[0]].height).last, "out_h": rows}
    return replace(step, inputs=[made[t] for t in ins], output=made[step.output], fields=step.fields | sizes)
