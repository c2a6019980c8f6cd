"""Models of float32 readings: what a reading may be, and every number that it may hold, on every backend."""

from __future__ import annotations

import math
from array import array
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import midge
import tree_graphs
from midge_host import backends
from midge_host.conversion import build
from midge_host.device import reference
from midge_host.frontends.sklearn.chain import Chain
from midge_host.ir import batch
from midge_host.ir.evaluate import Evaluator
from midge_host.ir.graph import Graph
from midge_host.ir.trees import Tree
from midge_host.quantize.features import with_int16_features

SPECIAL = [0.0, -0.0, 1e-45, -1e-45, 1e-39, 1.0, -1.0, 0.5, -2.5, 3.0, 3.4e38, -3.4e38, math.inf, -math.inf]
NAMES = tuple(tree_graphs.graphs())


def write(graph: Graph, folder: Path) -> Path:
    model = build(graph)
    model.golden_seed, model.labels = 1, []
    model.golden = reference.golden_values(model)
    path = folder / f"{graph.name}.midge"
    path.write_bytes(model.to_bytes())
    return path


def readings(graph: Graph, count: int, seed: int = 0) -> np.ndarray:
    """Ordinary numbers, special ones, and any bits."""
    rng = np.random.default_rng(seed)
    shape = (count, graph.inputs[0].tensor.size)
    bits = rng.integers(0, 1 << 32, shape, np.uint32).view(np.float32)
    special = rng.choice(np.array([*SPECIAL, math.nan], np.float32), shape)
    kinds = [rng.normal(size=shape).astype(np.float32), special, bits]
    x = np.choose(rng.choice(3, (count, 1), p=[0.5, 0.25, 0.25]), kinds)
    return x if graph.inputs[0].takes_nan else np.where(np.isnan(x), np.float32(7), x)


@pytest.mark.parametrize("backend", ["cpython", "portable", "micropython", "micropython-portable", "wasm"])
@pytest.mark.parametrize("name", NAMES)
def test_same_bits(name: str, backend: str, tmp_path: Path) -> None:
    if why := backends.problem(backend):
        pytest.skip(why)
    graph = tree_graphs.graphs()[name]
    path, x = write(graph, tmp_path), readings(graph, 3 if "portable" in backend else 12)
    wanted = backends.run("numpy", path, [x]).outputs[0]
    for weights in ("ram", "stream") if backend != "wasm" else ("ram",):
        got = backends.run(backend, path, [x], weights).outputs[0]
        np.testing.assert_array_equal(got.view(np.uint32), wanted.view(np.uint32))


@given(seed=st.integers(0, 1 << 32), splits=st.integers(0, 60), outputs=st.sampled_from([1, 3]), coded=st.booleans())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_trees(seed: int, splits: int, outputs: int, coded: bool, tmp_path: Path) -> None:
    """Trees of any form, with readings at their thresholds: the leaves that the graph comes to."""
    graph = tree_graphs.forest(outputs=outputs, trees=3, splits=splits, seed=seed)
    graph = tree_graphs.coded(graph) if coded else graph
    path, x = write(graph, tmp_path), readings(graph, 20, seed)
    evaluator = Evaluator(graph)
    wanted = [evaluator.predict([row[None]])[0] for row in x]
    for backend in ("cpython", "portable"):
        np.testing.assert_array_equal(backends.run(backend, path, [x]).outputs[0], wanted)


@pytest.mark.parametrize("backend", ["native", "portable"])
def test_kinds_of_readings(backend: str, tmp_path: Path) -> None:
    model = midge.load(str(write(tree_graphs.bayes(), tmp_path)), backend=backend)
    values = array("f", [0.1, -2.5, 3e-40, 7.0, 1e30])
    wanted = model.predict(values)
    for reading in (list(values), tuple(values), values.tobytes(), bytearray(values.tobytes()), [list(values)]):
        assert model.predict(reading) == wanted
    assert model.predict(array("d", values)) == wanted
    assert model.selftest()
    out = bytearray(16)
    model.predict_into(values, out)
    assert list(array("f", bytes(out))) == wanted
    for reading, error, words in (
        (values[:4], ValueError, "5"),
        (bytes(5), ValueError, "5"),
        ("hello", TypeError, "features"),
        ([1, 2, math.nan, 4, 5], ValueError, "not a number|NaN|nan"),
        (array("f", [1, 2, math.nan, 4, 5]), ValueError, "not a number|NaN|nan"),
    ):
        with pytest.raises(error, match=words):
            model.predict(reading)


