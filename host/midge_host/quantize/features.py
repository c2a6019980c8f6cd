"""Trees with int16 features: thresholds on a grid of each feature's own, leaves in 16 bits or fewer."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import numpy as np

from ..errors import MidgeError
from ..ir import operators as ir
from ..ir.graph import Graph, Tensor
from ..ir.trees import ABOVE_ZERO, CODE_LIMIT, MISSING, ZERO_UNIT, Tree

SPAN = 65520  # codes that the thresholds of a feature may take
FARTHEST = (1 << 25) - (1 << 16)  # of a code before its zero is taken off
SHARES = 255  # steps of the values in lists
CURE = ": convert it without --features int16"


@dataclass
class _Grid:
    """Codes of a feature: x * 2^exponent - zero. codes: of the thresholds, which are distinct and in order."""

    thresholds: np.ndarray
    codes: np.ndarray
    exponent: int = 0
    zero: int = 0

    def code_of(self, threshold: np.ndarray) -> np.ndarray:
        ends = np.where(threshold > 0, CODE_LIMIT, MISSING)
        if not len(self.codes):
            return ends
        place = np.searchsorted(self.thresholds, threshold).clip(max=len(self.codes) - 1)
        return np.where(np.isinf(threshold), ends, self.codes[place] - self.zero)

    @property
    def moves(self) -> np.ndarray:
        """How far each threshold is from where it was."""
        return np.abs(np.ldexp(self.codes.astype(np.float64), -self.exponent) - self.thresholds)


def with_int16_features(graph: Graph) -> tuple[Graph, list[str]]:
    """A copy of a graph of trees that compares int16 codes, and what that changed, in words.

    Raises MidgeError for a graph without trees, UnsupportedError for one whose leaves do not fit."""
    made = deepcopy(graph)
    sums = [node for node in made.nodes if isinstance(node, ir.TreeSums)]
    if not sums:
        raise MidgeError(f"{graph.name}: --features int16 is for trees, and it has none; leave the option out")
    said = []
    for node in sums:
        grids = _grids(node)
        codes = Tensor(f"{node.name}_codes", node.source.shape, "int16")
        made.nodes.insert(made.nodes.index(node), _codes(node, grids, codes))
        node.source = codes
        for tree in node.trees:
            tree.threshold = _thresholds(tree, grids)
        said += [_moved(grids), *_round_leaves(made, node)]
    return made, said


def _grids(node: ir.TreeSums) -> list[_Grid]:
    feature = np.concatenate([tree.feature for tree in node.trees])
    threshold = np.concatenate([tree.threshold for tree in node.trees]).astype(np.float64)
    finite = np.isfinite(threshold)
    return [_grid(np.unique(threshold[finite & (feature == i)])) for i in range(node.source.size)]


def _grid(thresholds: np.ndarray) -> _Grid:
    """The coarsest grid that has all thresholds on it; where int16 is too short for that, the finest that it holds."""
    if not len(thresholds):
        return _Grid(thresholds, np.zeros(0, np.int64))
    exponent = min(_exact_exponent(thresholds), 127)
    while True:
        codes = np.floor(np.ldexp(thresholds, exponent) + 0.5)
        if np.ptp(codes) <= SPAN and np.abs(codes).max() <= FARTHEST:
            break
        exponent -= 1
    middle = int(codes[0] + codes[-1]) // 2
    return _Grid(thresholds, codes.astype(np.int64), exponent, middle // ZERO_UNIT * ZERO_UNIT)


def _exact_exponent(thresholds: np.ndarray) -> int:
    """The least that makes whole numbers of all of them."""
    mantissas, exponents = np.frexp(thresholds[thresholds != 0])
    whole = np.ldexp(mantissas, 24).astype(np.int64)  # float32 has no more bits
    zeros = np.log2(whole & -whole).astype(np.int64)
    return int((24 - exponents - zeros).max(initial=0 if not len(whole) else -127))


def _codes(node: ir.TreeSums, grids: list[_Grid], output: Tensor) -> ir.Codes:
    exponents, zeros = (np.array(numbers) for numbers in zip(*((g.exponent, g.zero) for g in grids), strict=True))
    return ir.Codes(name=output.name, source=node.source, output=output, exponents=exponents, zeros=zeros)


def _thresholds(tree: Tree, grids: list[_Grid]) -> np.ndarray:
    found = tree.threshold.copy()
    for i in np.unique(tree.feature[tree.feature >= 0]):
        of = tree.feature == i
        found[of] = grids[i].code_of(tree.threshold[of].astype(np.float64))
    return found


def _moved(grids: list[_Grid]) -> str:
    count = sum(len(grid.codes) for grid in grids)
    moved = sum(int((grid.moves > 0).sum()) for grid in grids)
    if not moved:
        return f"int16 features: all {count:,} thresholds are where they were"
    share = max(grid.moves.max() / np.ptp(grid.thresholds) for grid in grids if grid.moves.any())
    merged = sum(len(grid.codes) - len(np.unique(grid.codes)) for grid in grids)
    together = f"; {merged:,} became one with others" if merged else ""
    far = f"by at most {share:.2g} of what those of their feature span"
    return f"int16 features: {moved:,} of {count:,} thresholds moved, {far}{together}"


def _round_leaves(graph: Graph, node: ir.TreeSums) -> list[str]:
    """Whole numbers in the leaves, which what reads the sums divides again."""
    leaves = np.concatenate([tree.value[tree.feature < 0] for tree in node.trees])
    lists = leaves.ndim == 2
    if lists and leaves.min() < 0:
        raise node.refuse("its leaves hold lists of negative values", "convert it without --features int16")
    unit = float(np.abs(leaves).max()) / (SHARES if lists else CODE_LIMIT) or 1.0
    for tree in node.trees:
        tree.value = np.round(tree.value / unit)
        tree.value[tree.feature >= 0] = 0
    node.bias, node.single = node.bias / unit, False
    for reader in graph.nodes:
        if isinstance(reader, ir.Scores) and reader.source is node.output:
            reader.divisor /= unit
            if reader.threshold != ABOVE_ZERO:
                reader.threshold /= unit
    change = float(np.abs(np.round(leaves / unit) * unit - leaves).max())
    if change <= 1e-9 * unit:
        return []
    return [f"int16 features: leaves are rounded to multiples of {unit:.2g}"]
