"""Products and sums with constants, one for each channel: what BatchNormalization and normalisations are made of.

y = factor * x + offset goes into the weights and the bias of the layer before, or of the layer behind: by ReLU too,
where the factor is positive; but a sum not where the layer behind pads, since what it pads with has no offset.
What stands at an input of the model stays: it tells how readings become the model's numbers (quantize/readings.py).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..ir import operators as ir
from ..ir.graph import Graph, Node, Tensor
from ..ir.operators import NO_PADDING, Activation
from .activations import sole_maker, take_over
from .words import count


def fold_factors(graph: Graph) -> str:
    """Everything that can be, one after the other."""
    folded = 0
    _normalise(graph)
    while any(_fold(graph, node) for node in list(graph.nodes)):
        folded += 1
    return count(folded, "product or sum with constants", "products and sums with constants")


def of_channels(node: Node) -> tuple[np.ndarray, np.ndarray] | None:
    """(factor, offset) of each channel of a Mul, Add, Sub or Div by constants; float64. None for anything else."""
    if not isinstance(node, ir.Mul | ir.Add | ir.Sub | ir.Div) or node.output.dtype != "float32":
        return None
    source, data = node.first, node.second.data
    if source.data is not None or data is None or source.shape != node.output.shape or not source.shape:
        return None
    channels = source.shape[-1]
    if data.size not in (1, channels) or (data.size > 1 and data.shape[-1] != channels):
        return None
    values = np.resize(data.astype(np.float64).reshape(-1), channels)
    zeros, ones = np.zeros(channels), np.ones(channels)
    if isinstance(node, ir.Mul):
        return values, zeros
    if isinstance(node, ir.Div):
        return (1 / values, zeros) if values.all() else None
    return ones, -values if isinstance(node, ir.Sub) else values


def of_readings(graph: Graph, tensor: Tensor) -> list[Node]:
    """The layers behind an input of the model that only scale and shift its channels, or reshape it without a change of
    channels; each is the only reader of the one before."""
    chain: list[Node] = []
    while True:
        readers = graph.consumers(tensor)
        if len(readers) != 1 or graph.is_output(tensor):
            return chain
        node = readers[0]
        found = of_channels(node)
        moves = isinstance(node, ir.Reshape) and tensor.shape[-1:] == node.output.shape[-1:]
        scales = found is not None and bool((found[0] > 0).all()) and _activation(node) is Activation.NONE
        if not moves and not scales:
            return chain
        chain.append(node)
        tensor = node.outputs[0]


def _activation(node: Node) -> Activation:
    return getattr(node, "activation", Activation.NONE)


def _normalise(graph: Graph) -> None:
    """Constants stand second; differences and quotients are sums and products."""
    for at, node in enumerate(graph.nodes):
        if isinstance(node, ir.Mul | ir.Add) and node.first.data is not None and node.second.data is None:
            node.first, node.second = node.second, node.first
        found = of_channels(node)
        if found and isinstance(node, ir.Sub | ir.Div):
            kind = ir.Add if isinstance(node, ir.Sub) else ir.Mul
            values = (found[1] if kind is ir.Add else found[0]).astype(np.float32)
            second = Tensor(node.second.name, values.shape, "float32", values)
            graph.nodes[at] = kind(
                name=node.name,
                kind=node.kind,
                first=node.first,
                second=second,
                output=node.output,
                activation=node.activation,
            )


def _fold(graph: Graph, node: Node) -> bool:
    """Whether one of the rewrites was done on this node."""
    found = of_channels(node)
    if found is None or any(node in of_readings(graph, edge.tensor) for edge in graph.inputs):
        return False
    assert isinstance(node, ir.Mul | ir.Add)
    return _into_maker(graph, node, *found) or _into_reader(graph, node, *found) or _into_same(graph, node, *found)


def _into_maker(graph: Graph, node: ir.Mul | ir.Add, factor: np.ndarray, offset: np.ndarray) -> bool:
    maker = sole_maker(graph, node)
    behind: list[Node] = []  # reshapes between them
    while isinstance(maker, ir.Reshape) and maker.source.shape[-1] == maker.output.shape[-1]:
        behind.append(maker)
        maker = sole_maker(graph, maker)
    if not isinstance(maker, ir.Weighted) or maker.weights.data is None or _bias(maker) is None:
        return False
    if maker.output.shape[-1] != maker.weights.shape[maker.CHANNEL_AXIS] or len(factor) != maker.output.shape[-1]:
        return False
    passes = isinstance(node, ir.Mul) and maker.activation is Activation.RELU and bool((factor >= 0).all())
    if maker.activation is not Activation.NONE and not passes:
        return False
    if behind and node.activation is not Activation.NONE:
        return False
    if passes and node.activation is not Activation.NONE:
        return False
    scale_results(maker, factor, offset)
    if not passes:
        maker.activation = node.activation
    take_over(graph, behind[0] if behind else maker, node)
    return True


def scale_results(maker: ir.Weighted, factor: np.ndarray, offset: np.ndarray) -> bool:
    """Changes a layer of constant weights so that it gives factor * y + offset in place of y, before its activation.
    False, and nothing done, if its bias is computed."""
    bias = _bias(maker)
    if bias is None:
        return False
    along = [1] * len(maker.weights.shape)
    along[maker.CHANNEL_AXIS] = -1
    _set(maker, np.asarray(maker.weights.data) * factor.reshape(along), bias * factor + offset)
    return True


def _into_reader(graph: Graph, node: ir.Mul | ir.Add, factor: np.ndarray, offset: np.ndarray) -> bool:
    readers = graph.consumers(node.output)
    if len(readers) != 1 or graph.is_output(node.output) or node.activation is not Activation.NONE:
        return False
    reader = readers[0]
    if not isinstance(reader, ir.Weighted) or reader.weights.data is None or not takes(reader, factor, offset):
        return False
    put_into(reader, factor, offset)
    reader.source = node.first
    graph.nodes.remove(node)
    return True


def takes(reader: ir.Weighted, factor: np.ndarray, offset: np.ndarray) -> bool:
    """Whether `put_into` can be done."""
    if isinstance(reader, ir.Dense):
        return reader.weights.shape[1] % len(factor) == 0 and _bias(reader) is not None
    pads = isinstance(reader, ir.TransposeConv2D) or (isinstance(reader, ir.Window) and reader.padding != NO_PADDING)
    return _bias(reader) is not None and not (pads and offset.any())


def put_into(reader: ir.Weighted, factor: np.ndarray, offset: np.ndarray) -> None:
    """Changes a layer of constant weights so that it reads x and does what it did to factor * x + offset."""
    weights, bias = np.asarray(reader.weights.data, np.float64), np.asarray(_bias(reader))
    if isinstance(reader, ir.DepthwiseConv2D):
        times = weights.shape[3] // len(factor)
        each, more = factor.repeat(times), offset.repeat(times)
        _set(reader, weights * each, bias + (weights * more).sum((0, 1, 2)))
        return
    if isinstance(reader, ir.Dense):
        times = weights.shape[1] // len(factor)
        each, more = np.tile(factor, times), np.tile(offset, times)
        _set(reader, weights * each, bias + (weights * more).sum(1))
        return
    depth = weights.shape[3]
    groups = len(factor) // depth
    each, more = (v.reshape(groups, depth).repeat(len(weights) // groups, 0)[:, None, None] for v in (factor, offset))
    _set(reader, weights * each, bias + (weights * more).sum((1, 2, 3)))


def _into_same(graph: Graph, node: ir.Mul | ir.Add, factor: np.ndarray, offset: np.ndarray) -> bool:
    """Two products or two sums in a row are one; a product behind a sum goes before it."""
    maker = sole_maker(graph, node)
    if maker is None or node.activation is not Activation.NONE or _activation(maker) is not Activation.NONE:
        return False
    found = of_channels(maker)
    if found is None or maker.outputs[0].shape != node.output.shape:
        return False
    assert isinstance(maker, ir.Mul | ir.Add)
    if isinstance(node, ir.Mul) and isinstance(maker, ir.Add):
        # (x + a) * b = x * b + a * b: what is product and what is sum change places.
        scaled = maker.output
        graph.nodes[graph.nodes.index(maker)] = ir.Mul(
            name=maker.name, first=maker.first, second=node.second, output=scaled
        )
        at = graph.nodes.index(node)
        second = _constant(maker.second, found[1] * factor)
        graph.nodes[at] = ir.Add(name=node.name, kind=node.kind, first=scaled, second=second, output=node.output)
        return True
    if type(node) is not type(maker):
        return False
    both = found[0] * factor if isinstance(node, ir.Mul) else found[1] + offset
    maker.second = _constant(maker.second, both)
    take_over(graph, maker, node)
    return True


def _constant(like: Tensor, values: np.ndarray) -> Tensor:
    return Tensor(like.name, values.shape, "float32", values.astype(np.float32))


def _bias(node: ir.Weighted) -> np.ndarray | None:
    """Its bias, zeros where it has none; None if it is computed."""
    if node.bias is None:
        return np.zeros(node.weights.shape[node.CHANNEL_AXIS])
    return None if node.bias.data is None else node.bias.data.reshape(-1).astype(np.float64)


def _set(node: ir.Weighted, weights: np.ndarray, bias: np.ndarray) -> None:
    node.weights = replace(node.weights, data=weights.astype(np.float32))
    if node.bias is not None or bias.any():
        node.bias = Tensor(
            f"{node.weights.name}/bias" if node.bias is None else node.bias.name,
            bias.shape,
            "float32",
            bias.astype(np.float32),
        )
