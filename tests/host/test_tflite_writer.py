"""Graphs written as .tflite files: TensorFlow Lite Micro computes the same bytes with them, and reading them again
gives the same graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference_models
from numpy.random import default_rng

import operator_cases
import tflm
from midge_host.errors import UnsupportedError
from midge_host.frontends.tflite import load_tflite, to_tflite
from midge_host.ir import operators as ir
from midge_host.ir.builder import Builder
from midge_host.ir.evaluate import Evaluator
from midge_host.ir.graph import Graph, Node, Quantization, Tensor
from midge_host.ir.operators import Padding

# The first and the last of each kind: plain ones, and ones with unusual numbers.
CASES = {case.operator: case for case in reversed(operator_cases.CASES)}
SAMPLE = {case.name: case for case in [*CASES.values(), *{c.operator: c for c in operator_cases.CASES}.values()]}


@pytest.mark.parametrize("case", SAMPLE.values(), ids=list(SAMPLE))
def test_operators_keep_their_bytes(case: operator_cases.Case) -> None:
    graph = load_tflite(case.tflite, "m.tflite")
    written = to_tflite(graph)
    assert_same(load_tflite(written, "m.tflite"), graph)
    run = tflm.run_tensorflow_lite if case.operator in operator_cases.BEYOND_TFLM else tflm.run
    for want, got in zip(case.expected(), run(written, case.inputs), strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", reference_models.MODELS)
def test_models_keep_their_bytes(shared_data: Path, name: str) -> None:
    data = (shared_data / "models" / f"{name}.tflite").read_bytes()
    graph = load_tflite(data, "m.tflite")
    written = to_tflite(graph)
    assert_same(load_tflite(written, "m.tflite"), graph)
    rng = default_rng(5)
    readings = [_reading(rng, edge.tensor) for edge in graph.inputs]
    for want, got in zip(tflm.run(data, readings), tflm.run(written, readings), strict=True):
        np.testing.assert_array_equal(got, want)


def _reading(rng: np.random.Generator, tensor: Tensor) -> np.ndarray:
    if tensor.dtype == "float32":
        return rng.uniform(-1, 1, (2, *tensor.shape)).astype(np.float32)
    limits = np.iinfo(tensor.dtype)
    return rng.integers(limits.min, limits.max + 1, (2, *tensor.shape)).astype(tensor.dtype)


def assert_same(graph: Graph, expected: Graph) -> None:
    """The same layers with the same tensors in the same places."""
    assert [type(n) for n in graph.nodes] == [type(n) for n in expected.nodes]
    tensors: dict[int, Tensor] = {}

    def same(got: Any, want: Any, where: str) -> None:
        if isinstance(want, Tensor):
            assert tensors.setdefault(id(want), got) is got or want.data is not None, where
            _assert_same_tensor(got, want, where)
        elif isinstance(want, list):
            assert len(got) == len(want), where
            for a, b in zip(got, want, strict=True):
                same(a, b, where)
        else:
            assert got == want, where

    for node, like in zip(graph.nodes, expected.nodes, strict=True):
        for field in fields(like):
            if field.name in ("name", "kind"):
                continue
            got, want = getattr(node, field.name), getattr(like, field.name)
            if field.name == "index":
                got, want = _elements(node), _elements(like)
            same(got, want, f"{like.name}.{field.name}")
    for edges, wanted in ((graph.inputs, expected.inputs), (graph.outputs, expected.outputs)):
        for edge, want in zip(edges, wanted, strict=True):
            assert (edge.name, edge.dtype) == (want.name, want.dtype)
            same(edge.tensor, want.tensor, want.name)
    assert {k: v.tolist() for k, v in graph.variables.items()} == {k: v.tolist() for k, v in expected.variables.items()}


def _elements(node: Node) -> list[int]:
    assert isinstance(node, ir.Slice)
    return np.arange(node.source.size).reshape(node.source.shape)[node.index].reshape(-1).tolist()


def _assert_same_tensor(got: Tensor, want: Tensor, where: str) -> None:
    assert (got.shape, got.dtype, got.is_variable) == (want.shape, want.dtype, want.is_variable), where
    assert (got.data is None) == (want.data is None), where
    if want.data is not None:
        np.testing.assert_array_equal(got.data, want.data)
    if want.quantization is not None:
        np.testing.assert_array_equal(got.scale, want.scale)
        np.testing.assert_array_equal(got.zero_point, want.zero_point)


# What TensorFlow Lite says in other ways than the IR: each is run in floats.

Make = Callable[[Builder, Tensor, np.random.Generator], Tensor]


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(0, 1, shape).astype(np.float32)


def _conv(strides: ir.Pair, padding: Padding, dilations: ir.Pair = (1, 1)) -> Make:
    def make(b: Builder, x: Tensor, rng: np.random.Generator) -> Tensor:
        window: dict[str, Any] = {"strides": strides, "padding": padding, "dilations": dilations}
        return b.add(ir.Conv2D, "y", source=x, weights=_normal(rng, 4, 3, 2, x.shape[3]), **window)

    return make


def _depthwise(padding: Padding) -> Make:
    def make(b: Builder, x: Tensor, rng: np.random.Generator) -> Tensor:
        weights, bias = _normal(rng, 1, 3, 3, 2 * x.shape[3]), _normal(rng, 2 * x.shape[3])
        window: dict[str, Any] = {"strides": (2, 2), "padding": padding}
        return b.add(ir.DepthwiseConv2D, "y", source=x, weights=weights, bias=bias, **window)

    return make


def _transposed(strides: ir.Pair, padding: Padding) -> Make:
    def make(b: Builder, x: Tensor, rng: np.random.Generator) -> Tensor:
        window: dict[str, Any] = {"strides": strides, "padding": padding}
        weights, bias = _normal(rng, 5, 3, 4, x.shape[3]), _normal(rng, 5)
        return b.add(ir.TransposeConv2D, "y", source=x, weights=weights, bias=bias, **window)

    return make


def _max_pool(padding: Padding) -> Make:
    return lambda b, x, rng: b.add(ir.MaxPool2D, "y", source=x, kernel=(3, 2), strides=(2, 2), padding=padding)


def _slice(*index: Any) -> Make:
    return lambda b, x, rng: b.add(ir.Slice, "y", source=x, index=index)


def _reshaped(operator: type[Node], shape: tuple[int, ...], **parameters: Any) -> Make:
    """An operator whose output has another shape than TensorFlow Lite gives it."""
    return lambda b, x, rng: b.add(operator, "y", shape=shape, source=x, **parameters)


def _rows(b: Builder, x: Tensor, rng: np.random.Generator) -> Tensor:
    return b.add(ir.Dense, "y", shape=(7, 9, 6), source=x, weights=_normal(rng, 6, x.shape[3]), bias=_normal(rng, 6))


WAYS: dict[str, Make] = {
    "conv, the padding of PyTorch": _conv((2, 2), ((1, 1), (1, 1))),
    "conv, all padding in front": _conv((1, 1), ((2, 0), (1, 0))),
    "conv, a wide frame": _conv((1, 2), ((4, 3), (2, 5))),
    "conv, SAME": _conv((2, 2), ((1, 1), (0, 1))),
    "conv, dilated": _conv((1, 1), ((1, 1), (3, 3)), (2, 3)),
    "conv, no padding": _conv((2, 3), ir.NO_PADDING),
    "conv, pixels cut off": _conv((1, 2), ((-1, -2), (0, -4))),
    "depthwise, the padding of PyTorch": _depthwise(((1, 1), (1, 1))),
    "depthwise, behind only": _depthwise(((0, 3), (0, 1))),
    "transposed, SAME": _transposed((2, 2), ((0, 1), (1, 1))),
    "transposed, VALID": _transposed((2, 3), ir.NO_PADDING),
    "transposed, the padding of PyTorch": _transposed((2, 2), ((1, 1), (1, 1))),
    "transposed, more pixels behind": _transposed((2, 2), ((1, 0), (2, -2))),
    "max pool, the padding of PyTorch": _max_pool(((1, 1), (1, 1))),
    "max pool, behind only": _max_pool(((0, 2), (0, 0))),
    "slice": _slice(slice(None), slice(1, 5)),
    "slice, strides": _slice(..., slice(1, None, 2)),
    "slice, backwards": _slice(slice(None), slice(None, None, -1), slice(5, 1, -2)),
    "slice, single elements": _slice(0, -1, ..., 2),
    "slice, new axes": _slice(0, None, slice(2, 4), None, 3),
    "mean, kept": _reshaped(ir.Mean, (1, 1, 1, 3), axes=(1, 2), keep_dims=True),
    "sum, another shape": _reshaped(ir.Sum, (1, 3, 1), axes=(1, 2)),
    "dense, another shape": _rows,
    "split in equal parts": lambda b, x, rng: b.add_parts(ir.Split, "y", [(1, 7, 3, 3)] * 3, source=x, axis=2)[1],
    "split": lambda b, x, rng: b.add_parts(ir.Split, "y", [(1, 7, 2, 3), (1, 7, 7, 3)], source=x, axis=2)[1],
    "pad": _reshaped(ir.Pad, (1, 9, 9, 4), paddings=((0, 0), (2, 0), (0, 0), (1, 0))),
    "pad with a value": lambda b, x, rng: b.add(
        ir.Pad, "y", source=x, paddings=((0, 0), (2, 0), (0, 0), (1, 0)), value=3.5
    ),
    "copy": lambda b, x, rng: b.add(ir.Copy, "y", source=x),
}


@pytest.mark.parametrize("name", WAYS)
def test_every_way_to_say_it(name: str) -> None:
    rng = default_rng(7)
    builder = Builder("m")
    x = builder.input("x", (1, 7, 9, 3))
    builder.output(WAYS[name](builder, x, rng))
    readings = rng.normal(0, 1, (3, *x.shape)).astype(np.float32)
    (got,) = tflm.run(to_tflite(builder.graph), [readings])
    evaluator = Evaluator(builder.graph)
    for reading, result in zip(readings, got, strict=True):
        np.testing.assert_allclose(result, evaluator.predict([reading])[0], rtol=1e-5, atol=1e-5)


def test_a_padding_of_int8_is_the_zero_point() -> None:
    """PyTorch's padding of a quantised convolution: PAD and VALID give what the device computes."""
    from midge_host.conversion import build
    from midge_host.device import reference

    rng = default_rng(9)
    builder = Builder("m")
    x = builder.input("x", (1, 8, 8, 3))
    y = builder.add(
        ir.Conv2D, "y", source=x, weights=_normal(rng, 4, 3, 3, 3), strides=(2, 2), padding=((1, 1), (1, 1))
    )
    pooled = builder.add(ir.MaxPool2D, "z", source=y, kernel=(3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))
    builder.output(pooled)
    for tensor, scale, zero in ((x, 0.03, 17), (y, 0.09, -4), (pooled, 0.09, -4)):
        tensor.dtype = "int8"
        tensor.quantization = Quantization(np.array([scale], np.float32), np.array([zero]))
    (conv, _) = builder.graph.nodes
    assert isinstance(conv, ir.Conv2D)
    weights = conv.weights
    weights.data, weights.dtype = rng.integers(-127, 128, weights.shape).astype(np.int8), "int8"
    weights.quantization = Quantization(np.array([0.01, 0.02, 0.005, 0.01], np.float32), np.zeros(4, np.int64))
    conv.bias = Tensor("bias", (4,), "int32", rng.integers(-999, 999, 4).astype(np.int32))
    for edge in [*builder.graph.inputs, *builder.graph.outputs]:
        edge.dtype = "int8"
    readings = rng.integers(-128, 128, (5, *x.shape)).astype(np.int8)
    (want,) = tflm.run(to_tflite(builder.graph), [readings])
    model = build(builder.graph)
    for reading, expected in zip(readings, want, strict=True):
        (got,) = reference.predict(model, reference.start(model), [reading])
        np.testing.assert_array_equal(got.reshape(expected.shape), expected)


def test_litert_takes_the_versions() -> None:
    """LiteRT looks at the version of each operator, which TensorFlow Lite Micro does not."""
    import tensorflow as tf

    for case in CASES.values():
        written = to_tflite(load_tflite(case.tflite, "m.tflite"))
        tf.lite.Interpreter(model_content=written)  # ValueError: didn't find op for builtin opcode ... version


@pytest.mark.parametrize(
    ("node", "says"),
    [
        (lambda x, y: ir.Unknown(name="n", kind="RANK", sources=[x], results=[y]), "no such operator"),
        (
            lambda x, y: ir.AveragePool2D(
                name="n", source=x, output=y, kernel=(3, 3), strides=(2, 2), padding=((1, 1), (1, 1))
            ),
            "neither SAME nor VALID",
        ),
    ],
)
def test_what_cannot_be_written_is_refused(node: Callable[[Tensor, Tensor], Node], says: str) -> None:
    builder = Builder("m")
    x, y = builder.input("x", (1, 6, 6, 2)), Tensor("y", (1, 3, 3, 2), "float32")
    builder.graph.nodes.append(node(x, y))
    builder.output(y)
    with pytest.raises(UnsupportedError, match=says):
        to_tflite(builder.graph)
