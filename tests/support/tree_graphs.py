"""Graphs of models of float32 readings, without the packages that train them."""

from __future__ import annotations

import numpy as np

from midge_host.frontends.sklearn.chain import Chain
from midge_host.ir.graph import Graph
from midge_host.ir.trees import ABOVE_ZERO, Tree
from midge_host.quantize.features import with_int16_features


def random_tree(
    rng: np.random.Generator, features: int, splits: int, outputs: int = 1, output: int = 0, grid: bool = True
) -> Tree:
    """A tree of so many splits, of any form. outputs: values of a leaf; several are shares of 1, many of them 0.
    grid: thresholds are numbers that readings are likely to hold, of both signs, 0 and infinity among them."""
    nodes: list[list[float]] = [[-1, 0, 0, 0]]
    leaves = [0]
    for _ in range(splits):
        at = leaves.pop(rng.integers(len(leaves)))
        threshold = rng.choice([-np.inf, -2.5, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0]) if grid else rng.normal()
        nodes[at] = [rng.integers(features), threshold, len(nodes), len(nodes) + 1]
        leaves += [len(nodes), len(nodes) + 1]
        nodes += [[-1, 0, 0, 0], [-1, 0, 0, 0]]
    table = np.array(nodes, np.float64)
    count = len(nodes)
    value = rng.normal(size=count)
    if outputs > 1:
        value = rng.integers(0, 4, (count, outputs)) * rng.integers(0, 2, (count, outputs))
        value = value / np.maximum(value.sum(1, keepdims=True), 1)
    feature, left, right = (table[:, i].astype(np.int64) for i in (0, 2, 3))
    return Tree(
        feature, table[:, 1].astype(np.float32), left, right, rng.integers(0, 2, count).astype(bool), value, output
    )


def forest(features: int = 5, outputs: int = 3, trees: int = 9, splits: int = 12, seed: int = 0) -> Graph:
    """Leaves of several values, as a random forest has them."""
    rng = np.random.default_rng(seed)
    chain = Chain("forest", features, takes_nan=True)
    chain.trees([random_tree(rng, features, splits, outputs) for _ in range(trees)], np.zeros(outputs))
    return chain.largest(trees)


def boosted(outputs: int = 1, single: bool = False, trees: int = 8, splits: int = 5, seed: int = 1) -> Graph:
    """A leaf's value goes to one of the sums, as in gradient boosting."""
    rng = np.random.default_rng(seed)
    chain = Chain("boosted", 4, takes_nan=True)
    made = [random_tree(rng, 4, splits * (i != 2), output=i % outputs) for i in range(trees)]
    chain.trees(made, rng.normal(size=outputs), single=single)
    if outputs == 1:
        return chain.threshold(ABOVE_ZERO, probabilities=True)
    return chain.largest(probabilities=True)


def perceptron(seed: int = 2) -> Graph:
    """Scaled values, and a layer for each activation."""
    rng = np.random.default_rng(seed)
    chain = Chain("perceptron", 6)
    chain.scale(rng.normal(size=6), rng.uniform(0.5, 2, 6), False, None)
    chain.scale(rng.normal(size=6), rng.normal(size=6), True, (-1.0, 1.5))
    sizes = [6, 7, 4, 30, 3]
    for count, inputs, activation in zip(sizes[1:], sizes, ("relu", "tanh", "logistic", "identity"), strict=False):
        chain.affine(rng.normal(size=(count, inputs)), rng.normal(size=count), activation)
    return chain.results(1.5)


def projected(seed: int = 3) -> Graph:
    """Trees behind an affine map."""
    rng = np.random.default_rng(seed)
    chain = Chain("projected", 6)
    chain.affine(rng.normal(size=(3, 6)), rng.normal(size=3), dtype="float32")
    chain.trees([random_tree(rng, 3, 6) for _ in range(4)], [0.5])
    return chain.threshold(0.25)


def neighbors(decimals: int | None = None, regression: bool = False, weighted: bool = False, seed: int = 4) -> Graph:
    """A table of several blocks; of float32 where its numbers are short."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(96, 5)) if decimals is None else rng.integers(-9, 9, (96, 5)) / 2**decimals
    chain = Chain("neighbors", 5)
    targets = rng.normal(size=96) if regression else rng.integers(0, 3, 96).astype(np.uint64)
    chain.nearest(table, targets, 4, 1 if regression else 3, weighted)
    whole = 1.0 if weighted else 4.0
    return chain.results(whole) if regression else chain.largest(whole)


def bayes(seed: int = 5) -> Graph:
    """Weighted distances from a centre for each class."""
    rng = np.random.default_rng(seed)
    chain = Chain("bayes", 5)
    chain.distances(rng.normal(size=(4, 5)), rng.uniform(0.1, 3, (4, 5)), rng.normal(size=4))
    return chain.largest(probabilities=True)


def coded(graph: Graph) -> Graph:
    """The same with int16 features."""
    return with_int16_features(graph)[0]


def graphs() -> dict[str, Graph]:
    """One for every operator and flag of the bank."""
    return {
        "forest": forest(),
        "boosted": boosted(),
        "boosted_classes": boosted(3),
        "boosted_single": boosted(2, single=True),
        "perceptron": perceptron(),
        "projected": projected(),
        "neighbors": neighbors(),
        "neighbors_float": neighbors(1),
        "neighbors_values": neighbors(regression=True),
        "neighbors_weighted": neighbors(1, weighted=True),
        "neighbors_mean": neighbors(regression=True, weighted=True),
        "bayes": bayes(),
        "forest_codes": coded(forest()),
        "boosted_codes": coded(boosted(3)),
    }
