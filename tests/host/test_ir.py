"""The IR: what verify refuses, what the evaluator computes, and what passes say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tflm
from midge_host.conversion import build
from midge_host.errors import MidgeError
from midge_host.frontends import tflite
from midge_host.ir import operators as ir
from midge_host.ir.evaluate import FUNCTIONS, Evaluator, dequantise
from midge_host.ir.graph import Edge, Graph, Node, Quantization, Tensor
from midge_host.ir.verify import verify
from operator_cases import CASES, Case
from tflite_models import ModelBuilder


def tensor(*shape: int, scale: float = 0.05, zero_point: int = 3, dtype: str = "int8") -> Tensor:
    quantization = Quantization(np.array([scale], np.float32), np.array([zero_point]))
    return Tensor("t", shape, dtype, quantization=None if dtype == "float32" else quantization)


def constant(*shape: int, dtype: str = "float32") -> Tensor:
    return Tensor("c", shape, dtype, np.ones(shape, dtype))


def graph(node: Node) -> Graph:
    inputs = [Edge.of(t) for t in node.inputs if t.data is None]
    return Graph("g", [node], inputs, [Edge.of(t) for t in node.outputs])


def conv(**changes: Any) -> Node:
    parts: dict[str, Any] = {
        "source": tensor(1, 5, 5, 4, dtype="float32"),
        "weights": constant(6, 3, 3, 4),
        "output": tensor(1, 3, 5, 6, dtype="float32"),
        "strides": (2, 1),
        "padding": ((1, 1), (1, 1)),
    }
    return ir.Conv2D(name="layer", **{**parts, **changes})


def unary(kind: type[Node], *shapes: tuple[int, ...], **parameters: Any) -> Node:
    source, output = (tensor(*shape) for shape in shapes)
    return kind(name="layer", source=source, output=output, **parameters)


def joined(*shapes: tuple[int, ...], axis: int, **changes: Any) -> Node:
    *sources, output = (tensor(*shape) for shape in shapes)
    return ir.Concatenate(name="layer", sources=sources, output=replace(output, **changes), axis=axis)


GOOD: list[Node] = [
    conv(),
    conv(bias=constant(6), dilations=(1, 2), padding=((1, 1), (2, 2))),
    conv(weights=constant(6, 3, 3, 2)),  # two groups
    unary(ir.Relu, (1, 8), (1, 8)),
    unary(ir.Mean, (2, 3, 4), (2, 4), axes=(1,)),
    unary(ir.Slice, (4, 6), (2, 3), index=(slice(0, 4, 2), slice(-3, None))),
    unary(ir.Transpose, (2, 3, 4), (4, 2, 3), axes=(2, 0, 1)),
    unary(ir.Pad, (2, 3), (4, 3), paddings=((1, 1), (0, 0))),
    unary(ir.SpaceToBatch, (1, 6, 4), (2, 4, 4), block=(2,), paddings=((1, 1),)),
    unary(ir.BatchToSpace, (2, 4, 4), (1, 7, 4), block=(2,), crops=((1, 0),)),
    joined((1, 2), (1, 3), (1, 5), axis=1),
]


@pytest.mark.parametrize("node", GOOD, ids=lambda n: type(n).__name__)
def test_what_fits(node: Node) -> None:
    verify(graph(node))


LAYERS: list[tuple[Node, str]] = [
    (conv(strides=(0, 1)), "strides"),
    (conv(padding=((0, 0), (1, 1))), "does not make 3 of 5"),
    (conv(dilations=(0, 1)), "dilation"),
    (conv(weights=constant(5, 3, 3, 4)), "do not make 6 channels"),
    (conv(weights=constant(6, 3, 3, 3)), "do not take 4 channels"),
    (conv(weights=constant(6, 3, 3)), "weights have shape"),
    (conv(bias=constant(5)), "not 6 elements"),
    (conv(output=tensor(2, 3, 5, 6, dtype="float32")), "it makes"),
    (conv(output=tensor(1, 3, 5, 6)), "it makes int8 of float32"),
    (conv(source=tensor(5, 5, 4, dtype="float32")), "no image"),
    (unary(ir.Relu, (1, 8), (1, 9)), "it makes"),
    (unary(ir.Softmax, (1, 8), (1, 9)), "it makes"),
    (unary(ir.Mean, (2, 3, 4), (2, 4), axes=(3,)), "axis 3 of 3"),
    (unary(ir.Mean, (2, 3, 4), (2, 3), axes=(1,)), "it makes"),
    (unary(ir.ArgMax, (2, 3), (3,), axis=1), "it makes"),
    (unary(ir.Reshape, (2, 3), (5,)), "number of elements"),
    (unary(ir.Slice, (4, 6), (2, 3), index=(slice(0, 4, 2),)), "make .2, 6., not .2, 3."),
    (unary(ir.Slice, (4,), (1,), index=(slice(0, 1), slice(0, 1))), "do not fit"),
    (unary(ir.Slice, (4,), (1,), index=(slice(0, 1, 0),)), "do not fit"),
    (unary(ir.Transpose, (2, 3), (3, 2), axes=(1, 1)), "no order"),
    (unary(ir.Pad, (2, 3), (4, 3), paddings=((1, 1),)), "do not make"),
    (unary(ir.Pad, (2, 3), (1, 3), paddings=((-1, 0), (0, 0))), "negative"),
    (unary(ir.Pad, (2,), (3,), paddings=((0, 1),), value=300), "does not hold"),
    (unary(ir.SpaceToBatch, (1, 5, 4), (2, 3, 4), block=(2,), paddings=((0, 0),)), "it makes"),
    (unary(ir.Tile, (2, 3), (3, 3)), "it makes"),
    (unary(ir.Broadcast, (2, 3), (2, 4)), "it makes"),
    (unary(ir.ResizeNearest, (4, 6, 2), (5, 5, 2)), "4 dimensions"),
    (joined((1, 2), (1, 3), (1, 6), axis=1), "it makes"),
    (joined((1, 2), (1, 3), (1, 5), axis=2), "axis 2"),
    (joined((1, 2), (1, 3), (1, 5), axis=1, quantization=tensor(1, scale=0.1).quantization), "other scales"),
    (joined((1, 2), (1, 3), (1, 5), axis=1, dtype="int16"), "int16 of int8"),
    (unary(ir.Relu, (1, 0), (1, 0)), "shape .1, 0."),
    (ir.Relu(name="layer", source=tensor(4, scale=0.0), output=tensor(4)), "impossible"),
    (ir.Relu(name="layer", source=tensor(4, scale=np.nan), output=tensor(4)), "impossible"),
    (ir.Relu(name="layer", source=tensor(4, zero_point=200), output=tensor(4)), "impossible"),
    (ir.Relu(name="layer", source=tensor(4, dtype="string"), output=tensor(4)), "string"),
    (ir.ReadVariable(name="layer", variable="v", output=tensor(4)), "nothing sets the variable"),
]


@pytest.mark.parametrize(("node", "words"), LAYERS, ids=[f"{type(n).__name__}-{w}" for n, w in LAYERS])
def test_what_does_not_fit_in_a_layer(node: Node, words: str) -> None:
    model = graph(node)
    model.inputs = model.inputs or [Edge.of(tensor(1))]
    with pytest.raises(MidgeError, match=words) as error:
        verify(model)
    assert "\n" not in str(error.value) and "; " in str(error.value)


def chain() -> tuple[Graph, list[Tensor]]:
    tensors = [tensor(1, 8) for _ in range(3)]
    nodes: list[Node] = [ir.Relu(name=f"{i}", source=tensors[i], output=tensors[i + 1]) for i in range(2)]
    return Graph("g", nodes, [Edge.of(tensors[0])], [Edge.of(tensors[2])]), tensors


def _backwards(g: Graph, tensors: list[Tensor]) -> None:
    g.nodes.reverse()


def _twice(g: Graph, tensors: list[Tensor]) -> None:
    g.nodes.append(ir.Relu(name="again", source=tensors[0], output=tensors[2]))


def _no_output(g: Graph, tensors: list[Tensor]) -> None:
    g.outputs = []


def _same_input(g: Graph, tensors: list[Tensor]) -> None:
    g.inputs = [*g.inputs, *g.inputs]


def _constant_output(g: Graph, tensors: list[Tensor]) -> None:
    g.outputs.append(Edge.of(constant(3)))


def _nobodys_output(g: Graph, tensors: list[Tensor]) -> None:
    g.outputs.append(Edge.of(tensor(3)))


def _data_of_another_shape(g: Graph, tensors: list[Tensor]) -> None:
    tensors[0].data = np.zeros((2, 4), np.int8)
    g.inputs = [Edge.of(tensor(1))]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_backwards, "nothing before it computes"),
        (_twice, "exists before it"),
        (_no_output, "no output"),
        (_same_input, "one input twice"),
        (_constant_output, "is a constant"),
        (_nobodys_output, "no layer computes"),
        (_data_of_another_shape, "the data of tensor"),
    ],
)
def test_what_does_not_fit_in_a_graph(change: Callable[[Graph, list[Tensor]], None], words: str) -> None:
    model, tensors = chain()
    verify(model)
    change(model, tensors)
    with pytest.raises(MidgeError, match=words):
        verify(model)


# The evaluator.


# What TFLM gives where it saturates, wraps, or does not look at a scale, how far its resizing rounds, and int32, which
# has more digits than floats.
NOT_REAL = (
    *("relu6", "state_zero=", "gain=8", "gain=30", "scales=0.001x1e-05", "size=7x100 centres=corners"),
    *("ratio=1e-06", "int8xint32", "int16xint32"),
)
STEPS = {"int8": 5, "int16": 64}


@pytest.mark.parametrize("case", CASES[::13], ids=lambda case: case.name)
def test_quantised_operators_within_steps(case: Case) -> None:
    if any(words in case.name for words in NOT_REAL):
        return
    model = tflite.load_tflite(case.tflite, "m.tflite")
    verify(model)
    evaluator = Evaluator(model)
    expected = case.expected()
    for row in range(min(8, len(case.inputs[0]))):
        for got, want in zip(evaluator.predict([x[row] for x in case.inputs]), expected, strict=True):
            assert got.dtype == want.dtype
            np.testing.assert_allclose(
                got.astype(float), want[row].reshape(got.shape), rtol=0, atol=STEPS.get(got.dtype.name, 0)
            )


def float_model() -> bytes:
    rng = np.random.default_rng(3)
    m = ModelBuilder()

    def real(*shape: int) -> int:
        return m.tensor(shape, "float32")

    def weights(*shape: int) -> int:
        return m.constant(rng.normal(size=shape).astype(np.float32))

    x, a, b, c, d, e, y = (
        real(*shape)
        for shape in ((1, 9, 8, 3), (1, 5, 4, 4), (1, 5, 4, 8), (1, 2, 2, 8), (1, 2, 2, 8), (1, 1, 1, 8), (1, 5))
    )
    window = {"StrideH": 2, "StrideW": 2, "DilationHFactor": 1, "DilationWFactor": 1, "FusedActivationFunction": 3}
    m.op("CONV_2D", [x, weights(4, 3, 3, 3), weights(4)], [a], 1, "Conv2DOptions", **window)
    window = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 2, "DilationWFactor": 1, "DepthMultiplier": 2}
    m.op("DEPTHWISE_CONV_2D", [a, weights(1, 3, 2, 8), weights(8)], [b], 1, "DepthwiseConv2DOptions", **window)
    pool = {"StrideH": 2, "StrideW": 2, "FilterHeight": 2, "FilterWidth": 2, "Padding": 1}
    m.op("MAX_POOL_2D", [b], [c], 1, "Pool2DOptions", **pool)
    m.op("TANH", [c], [d])
    m.op("AVERAGE_POOL_2D", [d], [e], 1, "Pool2DOptions", **pool)
    m.op("FULLY_CONNECTED", [e, weights(5, 8), weights(5)], [y], 1, "FullyConnectedOptions")
    return m.build([x], [y])


def test_floats() -> None:
    data = float_model()
    rows = np.random.default_rng(4).normal(size=(6, 1, 9, 8, 3)).astype(np.float32)
    evaluator = Evaluator(tflite.load_tflite(data, "m.tflite"))
    got = [evaluator.predict([row])[0] for row in rows]
    np.testing.assert_allclose(got, tflm.run(data, [rows])[0], rtol=1e-5, atol=1e-6)


def test_every_operator_of_a_file_can_be_evaluated() -> None:
    missing = [name for name, op in tflite.OPERATORS.items() if not set(op.cls.__mro__) & set(FUNCTIONS)]
    assert missing == []
    assert dequantise(tensor(2), np.array([3, 4], np.int8)).tolist() == pytest.approx([0, 0.05])


# Passes.


def test_passes_say_what_they_did() -> None:
    m = ModelBuilder()
    x = m.tensor((1, 6, 6, 2), "float32")
    y = m.pad(m.quantize(x, (0.05, 3)), [(0, 0), (1, 1), (1, 1), (0, 0)])
    weights = np.random.default_rng(0).integers(-127, 128, (3, 3, 3, 2)).astype(np.int8)
    y = m.conv_2d(y, weights, np.zeros(3, np.int32), weight_scales=0.01, quant=(0.1, 0), padding="VALID")
    said: list[str] = []
    build(tflite.load_tflite(m.build([x], [m.dequantize(m.relu(y, (0.1, 0)))]), "m.tflite"), said.append)
    assert said == [
        "fold edges: 2 conversions at inputs and outputs",
        "fuse padding: 1 padding of a convolution",
        "fuse clamps: 1 activation as the limits of the layer before",
    ]
