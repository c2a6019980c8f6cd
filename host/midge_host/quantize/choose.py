"""Which range each tensor gets: the method whose integers come closest to the outputs of floats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter

from ..ir.graph import Graph, Node, Quantization
from .calibrate import Calibration, Histogram
from .groups import Group, Groups, computes, may_be_wide
from .integers import Integers
from .judge import Judge
from .ranges import METHODS, ROOMS, Method, Range, one_scale, to_quantization
from .readings import Normalisation, normalisations

# Inputs mostly come from sensors whose ends are known: calibration that nearly fills such a range means it.
_NATURAL: tuple[Range, ...] = ((0, 1), (-1, 1), (0, 255), (-128, 127))
_FILLS = 0.8
GOOD = 25.0  # decibels of the outputs, from which on 8 bits are enough
MAX_TRIALS = 64


class Scales:
    """Scales for the groups of one graph."""

    def __init__(
        self,
        graph: Graph,
        calibration: Calibration,
        widths: Callable[[Node], str],
        normalisations: Mapping[int, Normalisation],
    ) -> None:
        self.graph, self.calibration, self.normalisations = graph, calibration, normalisations
        self.groups = Groups(graph, widths, normalisations)
        self._inputs = {id(self.groups.of(e.tensor)) for e in graph.inputs if e.tensor.dtype == "float32"}
        self._histograms = {id(g): self._histogram(g) for g in self.groups.all()}
        self.method = Method()
        self.free = [g for g in self.groups.all() if not g.fixed and g.dtype == "int8" and id(g) not in self._inputs]

    def _histogram(self, group: Group) -> Histogram:
        known = [self.calibration.of(t) for t in group.tensors]
        merged = known[0]
        for other in known[1:]:
            merged = merged.merged(other)
        return merged

    def scale(self, group: Group) -> Quantization:
        if group.fixed:
            return one_scale(*group.fixed)
        histogram = self._histograms[id(group)]
        if id(group) in self._inputs:
            low, high = _natural(histogram.low, histogram.high)
        elif group in self.free:
            low, high = self.method.range(histogram, group.dtype)
        else:
            low, high = histogram.low, histogram.high
        return to_quantization(low, high, group.dtype)

    def integers(self) -> Integers:
        scales = {id(g): self.scale(g) for g in self.groups.all()}
        made = Integers(self.graph, self.groups, scales, self.calibration.histograms, self.normalisations)
        made.translate()
        return made


@dataclass(frozen=True)
class Activations:
    """How activations become integers: the method of their ranges, and the numbers of the layers that have 16 bits."""

    method: Method
    wide: frozenset[int] = frozenset()

    def scales(self, reference: Graph, calibration: Calibration) -> Scales:
        wide = {id(reference.nodes[i]) for i in self.wide}

        def widths(node: Node) -> str:
            return "int16" if id(node) in wide else "int8"

        scales = Scales(reference, calibration, widths, normalisations(reference))
        scales.method = self.method
        return scales


def _natural(low: float, high: float) -> Range:
    for least, largest in _NATURAL:
        inside = least <= low and high <= largest
        if inside and high >= _FILLS * largest and (not least or low <= _FILLS * least):
            return least, largest
    return low, high


def choose(scales: Scales, judge: Judge) -> tuple[Method, float]:
    """The method whose integers are nearest to floats on readings which they were not made from, and their error.

    Without such readings all have what they need: no range is made wider."""

    def tried(method: Method) -> tuple[float, Method]:
        return error_of(scales, method, judge), method

    if not scales.free:
        method = Method()
        return method, error_of(scales, method, judge)
    error, method = min((tried(Method(name)) for name in METHODS), key=itemgetter(0))
    for room in ROOMS if judge.has_others else ():
        found = tried(Method(method.name, room))
        if found[0] >= error:
            break
        error, method = found
    return method, error


def error_of(scales: Scales, method: Method, judge: Judge) -> float:
    scales.method = method
    return judge.settle(scales.integers())


def widen(
    graph: Graph,
    calibration: Calibration,
    normalisations: Mapping[int, Normalisation],
    method: Method,
    judge: Judge,
    error: float,
) -> tuple[set[int], float]:
    """The layers, by their ids, that need 16-bit activations so that the outputs come up to GOOD, and what is left of
    the error, which is `error` with 8 bits. From all that can have them, those give them back that lose least alone, as
    long as the outputs stay as good."""

    def tried(wide: set[int]) -> float:
        scales = Scales(graph, calibration, lambda node: "int16" if id(node) in wide else "int8", normalisations)
        return error_of(scales, method, judge)

    order = [id(n) for n in graph.nodes if computes(n) and may_be_wide(n)]
    wide = set(order)
    left = tried(wide)
    if left >= error:
        return set(), error
    enough = max(left, 10 ** (-GOOD / 10))
    without = {key: tried(wide - {key}) for key in order[:MAX_TRIALS]}
    for key in sorted(without, key=lambda k: without[k]):
        narrower = tried(wide - {key})
        if narrower <= enough:
            wide, left = wide - {key}, narrower
    return wide, left
