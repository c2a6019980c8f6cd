"""Graphs of features of windows of samples, and windows to compute them of."""

from __future__ import annotations

import numpy as np

from midge_host import series as recipes
from midge_host.frontends.sklearn.chain import Chain
from midge_host.ir.graph import Edge, Graph, Quantization, Tensor
from midge_host.ir.operators import SeriesFilter
from tree_graphs import random_tree

_ONE = Quantization(np.ones(1, np.float32), np.zeros(1, np.int64))
EVERY = "mean,std,min,max,range,rms,diff,crossings,median"


def features(recipe: str, window: int, channels: int, rate: float | None = None) -> Graph:
    """A graph whose outputs are the features."""
    made = recipes.parse(recipe, rate)
    chain = Chain("series", channels * len(made.kinds))
    chain.scale(np.ones(chain.input.size), np.zeros(chain.input.size), True, None)
    graph = chain.results()
    graph.nodes.pop()  # the scores
    graph.outputs[0].tensor = graph.nodes[-1].output
    return recipes.with_features(graph, made, window)


def quantised(recipe: str, window: int, channels: int, dtype: str) -> Graph:
    """A graph whose outputs are the features as int8 or int16, each with a scale of its own; zero points far away."""
    made, rng = recipes.parse(recipe), np.random.default_rng(3)
    size = channels * len(made.kinds)
    scales = (10 ** rng.uniform(-3, 3, size)).astype(np.float32)
    zero_points = rng.integers(-40000, 40000, size) // 10 ** rng.integers(0, 5, size)
    target = Tensor("features", (1, size), dtype, quantization=_ONE)
    edge = Edge(target, dtype, target.name, reading=Quantization(scales, zero_points, -1))
    return recipes.with_features(Graph("quantised", [], [edge], [Edge.of(target)]), made, window)


def filters(sections: np.ndarray, window: int, channels: int) -> Graph:
    """A graph whose output are the filtered samples."""
    source, output = (
        Tensor(name, (1, window, channels), "int16", quantization=_ONE) for name in ("samples", "filtered")
    )
    node = SeriesFilter(name="filter", source=source, output=output, sections=sections)
    return Graph("filter", [node], [Edge.of(source)], [Edge.of(output)])


def forest(recipe: str, window: int, channels: int, rate: float | None = None) -> Graph:
    rng = np.random.default_rng(4)
    made = recipes.parse(recipe, rate)
    chain = Chain("motion", channels * len(made.kinds))
    chain.trees([random_tree(rng, chain.input.size, 6, 3) for _ in range(3)], np.zeros(3))
    return recipes.with_features(chain.largest(3), made, window)


def graphs() -> dict[str, Graph]:
    """Of every operator of the bank."""
    return {
        "motion": forest("mean,bands:3,std", 10, 2),
        "motion_statistics": forest("crossings,rms,median", 7, 1),
        "motion_filtered": forest("highpass:3,lowpass:20,std,max", 9, 2, 100),
        "motion_int8": quantised("std,bands:2,max", 6, 2, "int8"),
        "motion_int16": quantised("mean,range", 5, 1, "int16"),
    }


def windows(rows: int, channels: int) -> np.ndarray:
    """(windows, rows, channels) int16: noise of several sizes, ramps, tones, the ends of int16, constants."""
    rng = np.random.default_rng(rows)
    time = np.arange(rows)[:, None] + 3 * np.arange(channels)
    made = [rng.integers(-size, size, (rows, channels)) for size in (2, 40, 3000, 32768)]
    made += [np.full((rows, channels), value) for value in (0, 1, -1, 32767, -32768)]
    made += [np.where(time % 2, 32767, -32768), np.where(time // 3 % 2, -32768, 32767), time * 7 - 300]
    made += [4096 + 900 * np.sin(time * turn) for turn in (0.1, 0.7, 2.9)]
    return np.clip(made, -32768, 32767).astype(np.int16)
