"""Transposes that importers of channels-first models leave: none is left where none is needed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx_models import Maker, evaluated, loaded, readings, reference

from midge_host.ir import operators as ir
from midge_host.ir.builder import Builder
from midge_host.ir.evaluate import Evaluator
from midge_host.ir.graph import Tensor
from midge_host.ir.verify import verify
from midge_host.passes.transposes import cancel_transposes, moves_elements


def conv(m: Maker, x: str, inputs: int, outputs: int, kernel: int = 3, **attributes: object) -> str:
    group = attributes.get("group", 1)
    assert isinstance(group, int)
    weights = m.constant((outputs, inputs // group, kernel, kernel))
    pads = [kernel // 2] * 4
    return m.add("Conv", x, weights, m.constant((outputs,)), pads=pads, **attributes)


def norm(m: Maker, x: str, channels: int) -> str:
    positive = np.linspace(0.5, 1.5, channels).astype(np.float32)
    parameters = [m.constant((channels,)), m.constant((channels,)), m.constant((channels,)), m.constant(positive)]
    return m.add("BatchNormalization", x, *parameters)


def head(m: Maker, x: str, channels: int) -> str:
    x = m.add("GlobalAveragePool", x)
    return m.add("Gemm", m.add("Flatten", x), m.constant((channels, 3)), m.constant((3,)))


def mobilenet(m: Maker) -> str:
    x = m.add("Clip", norm(m, conv(m, m.input((1, 3, 16, 12)), 3, 8, strides=[2, 2]), 8), *limits(m, 0, 6))
    y = m.add("Relu", norm(m, conv(m, x, 8, 8, group=8), 8))
    return head(m, m.add("Add", x, norm(m, conv(m, y, 8, 8, kernel=1), 8)), 8)


def limits(m: Maker, *values: float) -> list[str]:
    return [m.constant(np.float32(v)) for v in values]


def resnet(m: Maker) -> str:
    x = m.add("MaxPool", conv(m, m.input((1, 3, 16, 12)), 3, 8), kernel_shape=[2, 2], strides=[2, 2])
    for _ in range(2):
        y = conv(m, m.add("Relu", norm(m, conv(m, x, 8, 8), 8)), 8, 8)
        x = m.add("Relu", m.add("Add", x, y))
    return head(m, x, 8)


def squeeze_excite(m: Maker) -> str:
    x = conv(m, m.input((1, 3, 8, 8)), 3, 8)
    s = m.add("GlobalAveragePool", x)
    s = m.add("Relu", conv(m, s, 8, 2, kernel=1))
    s = m.add("HardSigmoid", conv(m, s, 2, 8, kernel=1))
    return head(m, conv(m, m.add("Mul", x, s), 8, 8), 8)


def squeeze_excite_by_gemm(m: Maker) -> str:
    x = conv(m, m.input((1, 3, 8, 8)), 3, 8)
    s = m.add("Squeeze", m.add("GlobalAveragePool", x), m.constant(np.array([2, 3])))
    s = m.add("Sigmoid", m.add("Gemm", s, m.constant((8, 8))))
    s = m.add("Unsqueeze", s, m.constant(np.array([2, 3])))
    return head(m, conv(m, m.add("Mul", x, s), 8, 8), 8)


def unet(m: Maker) -> str:
    x = m.add("Relu", conv(m, m.input((1, 3, 8, 8)), 3, 4))
    y = m.add("Relu", conv(m, m.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]), 4, 8))
    y = m.add("ConvTranspose", y, m.constant((8, 4, 2, 2)), strides=[2, 2])
    y = m.add("Concat", x, y, axis=1)
    z = m.add("Resize", conv(m, y, 8, 4), "", m.constant(np.array([1, 1, 2, 2], np.float32)), mode="linear")
    return m.add("Sigmoid", conv(m, z, 4, 2, kernel=1))


def lenet(m: Maker) -> str:
    x = m.add("Relu", conv(m, m.input((1, 1, 8, 8)), 1, 4))
    x = m.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = m.add("Relu", m.add("Flatten", m.add("Tanh", x)))
    x = m.add("Relu", m.add("Gemm", x, m.constant((10, 64)), m.constant((10,)), transB=1))
    return m.add("Softmax", m.add("MatMul", x, m.constant((10, 3))))


def split_attention(m: Maker) -> str:
    x = conv(m, m.input((1, 3, 8, 6)), 3, 8)
    a, b = m.add("Split", x, axis=1, count=2)
    x = m.add("Concat", b, m.add("Mul", a, m.add("Sigmoid", b)), axis=1)
    x = m.add("Pad", x, m.constant(np.array([0, 0, 1, 1, 0, 0, 1, 0])))
    mean, most = (m.add(k, x, axes=[1], keepdims=1) for k in ("ReduceMean", "ReduceMax"))
    x = m.add("Mul", x, m.add("Sigmoid", conv(m, m.add("Concat", mean, most, axis=1), 2, 1)))
    x = m.add("Slice", x, m.constant(np.array([1])), m.constant(np.array([5])), m.constant(np.array([2])))
    return head(m, m.add("PRelu", x, m.constant((8, 1, 1))), 8)


def vision_transformer(m: Maker) -> str:
    x = m.add("Conv", m.input((1, 3, 8, 8)), m.constant((6, 3, 4, 4)), strides=[4, 4])
    x = m.add("Reshape", x, m.constant(np.array([1, 6, 4])))
    x = m.add("Add", m.add("Transpose", x, perm=[0, 2, 1]), m.constant((1, 4, 6)))
    x = m.add("LayerNormalization", x, m.constant((6,)), m.constant((6,)))
    return m.add("ReduceMean", m.add("MatMul", x, m.constant((6, 5))), axes=[1], keepdims=0)


def conv1d(m: Maker) -> str:
    x = m.add("Relu", m.add("Conv", m.input((1, 6, 20)), m.constant((8, 6, 3)), pads=[1, 1]))
    x = m.add("MaxPool", x, kernel_shape=[2], strides=[2])
    x = m.add("Conv", x, m.constant((8, 8, 3)), dilations=[2])
    return m.add("Gemm", m.add("ReduceMax", x, axes=[2], keepdims=0), m.constant((8, 4)))


def from_tf2onnx(m: Maker) -> str:
    """NHWC, with transposes around each layer."""
    x = m.add("Transpose", m.input((1, 8, 6, 3)), perm=[0, 3, 1, 2])
    x = m.add("Transpose", conv(m, x, 3, 4), perm=[0, 2, 3, 1])
    x = m.add("Relu", m.add("Add", x, m.constant((4,))))
    x = m.add("Transpose", x, perm=[0, 3, 1, 2])
    x = m.add("Transpose", m.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]), perm=[0, 2, 3, 1])
    return m.add("MatMul", m.add("Reshape", x, m.constant(np.array([1, 48]))), m.constant((48, 5)))


def shuffle(m: Maker) -> str:
    """Channels are shuffled: one transpose is needed."""
    x = conv(m, m.input((1, 3, 6, 4)), 3, 8, kernel=1)
    x = m.add("Reshape", x, m.constant(np.array([1, 2, 4, 6, 4])))
    x = m.add("Transpose", x, perm=[0, 2, 1, 3, 4])
    x = m.add("Reshape", x, m.constant(np.array([1, 8, 6, 4])))
    return head(m, conv(m, x, 8, 8, group=8), 8)


def attention(m: Maker) -> str:
    """Two heads: two transposes, for one operand of the products and for the result, are needed; that of the second
    operand is a transpose too, as the products take rows."""
    x = m.input((1, 4, 6))
    heads = [
        m.add("Reshape", m.add("MatMul", x, m.constant((6, 6))), m.constant(np.array([1, 4, 2, 3]))) for _ in range(3)
    ]
    q, v = (m.add("Transpose", h, perm=[0, 2, 1, 3]) for h in (heads[0], heads[2]))
    k = m.add("Transpose", heads[1], perm=[0, 2, 3, 1])
    y = m.add("MatMul", m.add("Softmax", m.add("MatMul", q, k)), v)
    return m.add("Reshape", m.add("Transpose", y, perm=[0, 2, 1, 3]), m.constant(np.array([1, 4, 6])))


NETWORKS: list[tuple[Callable[[Maker], str], int]] = [
    *((net, 0) for net in (mobilenet, resnet, squeeze_excite, squeeze_excite_by_gemm, unet, lenet, split_attention)),
    *((net, 0) for net in (vision_transformer, conv1d, from_tf2onnx)),
    (shuffle, 1),
    (attention, 4),
]


@pytest.mark.parametrize(("network", "left"), NETWORKS, ids=lambda x: getattr(x, "__name__", None))
def test_network(network: Callable[[Maker], str], left: int) -> None:
    """The outputs are those of ONNX's reference; `left` transposes move elements."""
    maker = Maker()
    model = maker.model(network(maker))
    inputs = readings(model)
    made = loaded(model)
    for wanted, got in zip(reference(model, inputs), evaluated(made, inputs), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)
    assert sum(map(moves_elements, made.graph.nodes)) == left