def test_codes() -> None:
    """Codes are steps of a power of two, rounded up: where all thresholds lie on steps, each decides as before."""
    graph = tree_graphs.boosted(splits=40, seed=9)
    made, said = with_int16_features(graph)
    assert said[0] == "int16 features: all 24 thresholds are where they were"
    assert said[1].startswith("int16 features: leaves are rounded to multiples of")
    x = np.array(SPECIAL[:-1], np.float32)
    x = np.concatenate([np.nextafter(x, np.float32(np.inf)), x, np.nextafter(x, np.float32(-np.inf))])
    x = np.stack([np.random.default_rng(i).permutation(x) for i in range(4)], 1)
    trees, coded = graph.nodes[0], made.nodes[1]
    codes = batch.run(made, [x])[id(coded.source)][:, 0]
    for before, after in zip(trees.trees, coded.trees, strict=True):
        np.testing.assert_array_equal(before.leaves(x), after.leaves(codes))


def test_codes_of_close_thresholds() -> None:
    """What int16 cannot tell apart becomes one threshold, and is said; values far from 0 keep their distances."""
    for values, words in (
        (
            [0.0, 1e-6, 1.0],
            "1 of 3 thresholds moved, by at most 1e-06 of what those of their feature span; 1 became one",
        ),
        ([1e6, 1e6 + 0.0625, 1e6 + 2000.5], "all 3 thresholds are where they were"),
        ([16777215.0], "all 1 thresholds are where they were"),
        ([-(2.0**127), 2.0**127], "all 2 thresholds are where they were"),
        ([2.0**-126, 3 * 2.0**-127], "all 2 thresholds are where they were"),
        ([math.inf, -math.inf], "all 0 thresholds are where they were"),
    ):
        count = len(values)
        feature = np.array([0] * count + [-1] * (count + 1))
        left, right = np.arange(count) + count, np.arange(count) + 1
        left, right = (np.concatenate([side, np.zeros(count + 1, int)]) for side in (left, right))
        right[count - 1] = 2 * count
        threshold = np.concatenate([values, np.zeros(count + 1)]).astype(np.float32)
        chain = Chain("close", 1)
        tree = Tree(feature, threshold, left, right, np.zeros(2 * count + 1, bool), np.arange(2 * count + 1.0))
        chain.trees([tree], [0.0])
        graph, said = with_int16_features(chain.results())
        assert words in said[0]
        x = np.array(values, np.float32)
        x = np.concatenate([x, np.nextafter(x, np.float32(np.inf)), np.nextafter(x, np.float32(-np.inf))])[:, None]
        codes = batch.run(graph, [x])[id(graph.nodes[1].source)][:, 0]
        if "all" in words:
            np.testing.assert_array_equal(tree.leaves(x), graph.nodes[1].trees[0].leaves(codes))


def test_missing_values(tmp_path: Path) -> None:
    """A file says whether a reading may hold NaN."""
    model = midge.load(str(write(tree_graphs.forest(), tmp_path)))
    assert sum(model.predict([math.nan] * 5)) == pytest.approx(sum(model.predict(array("f", [math.nan] * 5))))


def test_trees_that_make_no_sense(tmp_path: Path) -> None:
    """Children that point back, leaves and features that are not there, grids of any fineness: native and portable code
    end, alike."""
    rng = np.random.default_rng(3)
    for name in ("forest", "boosted_classes", "forest_codes", "boosted_codes"):
        graph = tree_graphs.graphs()[name]
        model = build(graph)
        for _ in range(60):
            weights = bytearray(model.weights)
            x = readings(graph, 1, rng.integers(1 << 32))[0]
            for at in rng.integers(0, len(weights), rng.integers(1, 40)):
                weights[at] = rng.choice([0, 255, rng.integers(256)])
            arenas = []
            for module in (__import__("midge_trees"), __import__("midge._portable_trees", fromlist=["run"])):
                arena = bytearray(model.arena_bytes)
                at = model.inputs[0].offset
                arena[at : at + x.nbytes] = x.tobytes()
                assert module.run(model.program(), 0, len(model.records), arena, bytes(weights)) == 0
                arenas.append(arena)
            assert arenas[0] == arenas[1]
