"""The order of steps: where branches may be taken in any order, that which needs least memory.

Dynamic programming over the sets of steps that can be done first, as in E. Liberis and N. D. Lane, "Neural networks on
microcontrollers: saving memory at inference via operator reordering" (2019).
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from typing import NamedTuple

from ..device import registry
from ..device.program import Program
from ..device.record import Step
from ..ir.graph import Tensor
from ..targets import Target
from .arena import Plan, plan, root_of

MOST_SETS = 500  # of as many steps each; of a graph that has more, the order stays


def plan_in_order(program: Program, outputs: list[Tensor], target: Target) -> Plan:
    """The plan of a program, whose steps of a prediction it puts in another order where that makes the arena smaller.
    No output depends on it. outputs: what is read behind a prediction."""

    def planned(steps: list[Step], apart: float = 0) -> Plan:
        edges = (program.inputs, outputs, program.aliases, program.state)
        return plan(steps, *edges, target, program.places, apart)

    def cost(made: Plan) -> tuple[float, ...]:
        too_much = max(0, made.arena_bytes - target.ram)
        return (too_much, made.cycles) if target.ram else (too_much,)

    given = planned(program.steps)
    begin = program.init_count + program.feed_count
    order = best_order(program, outputs, begin)
    if order == [*range(len(order))]:
        return given
    steps = program.steps[:begin] + [program.steps[begin + i] for i in order]
    made = planned(steps, given.apart)
    if cost(made) >= cost(given):
        return given
    program.steps = steps
    return made


def best_order(program: Program, outputs: list[Tensor], begin: int) -> list[int]:
    """Numbers of the steps from `begin` on, in the order in which the most bytes that are alive at once are the least,
    then the second most, and so on. As they are if that is as good, or if there are too many ways."""
    memory = _Memory(program, outputs, begin)
    given = [*range(len(memory.steps))]
    as_given = memory.nothing_done()
    ways = {0: as_given}
    for i in given:
        as_given = memory.taken(as_given, i, (1 << i) - 1)
        longer: dict[int, _Way] = {}
        for done, way in ways.items():
            for step, before in enumerate(memory.before):
                if done >> step & 1 or before & ~done:
                    continue
                made, now = memory.taken(way, step, done), done | 1 << step
                # Of such lists of negative numbers the greater one is that of less memory.
                if now not in longer or made.needed > longer[now].needed:
                    longer[now] = made
        if len(longer) > MOST_SETS:
            return given
        ways = longer
    (best,) = ways.values()
    return best.order if best.needed > as_given.needed else given


@dataclass
class _Buffer:
    """Memory of a tensor and its aliases. users: the steps that read or write it; a set of steps is an integer with a
    bit for each. stays: whether it is read after the last one."""

    size: int
    users: int = 0
    stays: bool = False


class _Way(NamedTuple):
    """To a set of done steps: minus the bytes that were alive during each, the most first; the steps in order; what
    has been written to, and how many bytes of that are alive."""

    needed: list[int]
    order: list[int]
    begun: frozenset[Tensor]
    live: int


class _Memory:
    """What the steps of a prediction, from number `begin` on, read and write."""

    def __init__(self, program: Program, outputs: list[Tensor], begin: int) -> None:
        self.steps = steps = program.steps[begin:]
        self.aliases = program.aliases
        self.state = set(program.state)
        former = [step.output for step in program.steps[:begin]]
        self.begun = frozenset(map(self._root, [*program.inputs, *program.state, *former]))
        made = {self._root(step.output) for step in steps}
        self.buffers = {root: _Buffer(root.bytes) for root in self.begun | made}
        for tensor in [*outputs, *program.state]:
            self.buffers[self._root(tensor)].stays = True
        # Those that each has to wait for. What writes keeps its place among the others that use the memory.
        self.before = [0] * len(steps)
        writers: dict[Tensor, int] = {}
        for i, step in enumerate(steps):
            output = self._root(step.output)
            self.before[i] = self.buffers[output].users
            for root in self._used(step):
                self.before[i] |= writers.get(root, 0)
                self.buffers[root].users |= 1 << i
            writers[output] = writers.get(output, 0) | 1 << i

    def _root(self, tensor: Tensor) -> Tensor:
        return root_of(self.aliases, tensor)

    def _used(self, step: Step) -> set[Tensor]:
        return {self._root(tensor) for tensor in [*step.inputs, step.output]}

    def nothing_done(self) -> _Way:
        return _Way([], [], self.begun, sum(self.buffers[root].size for root in self.begun))

    def taken(self, way: _Way, number: int, done: int) -> _Way:
        """One step further."""
        step = self.steps[number]
        done |= 1 << number
        output = self._root(step.output)
        new = 0 if output in way.begun else self.buffers[output].size
        known = {root: self.buffers[root] for root in self._used(step)}
        dying = {root: b for root, b in known.items() if not b.stays and not b.users & ~done}
        in_place = registry.of_step(step).in_place and step.output not in self.state
        needed = [*way.needed]
        taken = in_place and any(b.size == new for root, b in dying.items() if root is not output)
        insort(needed, -(way.live + (0 if taken else new)))
        live = way.live + new - sum(b.size for b in dying.values())
        return _Way(needed, [*way.order, number], way.begun | {output}, live)
