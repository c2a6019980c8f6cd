"""Fewer channels, without training: those with the least effect on the outputs leave, and the layers that read them get
their weights anew by least squares.

prune(graph, readings, share) changes a graph of floats in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...errors import MidgeError
from ...ir import batch
from ...ir import operators as ir
from ...ir.graph import Graph, Node
from ..calibrate import few
from ..integers import real_bias
from ..judge import before_saturation, distance
from .fit import Surgeon, covariance, damped, fitted, read
from .tied import Channels, Tied, as_matrix, columns, multiplications, narrow, set_matrix

LEAST = 0.05  # of the multiplications; below nothing is left of a model
_READINGS = 128  # by which weights are fitted
_MOST_VALUES = 2304  # of a layer's window: matrices of their squares are inverted
_TRIED = (0.3, 0.6, 0.85, 1.0)  # of the channels that have an effect: so many leave, and the outputs are compared
_NOTHING = 1e-7  # of what all channels have as an effect, and of the outputs
_HALVINGS = 60


@dataclass(eq=False)
class Candidate:
    """Channels that may go, in the order in which they do. free: how many of them have no effect; errors: (size,) of
    the outputs after so many have left; work: multiplications that each one takes."""

    channels: Channels
    order: list[int] = field(default_factory=list)
    free: int = 0
    errors: np.ndarray = field(default_factory=lambda: np.zeros(1))
    work: float = 0.0

    def count_at(self, price: float) -> int:
        """How many leave, if a multiplication is worth `price` in error."""
        return int((self.errors - price * self.work * np.arange(len(self.errors))).argmin())


def prune(graph: Graph, readings: Sequence[np.ndarray], share: float) -> str:
    """Leaves at most `share` of the multiplications of convolutions and Dense layers, those of channels without any
    effect not counted. Says what was done.

    readings: (N, *shape) for each input. Raises MidgeError for a model that keeps a state, for a share that is out of
    range, and if so many cannot leave.
    """
    if not LEAST <= share <= 1:
        raise MidgeError(f"--macs {share:g}: give the share of the multiplications that may stay, {LEAST} to 1")
    if batch.is_stream(graph):
        raise MidgeError(f"{graph.name}: --macs is for models that keep nothing from reading to reading; leave it out")
    tied = Tied(graph)
    candidates = _candidates(graph, tied, list(readings))
    plain = _work(graph, tied, {id(c.channels): c.free for c in candidates})
    leave = _chosen(graph, tied, candidates, share * plain)
    kept = {
        id(c.channels): np.setdiff1d(np.arange(c.channels.size), c.order[:count])
        for c, count in zip(candidates, leave, strict=True)
        if count
    }
    whole, total, gone = round(_work(graph, tied, {})), sum(c.size for c in tied.all() if c.may_go), sum(leave)
    _refit(graph, tied, kept, [_spread(x, _READINGS) for x in readings])
    for channels in tied.all():
        if id(channels) in kept:
            narrow(channels, kept[id(channels)])
    free = sum(c.free for c in candidates)
    without = f" ({free:,} of them without effect)" if free else ""
    now = sum(multiplications(n) for n in graph.nodes if isinstance(n, ir.Weighted))
    return f"{gone:,} of {total:,} channels left out{without}: {whole:,} multiplications to {now:,}"


def _spread(values: np.ndarray, most: int) -> np.ndarray:
    return values[np.linspace(0, len(values) - 1, min(most, len(values))).round().astype(int)]


def _work(graph: Graph, tied: Tied, leave: dict[int, int]) -> float:
    """Multiplications without so many channels, by the id of those."""

    def stays(channels: Channels) -> float:
        return 1 - leave.get(id(channels), 0) / channels.size

    total = 0.0
    for node in graph.nodes:
        if isinstance(node, ir.Weighted):
            source, output = tied[id(node.source)], tied[id(node.output)]
            part = stays(output) * (stays(source) if node in source.readers else 1)
            total += multiplications(node) * part
    return total


def _candidates(graph: Graph, tied: Tied, readings: list[np.ndarray]) -> list[Candidate]:
    """Of all channels that may go, how many can at what cost."""
    found = [
        Candidate(channels)
        for channels in tied.all()
        if channels.may_go and all(r.weights.size // r.weights.shape[0] <= _MOST_VALUES for r in channels.readers)
    ]
    # What weights are fitted by says little about what they are worth where readings are few.
    fit, others = ([x[i::2] if len(x) > 1 else x for x in readings] for i in (0, 1))
    moments = _moments(graph, [r for c in found for r in c.channels.readers], [_spread(x, _READINGS) for x in fit])
    outputs = _Outputs(graph, few(graph, others, 2))
    effects: dict[int, np.ndarray] = {}  # of channels, relative to one another, by their id
    whole = _work(graph, tied, {})
    for candidate in reversed(found):
        channels = candidate.channels
        surgeons = []
        for reader in channels.readers:
            behind = effects.get(id(tied[id(reader.output)]), np.ones(reader.weights.shape[0]))
            surgeons.append(Surgeon.of(reader, channels.size, moments[id(reader)], behind))
        effects[id(channels)] = _effects(channels, surgeons)
        candidate.work = (whole - _work(graph, tied, {id(channels): 1})) or 1.0
        _order(candidate, surgeons, outputs)
    return found


def _moments(graph: Graph, readers: list[ir.Weighted], readings: list[np.ndarray]) -> dict[int, np.ndarray]:
    """The damped covariance of what each of the layers reads."""
    wanted = {id(reader) for reader in readers}
    found = {}
    for node, values in _walk(graph, readings):
        if id(node) in wanted:
            assert isinstance(node, ir.Weighted)
            seen = read(node, values[id(node.source)])
            found[id(node)] = damped(covariance(seen), len(seen))
        batch.run_node(node, values, len(readings[0]))
    return found


def _walk(graph: Graph, readings: list[np.ndarray]) -> Iterator[tuple[Node, batch.Values]]:
    """Each layer and the values that are still needed; who takes them runs the layer."""
    last = {id(t): i for i, node in enumerate(graph.nodes) for t in node.inputs}
    kept = {id(edge.tensor) for edge in graph.outputs}
    values = {id(e.tensor): batch.stored(e.tensor, x) for e, x in zip(graph.inputs, readings, strict=True)}
    for i, node in enumerate(graph.nodes):
        yield node, values
        for key in [k for k in values if last.get(k, -1) <= i and k not in kept]:
            del values[key]


def _effects(channels: Channels, surgeons: list[Surgeon]) -> np.ndarray:
    """(size,), 1 on average: how errors of channels matter to the layers that read them."""
    made = np.zeros(channels.size)
    for surgeon in surgeons:
        squares = np.square(surgeon.weights).T @ surgeon.effects
        made += squares[surgeon.columns].sum(1)
    for node in channels.depthwise:
        made *= np.square(np.asarray(node.weights.data, np.float64)).sum((0, 1, 2))
    return made / (made.mean() or 1.0)


def _order(candidate: Candidate, surgeons: list[Surgeon], outputs: _Outputs) -> None:
    """Lets channels go one after the other, and compares the outputs now and then."""
    size = candidate.channels.size
    every = sum(surgeon.costs() for surgeon in surgeons)
    gone, local = np.zeros(size, bool), [0.0]
    measured: list[tuple[int, float]] = [(0, 0.0)]
    nothing = _NOTHING * float(np.sum(every))
    steps: list[int] = []
    while len(local) < size:
        costs = np.where(gone, np.inf, sum(surgeon.costs() for surgeon in surgeons))
        best = int(costs.argmin())
        if not steps and local[-1] + costs[best] > nothing:
            candidate.free = len(local) - 1
            steps = [candidate.free + round(part * (size - candidate.free - 1)) for part in _TRIED]
            measured.append((candidate.free, outputs.error(surgeons)))
        for surgeon in surgeons:
            surgeon.remove(best)
        gone[best] = True
        candidate.order.append(best)
        local.append(local[-1] + max(0.0, float(costs[best])))
        if len(local) - 1 in steps:
            measured.append((len(local) - 1, outputs.error(surgeons)))
    if not steps:
        candidate.free = size - 1
        measured.append((candidate.free, outputs.error(surgeons)))
    at, errors = (np.array(x) for x in zip(*measured, strict=True))
    # Between two measured errors, as the error of the layers' sums grows.
    candidate.errors = np.interp(local, np.array(local)[at], np.maximum.accumulate(errors))
    if candidate.errors[candidate.free] > _NOTHING:
        candidate.free = 0


class _Outputs:
    """What the outputs lose, as a part of their power, when layers get other weights."""

    def __init__(self, graph: Graph, readings: list[np.ndarray]) -> None:
        self._graph, self._count = graph, len(readings[0])
        self._values = batch.run(graph, readings)
        self._judged = [before_saturation(graph, edge.tensor) for edge in graph.outputs]

    def error(self, surgeons: list[Surgeon]) -> float:
        changed = {id(surgeon.node): surgeon for surgeon in surgeons}
        other: batch.Values = {}
        for node in self._graph.nodes:
            surgeon = changed.get(id(node))
            if surgeon is None and not any(id(t) in other for t in node.inputs):
                continue
            values = {**self._values, **other}
            if surgeon is not None:
                node = self._with(surgeon)
            batch.run_node(node, values, self._count)
            other |= {id(t): values[id(t)] for t in node.outputs}
        parts = [distance(self._values[id(t)], other.get(id(t), self._values[id(t)])) for t in self._judged]
        return float(np.mean(parts))

    def _with(self, surgeon: Surgeon) -> ir.Weighted:
        """The layer with its weights as they are now; what is missing on average goes into the bias."""
        node = surgeon.node
        mean = read(node, self._values[id(node.source)]).mean(0)
        bias = real_bias(node) + (as_matrix(node) - surgeon.weights) @ mean
        made = replace(node)
        set_matrix(made, surgeon.weights, bias)
        return made


def _chosen(graph: Graph, tied: Tied, candidates: list[Candidate], most: float) -> list[int]:
    """How many channels of each candidate leave, so that at most so many multiplications stay."""

    def at(price: float) -> tuple[list[int], float]:
        counts = [max(c.free, c.count_at(price)) for c in candidates]
        return counts, _work(graph, tied, {id(c.channels): n for c, n in zip(candidates, counts, strict=True)})

    low, high = -40.0, 10.0  # of the price, as a power of 10
    counts, work = at(10**high)
    if work > most:
        least = work / _work(graph, tied, {})
        raise MidgeError(f"--macs: {least:.0%} of the multiplications stay at least; give more, or a smaller model")
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        tried, work = at(10**middle)
        if work > most:
            low = middle
        else:
            high, counts = middle, tried
    return counts


def _refit(graph: Graph, tied: Tied, kept: dict[int, np.ndarray], readings: list[np.ndarray]) -> None:
    """Gives the layers that read channels that leave their weights anew, in order, each by what it reads once those
    before it have theirs."""
    count = len(readings[0])
    before = Graph(graph.name, [replace(node) for node in graph.nodes], graph.inputs, graph.outputs)
    for (node, values), (old, wanted) in zip(_walk(graph, readings), _walk(before, readings), strict=True):
        channels = tied.get(id(node.inputs[0])) if isinstance(node, ir.Weighted) else None
        if isinstance(node, ir.Weighted) and channels and id(channels) in kept and node in channels.readers:
            seen, first = read(node, values[id(node.source)]), as_matrix(node)
            at = np.sort(columns(node, channels.size)[kept[id(channels)]].reshape(-1))
            matrix, more = fitted(at, read(node, wanted[id(node.source)]), seen, first)
            set_matrix(node, matrix, real_bias(node) + more)
        batch.run_node(node, values, count)
        batch.run_node(old, wanted, count)
