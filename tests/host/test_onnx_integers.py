"""Quantised ONNX models: the graph has the integers that ONNX's reference gives, and they run on a device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx_models import Maker, evaluated, loaded, readings, reference

from midge_host.conversion import build
from midge_host.device import reference as device
from midge_host.frontends.onnx.quantised import quantised
from midge_host.ir import operators as ir
from midge_host.ir.graph import Quantization
from midge_host.passes.transposes import moves_elements

OPSET = 21  # the oldest whose QuantizeLinear the reference has


class Quantiser(Maker):
    """Puts QuantizeLinear and DequantizeLinear between layers. dtype: of activations, weights: of weights."""

    def __init__(self, dtype: str = "int8", weights: str = "int8", per_channel: bool = True) -> None:
        super().__init__(OPSET)
        self.dtype, self.weights, self.per_channel = dtype, weights, per_channel
        self.scales: dict[str, float] = {}

    def pair(self, x: str, scale: float = 0.03, zero_point: int = 3) -> str:
        zero = zero_point + 128 if self.dtype == "uint8" else zero_point
        names = [self.constant(np.float32(scale)), self.constant(np.array(zero, self.dtype))]
        made = self.add("DequantizeLinear", self.add("QuantizeLinear", x, *names), *names)
        self.scales[made] = scale
        return made

    def weight(self, shape: tuple[int, ...], axis: int = 0) -> tuple[str, np.ndarray]:
        """Weights in integers, dequantised; and their scales."""
        limits = np.iinfo(self.weights)
        data = self.rng.integers(limits.min + 1, limits.max + 1, shape, endpoint=False).astype(self.weights)
        count = shape[axis] if self.per_channel else 1
        scales = self.rng.uniform(0.002, 0.01, count).astype(np.float32)
        zero = np.full(count, 117 if self.weights == "uint8" else 0, self.weights)
        scale = self.constant(scales if self.per_channel else scales[0])
        names = [self.constant(data), scale, self.constant(zero if self.per_channel else zero[0])]
        return self.add("DequantizeLinear", *names, axis=axis), scales

    def bias(self, x: str, scales: np.ndarray, count: int) -> str:
        data = self.rng.integers(-800, 800, count).astype(np.int32)
        scale = np.float32(self.scales[x]) * scales
        zero = np.zeros(scale.shape, np.int32)
        if not self.per_channel:
            scale, zero = scale[0], zero[0]
        return self.add("DequantizeLinear", *map(self.constant, (data, scale, zero)), axis=0)

    def conv(self, x: str, shape: tuple[int, ...], **attributes: Any) -> str:
        weights, scales = self.weight(shape)
        return self.add("Conv", x, weights, self.bias(x, scales, shape[0]), **attributes)


def convolutions(m: Quantiser) -> str:
    x = m.pair(m.input((1, 3, 8, 8)), 0.016, -2)
    x = m.pair(m.add("Relu", m.conv(x, (8, 3, 3, 3), pads=[1, 1, 1, 1])), 0.02, -128)
    x = m.pair(m.conv(x, (8, 1, 3, 3), group=8, strides=[2, 2]), 0.05)
    x = m.pair(m.add("MaxPool", x, kernel_shape=[2, 2]), 0.05)
    return m.pair(m.conv(x, (4, 8, 1, 1)), 0.06)


def residual(m: Quantiser) -> str:
    x = m.pair(m.input((1, 4, 6, 6)), 0.016)
    y = m.pair(m.conv(x, (4, 4, 3, 3), pads=[1, 1, 1, 1]), 0.04, -11)
    x = m.pair(m.add("Relu", m.add("Add", x, y)), 0.03, -128)
    x = m.pair(m.add("Concat", x, y, axis=1), 0.035)
    return m.pair(m.add("ReduceMean", x, m.constant(np.array([2, 3])), keepdims=0), 0.02)


def classifier(m: Quantiser) -> str:
    x = m.pair(m.input((1, 2, 4, 4)), 0.016)
    x = m.pair(m.add("Flatten", m.pair(m.conv(x, (3, 2, 3, 3), pads=[1, 1, 1, 1]), 0.04, -11)), 0.04, -11)
    weights, scales = m.weight((5, 48))
    x = m.pair(m.add("Gemm", x, weights, m.bias(x, scales, 5), transB=1), 0.1)
    return m.pair(m.add("Softmax", x), 1 / 256, -128)


def functions(m: Quantiser) -> str:
    """All of them tables: to the bit."""
    x = m.pair(m.input((1, 40)), 0.016)
    for kind, scale, zero_point in (
        ("Sigmoid", 1 / 256, -128),
        ("Neg", 1 / 256, 127),
        ("Tanh", 0.007, 5),
        ("HardSwish", 0.01, 0),
        ("Abs", 0.01, -128),
    ):
        x = m.pair(m.add(kind, x), scale, zero_point)
    return m.pair(m.add("Mul", x, m.constant(np.float32(0.3))), 0.011, 7)


NETWORKS = [convolutions, residual, classifier, functions]
TYPES = [("int8", "int8", True), ("int8", "int8", False), ("uint8", "int8", False), ("uint8", "uint8", False)]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("types", TYPES, ids=str)
def test_network(network: Callable[[Quantiser], str], types: tuple[str, str, bool]) -> None:
    """Sums are computed in float32 here and there, so one value in a thousand may be one step off; on the device three
    steps, by its fixed-point rounding through the layers."""
    maker = Quantiser(*types)
    source = maker.model(network(maker))
    made = loaded(source)
    inputs = [readings(source, seed=seed) for seed in range(12)]
    golden = np.concatenate([reference(source, x)[0] for x in inputs])
    ours = np.concatenate([evaluated(made, x)[0] for x in inputs])
    output = made.graph.outputs[0].tensor
    (scale,) = [n.source.scale[0] for n in made.graph.nodes if n.outputs[0] is output]
    steps = np.rint(np.abs(golden - ours) / scale)
    assert steps.max() <= 1 and (steps > 0).mean() <= 0.001
    assert not sum(map(moves_elements, made.graph.nodes))
    edge = made.graph.inputs[0]
    model = build(made.graph)
    state, (described,) = device.start(model), model.inputs
    by_device = []
    for (x,) in inputs:
        x = x if edge.axes is None else x.transpose(edge.axes)
        known = Quantization(np.array([described.scale], np.float32), np.array([described.zero_point]))
        (result,) = device.predict(model, state, [quantised(x, known, described.element)])
        by_device.append(result.astype(np.float32) - np.float32(model.outputs[0].zero_point))
    turned = made.graph.outputs[0].axes
    values = np.concatenate(by_device).reshape(-1, *model.outputs[0].shape[1:])
    if turned is not None:
        values = values.transpose(np.argsort(turned))
    off = np.abs(values - np.rint(golden.reshape(values.shape) / scale))
    assert off.max() <= (0 if network is functions else 3)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_operators_of_integers(dtype: str) -> None:
    """QLinearConv and QLinearMatMul give the integers of their QDQ twins."""
    maker = Quantiser(dtype, "int8", False)
    zero = 128 if dtype == "uint8" else 0
    quantity = {s: (maker.constant(np.float32(s)), maker.constant(np.array(zero, dtype))) for s in (0.016, 0.05, 0.09)}
    data = maker.rng.integers(-90, 90, (6, 3, 3, 3)).astype(np.int8)
    weights = [maker.constant(data), maker.constant(np.float32(0.004)), maker.constant(np.int8(0))]
    bias = maker.constant(np.arange(-300, 300, 100).astype(np.int32))
    x = maker.add("QuantizeLinear", maker.input((1, 3, 6, 6)), *quantity[0.016])
    y = maker.add("QLinearConv", x, *quantity[0.016], *weights, *quantity[0.05], bias, strides=[2, 2])
    y = maker.add("Reshape", y, maker.constant(np.array([1, 24])))
    matrix = [maker.constant(maker.rng.integers(-90, 90, (24, 4)).astype(np.int8)), *weights[1:]]
    y = maker.add("QLinearMatMul", y, *quantity[0.05], *matrix, *quantity[0.09])
    source = maker.model(maker.add("DequantizeLinear", y, *quantity[0.09]))
    made = loaded(source)
    inputs = readings(source)
    (golden,), (ours,) = reference(source, inputs), evaluated(made, inputs)
    assert np.abs(golden - ours).max() <= 1e-5
    assert {type(n) for n in made.graph.nodes} >= {ir.Conv2D, ir.Dense}
    build(made.graph)
