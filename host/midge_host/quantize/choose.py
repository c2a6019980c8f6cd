"""Which range each tensor gets: the method whose integers come closest to the outputs of floats."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..ir.graph import Graph, Node, Quantization
from .calibrate import Calibration, Histogram
from .groups import Group, Groups, computes, may_be_wide
from .integers import Integers
from .judge import Judge
from .ranges import METHODS, Range, find_range, one_scale, to_quantization
from .readings import Normalisation

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
        self.methods = {id(g): METHODS[0] for g in self.groups.all()}

    def _histogram(self, group: Group) -> Histogram:
        known = [self.calibration.of(t) for t in group.tensors]
        merged = known[0]
        for other in known[1:]:
            merged = merged.merged(other)
        return merged

    def free(self) -> list[Group]:
        """Those whose range is a question: inputs span what calibration says."""
        return [g for g in self.groups.all() if not g.fixed and g.dtype == "int8" and id(g) not in self._inputs]

    def scale(self, group: Group) -> Quantization:
        if group.fixed:
            return one_scale(*group.fixed)
        histogram = self._histograms[id(group)]
        low, high = find_range(histogram, self.methods[id(group)], group.dtype)
        if id(group) in self._inputs:
            low, high = _natural(low, high)
        return to_quantization(low, high, group.dtype)

    def integers(self) -> Integers:
        scales = {id(g): self.scale(g) for g in self.groups.all()}
        made = Integers(self.graph, self.groups, scales, self.calibration.histograms, self.normalisations)
        made.translate()
        return made


def _natural(low: float, high: float) -> Range:
    for least, largest in _NATURAL:
        inside = least <= low and high <= largest
        if inside and high >= _FILLS * largest and (not least or low <= _FILLS * least):
            return least, largest
    return low, high


def choose(scales: Scales, judge: Judge) -> tuple[Integers, float]:
    """The best graph in integers and its error; sets the methods of `scales`."""
    free = scales.free()
    best: tuple[float, str, Integers] | None = None
    for method in METHODS if free else METHODS[:1]:
        scales.methods |= dict.fromkeys(map(id, free), method)
        made = scales.integers()
        error = judge.settle(made)
        if best is None or error < best[0]:
            best = error, method, made
    assert best is not None
    error, method, made = best
    scales.methods |= dict.fromkeys(map(id, free), method)
    return made, error


def widen(
    graph: Graph, calibration: Calibration, normalisations: Mapping[int, Normalisation], judge: Judge, error: float
) -> tuple[set[int], float]:
    """The layers, by their ids, that need 16-bit activations so that the outputs come up to GOOD, and what is left of
    the error, which is `error` with 8 bits. From all that can have them, those give them back that lose least alone, as
    long as the outputs stay as good."""

    def tried(wide: set[int]) -> float:
        scales = Scales(graph, calibration, lambda node: "int16" if id(node) in wide else "int8", normalisations)
        return judge.settle(scales.integers())

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