@pytest.mark.parametrize(("network", "left"), [(resnet, 1), (unet, 2), (lenet, 0), (from_tf2onnx, 0)])
def test_edges_stay(network: Callable[[Maker], str], left: int) -> None:
    """Where readings are known already, inputs and outputs keep their order: one transpose for each."""
    maker = Maker()
    model = maker.model(network(maker))
    made = loaded(model)
    graph = made.graph
    for edge in graph.inputs:  # the order of the file, by a transpose
        if edge.axes is not None:
            order, tensor = edge.axes, edge.tensor
            edge.tensor = Tensor("source", tuple(tensor.shape[order.index(a)] for a in range(len(order))), "float32")
            edge.axes = None
            graph.nodes.insert(0, ir.Transpose(name="t", source=edge.tensor, output=tensor, axes=order))
    for edge in graph.outputs:
        if edge.axes is not None:
            order, tensor = edge.axes, edge.tensor
            back = tuple(order.index(a) for a in range(len(order)))
            edge.tensor = Tensor("result", tuple(tensor.shape[a] for a in back), "float32")
            edge.axes = None
            graph.nodes.append(ir.Transpose(name="u", source=tensor, output=edge.tensor, axes=back))
    cancel_transposes(graph)
    verify(graph)
    inputs = readings(model)
    np.testing.assert_allclose(evaluated(made, inputs)[0], reference(model, inputs)[0], rtol=1e-5, atol=1e-5)
    assert sum(map(moves_elements, graph.nodes)) == left


