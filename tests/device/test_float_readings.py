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
from midge_host.ir.evaluate import Evaluator
from midge_host.ir.graph import Graph

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


@pytest.mark.parametrize("backend", ["cpython", "portable", "micropython", "micropython-portable"])
@pytest.mark.parametrize("name", NAMES)
def test_same_bits(name: str, backend: str, tmp_path: Path) -> None:
    if why := backends.problem(backend):
        pytest.skip(why)
    graph = tree_graphs.graphs()[name]
    path, x = write(graph, tmp_path), readings(graph, 3 if "portable" in backend else 12)
    wanted = backends.run("numpy", path, [x]).outputs[0]
    for weights in ("ram", "stream"):
        got = backends.run(backend, path, [x], weights).outputs[0]
        np.testing.assert_array_equal(got.view(np.uint32), wanted.view(np.uint32))


@given(seed=st.integers(0, 1 << 32), splits=st.integers(0, 60), outputs=st.sampled_from([1, 3]))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_trees(seed: int, splits: int, outputs: int, tmp_path: Path) -> None:
    """Trees of any form, with readings at their thresholds: the leaves that the graph comes to."""
    graph = tree_graphs.forest(outputs=outputs, trees=3, splits=splits, seed=seed)
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


def test_missing_values(tmp_path: Path) -> None:
    """A file says whether a reading may hold NaN."""
    model = midge.load(str(write(tree_graphs.forest(), tmp_path)))
    assert sum(model.predict([math.nan] * 5)) == pytest.approx(sum(model.predict(array("f", [math.nan] * 5))))


def test_trees_that_make_no_sense(tmp_path: Path) -> None:
    """Children that point back, leaves and features that are not there: native and portable code end, alike."""
    rng = np.random.default_rng(3)
    for graph in (tree_graphs.forest(), tree_graphs.boosted(3)):
        model = build(graph)
        x = readings(graph, 1)[0]
        for _ in range(60):
            weights = bytearray(model.weights)
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
