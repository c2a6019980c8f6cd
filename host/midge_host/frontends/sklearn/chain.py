"""The graph of a model of one float32 reading, built layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...ir import operators as ir
from ...ir.graph import Edge, Graph, Node, Tensor
from ...ir.trees import Tree


class Chain:
    """Layers upon an input of `features` float32 values; `tensor` is what the last of them gives."""

    def __init__(self, name: str, features: int, takes_nan: bool = False) -> None:
        self.name = name
        self.nodes: list[Node] = []
        self.tensor = self.input = Tensor("features", (1, features), "float32")
        self.takes_nan = takes_nan

    def trees(self, trees: Sequence[Tree], bias: Sequence[float] | np.ndarray, single: bool = False) -> None:
        """Sums of what the trees' leaves hold."""
        sums = np.asarray(bias, np.float64)
        source, output = self._next("trees", sums.size, "float64")
        self.nodes.append(
            ir.TreeSums(name="trees", source=source, output=output, trees=list(trees), bias=sums, single=single)
        )

    def affine(
        self, weights: np.ndarray, bias: np.ndarray, activation: str = "identity", dtype: str = "float64"
    ) -> None:
        """activation(bias + weights @ values)."""
        source, output = self._next(f"dense_{len(self.nodes)}", len(bias), dtype)
        weights, bias = np.asarray(weights, np.float32), np.asarray(bias, np.float64)
        self.nodes.append(
            ir.Affine(name=output.name, source=source, output=output, weights=weights, bias=bias, activation=activation)
        )

    def distances(self, centres: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> None:
        """bias - the weighted squares of the distances from centres."""
        source, output = self._next("distances", len(bias), "float64")
        self.nodes.append(
            ir.Distances(
                name="distances",
                source=source,
                output=output,
                bias=np.asarray(bias, np.float64),
                centres=np.asarray(centres, np.float32),
                weights=np.asarray(weights, np.float32),
            )
        )

    def scale(
        self, first: np.ndarray, second: np.ndarray, multiplies: bool, limits: tuple[float, float] | None
    ) -> None:
        """float32 values, scaled each in its own way."""
        source, output = self._next(f"scale_{len(self.nodes)}", self.tensor.size, "float32")
        self.nodes.append(
            ir.Scale(
                name=output.name,
                source=source,
                output=output,
                multiplies=multiplies,
                limits=limits,
                first=np.asarray(first, np.float64),
                second=np.asarray(second, np.float64),
            )
        )

    def nearest(
        self, table: np.ndarray, targets: np.ndarray, neighbors: int, outputs: int, weighted: bool = False
    ) -> None:
        """The votes of the nearest rows: counts of classes for targets of uint64, the sum for those of float64;
        weighted: by 1 / distance, and divided by the sum of the weights."""
        source, found = self._next("nearest", 2 * neighbors, "float64")
        found.shape = (neighbors, 2)
        table = np.asarray(table, np.float64)
        self.nodes.append(
            ir.Nearest(name="nearest", source=source, output=found, table=table, targets=targets, neighbors=neighbors)
        )
        source, output = self._next("votes", outputs, "float64")
        self.nodes.append(
            ir.Votes(name="votes", source=source, output=output, values=targets.dtype == np.float64, weighted=weighted)
        )

    def results(self, divisor: float = 1.0) -> Graph:
        """The graph whose output is the sums / divisor."""
        return self._scores(ir.Decision.NONE, self.tensor.size, divisor=divisor)

    def largest(self, divisor: float = 1.0, probabilities: bool = False) -> Graph:
        """The graph of a classifier: its class is that of the largest sum."""
        return self._scores(ir.Decision.LARGEST, self.tensor.size, divisor=divisor, probabilities=probabilities)

    def threshold(self, threshold: float, divisor: float = 1.0, probabilities: bool = False) -> Graph:
        """The graph of a classifier with one sum: its class is the second where that is not below the threshold."""
        return self._scores(ir.Decision.THRESHOLD, 2, threshold=threshold, divisor=divisor, probabilities=probabilities)

    def _scores(
        self,
        decision: ir.Decision,
        outputs: int,
        divisor: float,
        threshold: float = 0.0,
        probabilities: bool = False,
    ) -> Graph:
        source, output = self._next("scores", outputs, "float32")
        self.nodes.append(
            ir.Scores(
                name="scores",
                source=source,
                output=output,
                decision=decision,
                divisor=divisor,
                threshold=threshold,
                probabilities=probabilities,
            )
        )
        edge = Edge(self.input, "float32", self.input.name, takes_nan=self.takes_nan)
        return Graph(self.name, self.nodes, [edge], [Edge.of(self.tensor)])

    def _next(self, name: str, size: int, dtype: str) -> tuple[Tensor, Tensor]:
        """What the layer reads, and what it gives."""
        source, self.tensor = self.tensor, Tensor(name, (1, size), dtype)
        return source, self.tensor
