"""Arithmetic on shapes and constants leaves nothing for the board."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tflm
from midge_host import backends
from midge_host.conversion import build
from midge_host.device import model_file
from midge_host.errors import MidgeError, UnsupportedError
from midge_host.frontends import tflite
from midge_host.ir import operators as ir
from midge_host.ir.evaluate import fold
from midge_host.ir.graph import Node, Tensor
from tflite_models import ModelBuilder


def test_computed_reshape(make_model) -> None:
    """Reshape and Flatten as Keras converts them: SHAPE, STRIDED_SLICE and PACK before RESHAPE."""
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


def constant(value: object) -> Tensor:
    data = np.array(value, I32)
    return Tensor("c", data.shape, "int32", data)


def of(kind: type[Node], *fields: str, **parameters: Any) -> Callable[..., Node]:
    """Makes an operator of tensors for `fields`."""

    def make(inputs: list[Tensor], output: Tensor) -> Node:
        return kind(name="layer", output=output, **dict(zip(fields, inputs, strict=True)), **parameters)

    return make


def of_several(kind: type[Node], axis: int) -> Callable[..., Node]:
    return lambda inputs, output: kind(name="layer", sources=inputs, output=output, axis=axis)


PAIR = ("first", "second")
# Operator, inputs, result.
FOLDS: dict[str, tuple[Callable[..., Node], list, object]] = {
    "add": (of(ir.Add, *PAIR), [[1, 2], [3, 4]], [4, 6]),
    "add and clamp": (of(ir.Add, *PAIR, activation=ir.Activation.RELU6), [[1, 2], [3, 5]], [4, 6]),
    "sub": (of(ir.Sub, *PAIR), [[1, 2], [3]], [-2, -1]),
    "mul": (of(ir.Mul, *PAIR), [[1, -2], [3, 4]], [3, -8]),
    "div": (of(ir.Div, *PAIR), [[7, -7], [2, 2]], [3, -3]),
    "floor_div": (of(ir.FloorDiv, *PAIR), [[7, -7], [2, 2]], [3, -4]),
    "maximum": (of(ir.Maximum, *PAIR), [[1, 5], [3, 4]], [3, 5]),
    "minimum": (of(ir.Minimum, *PAIR), [[1, 5], [3, 4]], [1, 4]),
    "concatenate": (of_several(ir.Concatenate, 0), [[1, 2], [3]], [1, 2, 3]),
    "stack": (of_several(ir.Stack, 1), [[1, 2], [3, 4]], [[1, 3], [2, 4]]),
    "slice": (of(ir.Slice, "source", index=(slice(1, 3),)), [[1, 2, 3, 4]], [2, 3]),
    "slice of all that follows": (of(ir.Slice, "source", index=(slice(1, None),)), [[1, 2, 3, 4]], [2, 3, 4]),
    "one element": (of(ir.Slice, "source", index=(-1,)), [[1, 2, 3, 4]], 4),
    "transpose": (of(ir.Transpose, "source", axes=(1, 0)), [[[1, 2], [3, 4]]], [[1, 3], [2, 4]]),
    "gather": (of(ir.Gather, "source", "indexes", axis=0), [[5, 6, 7], [2, 0]], [7, 5]),
    "fill": (of(ir.Broadcast, "source"), [9], [[9], [9]]),
    "range": (of(ir.Range, "start", "limit", "step"), [1, 7, 2], [1, 3, 5]),
    "reduce_prod": (of(ir.ReduceProd, "source", axes=(0,)), [[2, 3, 4]], 24),
    "reduce_max": (of(ir.ReduceMax, "source", axes=(0,), keep_dims=True), [[2, 9, 4]], [9]),
    "sum": (of(ir.Sum, "source", axes=(0,), keep_dims=True), [[2, 9, 4]], [15]),
    "cast": (of(ir.Cast, "source"), [[1, 2]], [1, 2]),
    "reshape": (of(ir.Reshape, "source"), [[1, 2]], [[1], [2]]),
    "broadcast": (of(ir.Broadcast, "source"), [[1, 2]], [[1, 2], [1, 2]]),
    "tile": (of(ir.Tile, "source"), [[1, 2]], [1, 2, 1, 2]),
    "pad": (of(ir.Pad, "source", paddings=((1, 2),), value=7), [[1, 2]], [7, 1, 2, 7, 7]),
}


@pytest.mark.parametrize("name", FOLDS)
def test_fold(name: str) -> None:
    make, inputs, result = FOLDS[name]
    expected = np.array(result, I32)
    output = Tensor("y", expected.shape, "int32")
    assert fold(make(list(map(constant, inputs)), output))
    assert output.data is not None and output.data.dtype == I32
    np.testing.assert_array_equal(output.data, expected)


@pytest.mark.parametrize(
    ("make", "inputs", "shape"),
    [
        (FOLDS["add"][0], [[1, 2], [1, 2, 3]], (2,)),
        (FOLDS["slice"][0], [[1, 2, 3]], (5,)),
        (FOLDS["gather"][0], [[1, 2], [2]], (1,)),
        (FOLDS["range"][0], [1, 7, 0], (3,)),
        (FOLDS["range"][0], [1, 1 << 30, 1], (3,)),
    ],
)
def test_what_does_not_fit_is_refused(make: Callable[..., Node], inputs: list, shape: tuple[int, ...]) -> None:
    with pytest.raises(UnsupportedError, match="layer 'layer'"):
        fold(make(list(map(constant, inputs)), Tensor("y", shape, "int32")))


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
