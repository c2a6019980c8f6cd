"""Arithmetic on shapes and constants leaves nothing for the board."""

from __future__ import annotations

import numpy as np
import pytest

import tflm
from midge_host import backends
from midge_host.convert import build
from midge_host.device import model_file
from midge_host.errors import MidgeError, UnsupportedError
from midge_host.frontends import tflite
from midge_host.ir.graph import Graph, Node, Tensor
from midge_host.passes.folding import fold_constants
from tflite_models import ModelBuilder


def test_computed_reshape(make_model) -> None:
    """What Keras makes of Reshape and Flatten: SHAPE, STRIDED_SLICE and PACK before RESHAPE."""
    m = ModelBuilder()
    x = m.tensor((1, 4, 6), quant=(0.05, 3))
    shape = m.tensor((3,), "int32")
    m.op("SHAPE", [x], [shape], 1, "ShapeOptions", OutType=2)
    batch, size, y = m.tensor((), "int32"), m.tensor((2,), "int32"), m.tensor((1, 24), quant=(0.05, 3))
    ends = [m.constant(np.array([v], np.int32)) for v in (0, 1, 1)]
    m.op("STRIDED_SLICE", [shape, *ends], [batch], 1, "StridedSliceOptions", ShrinkAxisMask=1)
    m.op("PACK", [batch, m.constant(np.array(24, np.int32))], [size], 1, "PackOptions", ValuesCount=2)
    m.op("RESHAPE", [x, size], [y])
    data = m.build([x], [m.relu(y, (0.04, 5))])
    readings = np.random.default_rng(0).integers(-128, 128, (5, 1, 4, 6)).astype(np.int8)
    path = make_model(data)
    assert [model_file.read(path).operator(0).name] == ["LUT"]
    for name in ("numpy", "cpython"):
        np.testing.assert_array_equal(backends.run(name, path, [readings]).outputs[0], tflm.run(data, [readings])[0])


I32 = np.int32
# Kind, options, inputs, result.
FOLDS = [
    ("ADD", {}, [[1, 2], [3, 4]], [4, 6]),
    ("SUB", {}, [[1, 2], [3]], [-2, -1]),
    ("MUL", {}, [[1, -2], [3, 4]], [3, -8]),
    ("DIV", {}, [[7, -7], [2, 2]], [3, -3]),
    ("FLOOR_DIV", {}, [[7, -7], [2, 2]], [3, -4]),
    ("MAXIMUM", {}, [[1, 5], [3, 4]], [3, 5]),
    ("MINIMUM", {}, [[1, 5], [3, 4]], [1, 4]),
    ("CONCATENATION", {"axis": 0}, [[1, 2], [3]], [1, 2, 3]),
    ("PACK", {"axis": 1}, [[1, 2], [3, 4]], [[1, 3], [2, 4]]),
    ("SLICE", {}, [[1, 2, 3, 4], [1], [2]], [2, 3]),
    ("SLICE", {}, [[1, 2, 3, 4], [1], [-1]], [2, 3, 4]),
    ("TRANSPOSE", {}, [[[1, 2], [3, 4]], [1, 0]], [[1, 3], [2, 4]]),
    ("GATHER", {"axis": 0}, [[5, 6, 7], [2, 0]], [7, 5]),
    ("FILL", {}, [[2, 1], 9], [[9], [9]]),
    ("RANGE", {}, [1, 7, 2], [1, 3, 5]),
    ("REDUCE_PROD", {"keep_dims": False}, [[2, 3, 4], [0]], 24),
    ("REDUCE_MAX", {"keep_dims": True}, [[2, 9, 4], [0]], [9]),
    ("SUM", {"keep_dims": True}, [[2, 9, 4], [-1]], [15]),
    ("CAST", {}, [[1, 2]], [1, 2]),
    ("RESHAPE", {}, [[1, 2], [2, 1]], [[1], [2]]),
    ("BROADCAST_TO", {}, [[1, 2], [2, 2]], [[1, 2], [1, 2]]),
    ("TILE", {}, [[1, 2], [2]], [1, 2, 1, 2]),
]


def constant(value: object) -> Tensor:
    data = np.array(value, I32)
    return Tensor("c", data.shape, "int32", data)


@pytest.mark.parametrize(("kind", "options", "inputs", "result"), FOLDS, ids=[f[0] for f in FOLDS])
def test_fold(kind: str, options: dict, inputs: list, result: object) -> None:
    expected = np.array(result, I32)
    output = Tensor("y", expected.shape, "int32")
    graph = Graph("g", [Node(kind, "layer", list(map(constant, inputs)), [output], options)], [], [])
    fold_constants(graph)
    assert not graph.nodes
    np.testing.assert_array_equal(output.data, expected)


@pytest.mark.parametrize(
    ("kind", "inputs", "shape"), [("ADD", [[1, 2], [1, 2, 3]], (2,)), ("SLICE", [[1, 2], [0], [2]], (5,))]
)
def test_what_does_not_fit_is_refused(kind: str, inputs: list, shape: tuple[int, ...]) -> None:
    output = Tensor("y", shape, "int32")
    graph = Graph("g", [Node(kind, "layer", list(map(constant, inputs)), [output])], [], [])
    with pytest.raises(UnsupportedError, match="layer 'layer'"):
        fold_constants(graph)


def test_a_computed_input_stays() -> None:
    m = ModelBuilder()
    x = m.tensor((1, 4), quant=(0.05, 3))
    c = m.constant(np.array([[1, 2, 3, 4]], np.int8), quant=(0.05, 0))
    data = m.build([x], [m.add(x, c, quant=(0.1, 0))])
    model = build(tflite.load_tflite(data, "m.tflite"))
    assert [model.operator(i).name for i in range(2)] == ["CONSTANT", "ARITHMETIC"]


def test_tables_of_tables_are_one(make_model) -> None:
    """Scaling a reading by constants before an activation costs nothing."""
    m = ModelBuilder()
    x = m.tensor((1, 256), quant=(0.05, 3))
    half = m.constant(np.array(64, np.int8), quant=(1 / 128, 0))
    y = m.add(
        m.mul(half, x, quant=(0.03, -4)), m.constant(np.full((1, 256), 9, np.int8), quant=(0.01, 1)), quant=(0.04, 0)
    )
    data = m.build([x], [m.tanh(y)])
    readings = np.arange(-128, 128, dtype=np.int8).reshape(1, 1, 256)
    path = make_model(data)
    assert [model_file.read(path).operator(0).name] == ["LUT"] and len(model_file.read(path).records) == 1
    np.testing.assert_array_equal(backends.run("cpython", path, [readings]).outputs[0], tflm.run(data, [readings])[0])


def test_a_constant_output_is_refused() -> None:
    m = ModelBuilder()
    x, shape = m.tensor((1, 4), quant=(0.05, 3)), m.tensor((2,), "int32")
    m.op("SHAPE", [x], [shape], 1, "ShapeOptions", OutType=2)
    data = m.build([x], [m.relu(x), shape])
    with pytest.raises(MidgeError, match="is a constant"):
        build(tflite.load_tflite(data, "m.tflite"))
