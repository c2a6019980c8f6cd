"""Random graphs of floats, quantised by midge and written as .tflite: every backend gives TFLM's bytes.

200 graphs; MIDGE_FLOAT_GRAPHS=2000 draws more.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import float_graphs
import tflm
from midge_host import backends
from midge_host.conversion import build
from midge_host.frontends.tflite import to_tflite
from midge_host.ir.graph import Graph
from midge_host.quantize import Options, Precision, quantise
from midge_host.quantize.readings import encode

SEEDS = range(int(os.environ.get("MIDGE_FLOAT_GRAPHS", "200")))
CALIBRATION_ROWS, TEST_ROWS = 16, 4


def check(graph: Graph, precision: Precision, folder: Path, *names: str) -> None:
    readings = float_graphs.readings(graph, CALIBRATION_ROWS)
    made = quantise(graph, readings, Options(precision)).graph
    inputs = [
        encode(edge, rows[:TEST_ROWS]).reshape(TEST_ROWS, *edge.tensor.shape)
        for edge, rows in zip(made.inputs, readings, strict=True)
    ]
    expected = tflm.run(to_tflite(made), inputs)
    path = folder / "model.midge"
    path.write_bytes(build(made).to_bytes())
    for name in names:
        for wanted, found in zip(expected, backends.run(name, path, inputs).outputs, strict=True):
            np.testing.assert_array_equal(found.reshape(wanted.shape), wanted, err_msg=name)


@pytest.mark.parametrize("precision", ["int8", "int16"])
@pytest.mark.parametrize("name", float_graphs.MAKERS)
def test_quantised_layers(name: str, precision: Precision, tmp_path: Path) -> None:
    check(float_graphs.graph(name), precision, tmp_path, "cpython", "portable", "numpy")


@pytest.mark.parametrize("seed", SEEDS)
def test_random_graph(seed: int, tmp_path: Path) -> None:
    """Pure Python and a process of MicroPython take long: for some of the graphs."""
    some = [name for name, each in (("portable", 4), ("micropython", 20)) if seed % each == 0]
    check(float_graphs.random_graph(seed), "int16" if seed % 5 == 4 else "int8", tmp_path, "cpython", "numpy", *some)