def test_names_stay() -> None:
    maker = Maker()
    model = maker.model(resnet(maker))
    names = {node.name for node in loaded(model).graph.nodes}
    assert {node.output[0] for node in model.graph.node if node.op_type in ("Conv", "Relu", "Add")} <= names


def test_symmetric() -> None:
    """Where one order would give two axes of a tensor the same place, the graph stays."""
    builder = Builder("symmetric")
    x = builder.input("x", (1, 3, 3))
    turned = builder.add(ir.Transpose, "turned", source=x, axes=(0, 2, 1))
    builder.output(builder.add(ir.Add, "sum", first=x, second=turned))
    value = np.arange(9, dtype=np.float32).reshape(1, 3, 3)
    cancel_transposes(builder.graph)
    verify(builder.graph)
    assert np.array_equal(Evaluator(builder.graph).predict([value])[0], value + value.transpose(0, 2, 1))
    assert sum(map(moves_elements, builder.graph.nodes)) == 1


def random_graph(seed: int) -> Builder:
    """Transposes among operators that take axes in any order and some that do not."""
    rng, builder = np.random.default_rng(seed), Builder("random")
    tensors = [builder.input("x", tuple(int(n) for n in rng.integers(1, 5, 4)))]
    tensors.append(builder.input("y", tensors[0].shape))
    for k in range(int(rng.integers(4, 14))):
        x, way = tensors[rng.integers(len(tensors))], rng.integers(12)
        alike = [t for t in tensors if t.shape == x.shape]
        other, rank = alike[rng.integers(len(alike))], len(x.shape)
        axes = tuple(sorted({int(a) for a in rng.integers(0, rank, 2)}))
        sizes = [n for n in x.shape if n != 1]
        for _ in range(rng.integers(0, 3)):
            sizes.insert(int(rng.integers(len(sizes) + 1)), 1)
        if way < 4:
            made = builder.add(ir.Transpose, f"t{k}", source=x, axes=tuple(int(a) for a in rng.permutation(rank)))
        elif way == 4:
            made = builder.add(ir.Relu, f"r{k}", source=x)
        elif way == 5:
            made = builder.add(ir.Add, f"a{k}", first=x, second=other)
        elif way == 6:
            shape = tuple(n if rng.integers(2) else 1 for n in x.shape)
            made = builder.add(ir.Mul, f"m{k}", first=x, second=rng.normal(size=shape).astype(np.float32))
        elif way == 7 and len(axes) < rank:
            made = builder.add(ir.Mean, f"n{k}", source=x, axes=axes, keep_dims=bool(rng.integers(2)))
        elif way == 8 and x.size < 1000:
            made = builder.add(ir.Concatenate, f"c{k}", sources=[x, other], axis=int(rng.integers(rank)))
        elif way == 9:
            made = builder.add(ir.Softmax, f"s{k}", source=x)
        elif way == 10 and 0 < len(sizes) < 6:
            made = builder.add(ir.Reshape, f"q{k}", source=x, shape=sizes if rng.integers(3) else (x.size,))
        else:
            weights = rng.normal(size=(3, x.shape[-1])).astype(np.float32)
            made = builder.add(ir.Dense, f"d{k}", source=x, weights=weights, shape=(*x.shape[:-1], 3))
        tensors.append(made)
    for tensor in tensors[2:]:
        if not builder.graph.consumers(tensor):
            builder.output(tensor)
    return builder


@pytest.mark.parametrize("edges", [False, True])
def test_random_graphs(edges: bool) -> None:
    """No output changes, and never are there more transposes than before."""
    for seed in range(100):
        graph, changed = random_graph(seed).graph, random_graph(seed).graph
        inputs = [np.random.default_rng(seed).normal(size=e.tensor.shape).astype(np.float32) for e in graph.inputs]
        cancel_transposes(changed, edges)
        verify(changed)
        given = [x if e.axes is None else x.transpose(e.axes) for e, x in zip(changed.inputs, inputs, strict=True)]
        outputs = zip(Evaluator(graph).predict(inputs), Evaluator(changed).predict(given), changed.outputs, strict=True)
        for wanted, made, edge in outputs:
            made = made if edge.axes is None else made.transpose(np.argsort(edge.axes))
            np.testing.assert_allclose(made, wanted, rtol=1e-4, atol=1e-4, err_msg=f"seed {seed}")
        assert sum(map(moves_elements, changed.nodes)) <= sum(map(moves_elements, graph.nodes)), seed
