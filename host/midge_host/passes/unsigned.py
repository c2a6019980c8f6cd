"""Old models in uint8, as int8: every value and zero point less 128. Sums and results stay what they were.

Their weights have a zero point, which int8 kernels lack: it is taken from the weights. Where differences need more than
8 bits, the layer reads its input twice or three times, with weights that add up to them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

import numpy as np

from ..ir.graph import Graph, Node, Numerics, Tensor
from ..ir.operators import (
    NO_PADDING,
    Activation,
    AveragePool2D,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Quantize,
    Relu6,
    Reshape,
    Stack,
    TransposeConv2D,
    Weighted,
)
from .words import count


def shift_unsigned(graph: Graph) -> str:
    """Makes uint8 tensors int8, and their weights' zero points 0."""
    tensors = [t for node in graph.nodes for t in (*node.inputs, *node.outputs)]
    tensors += [edge.tensor for edge in (*graph.inputs, *graph.outputs)]
    unsigned = {id(t): t for t in tensors if t.dtype == "uint8"}
    for tensor in unsigned.values():
        tensor.dtype = "int8"
        if tensor.quantization is not None:
            tensor.quantization = tensor.quantization.with_zero_point(tensor.zero_point - 128)
        if tensor.data is not None:
            tensor.data = (tensor.data ^ 128).view(np.int8)
    for node in list(graph.nodes):
        if isinstance(node, Weighted) and id(node.weights) in unsigned and node.weights.data is not None:
            node.numerics = Numerics.TFLITE
            _take_zero_point(graph, node, node.weights.data)
        elif isinstance(node, AveragePool2D) and id(node.source) in unsigned:
            _round_upwards(graph, node)
        elif isinstance(node, Relu6) and id(node.source) in unsigned and not node.source.has_scale_of(node.output):
            # TensorFlow Lite rescales; TFLM, whose arithmetic the layer gets, does not.
            raise node.refuse("its uint8 input and output have different scales", "quantise the model to int8")
    return count(len(unsigned), "uint8 tensor as int8", "uint8 tensors as int8")


def _round_upwards(graph: Graph, node: AveragePool2D) -> None:
    """An average of uint8 rounds halves upwards, one of int8 away from zero. That is the same above zero: the pool
    takes the uint8 values as int16."""
    source, output = node.source, node.output
    has_halves = node.padding != NO_PADDING or prod(node.kernel) % 2 == 0
    if not has_halves or node.activation is not Activation.NONE:
        return

    def like(tensor: Tensor, name: str, zero_point: int, dtype: str = "int8") -> Tensor:
        quantization = tensor.quantization and tensor.quantization.with_zero_point(zero_point)
        return replace(tensor, name=f"{node.name}_{name}", dtype=dtype, quantization=quantization)

    from_zero, wide = like(source, "from_zero", -128), like(source, "wide", 0, "int16")
    pooled, low = like(output, "pooled", 0, "int16"), like(output, "low", -128)
    chain: list[Node] = [
        Reshape(name=from_zero.name, source=source, output=from_zero),
        Quantize(name=wide.name, source=from_zero, output=wide),
        replace(node, source=wide, output=pooled),
        Quantize(name=low.name, source=pooled, output=low),
        Reshape(name=output.name, source=low, output=output),
    ]
    at = graph.nodes.index(node)
    graph.nodes[at : at + 1] = chain


def _take_zero_point(graph: Graph, node: Weighted, data: np.ndarray) -> None:
    weights = node.weights
    rest = data.astype(np.int16) - (weights.zero_point[0] if weights.zero_point.size else 0)
    parts: list[np.ndarray] = []
    while rest.any() or not parts:
        parts.append(np.clip(rest, -128, 127).astype(np.int8))
        rest = rest - parts[-1]
    made = parts[0] if len(parts) == 1 else _REPEATED[type(node)](graph, node, parts)
    quantization = weights.quantization and weights.quantization.with_zero_point(0)
    name = f"{weights.name}_signed"
    node.weights = replace(weights, name=name, shape=made.shape, data=made, quantization=quantization)


def _insert(graph: Graph, before: Weighted, node: Node) -> None:
    graph.nodes.insert(graph.nodes.index(before), node)


def _like(before: Weighted, what: str, shape: tuple[int, ...]) -> Tensor:
    """A tensor of the layer's input, arranged anew."""
    return replace(before.source, name=f"{before.name}_{what}", shape=shape, data=None)


# Each makes the layer read its input as often as there are parts of its weights; returns the new weights.


def _channels(graph: Graph, node: Weighted, parts: list[np.ndarray]) -> np.ndarray:
    """The channels several times."""
    source, times = node.source, len(parts)
    made = _like(node, "concatenation", (*source.shape[:-1], times * source.shape[-1]))
    axis = len(source.shape) - 1
    _insert(graph, node, Concatenate(name=made.name, sources=[source] * times, output=made, axis=axis))
    node.source = made
    return np.concatenate(parts, -1)


def _columns(graph: Graph, node: Weighted, parts: list[np.ndarray]) -> np.ndarray:
    """The columns of a dense layer several times."""
    depth = parts[0].shape[1]
    made = _like(node, "reshape", (node.source.size // depth, depth))
    _insert(graph, node, Reshape(name=made.name, source=node.source, output=made))
    node.source = made
    return _channels(graph, node, parts)


def _pixels(graph: Graph, node: DepthwiseConv2D, parts: list[np.ndarray]) -> np.ndarray:
    """Every pixel of a row several times."""
    kernel, times = parts[0].shape[1:3], len(parts)
    if node.dilations[1] != 1:
        raise node.refuse("it has uint8 weights of 9 bits and a dilation", "quantise the model to int8")
    n, h, w, c = node.source.shape
    pixels = _like(node, "pack", (n, h, w, times, c))
    _insert(graph, node, Stack(name=pixels.name, sources=[node.source] * times, output=pixels, axis=3))
    image = _like(node, "reshape", (n, h, times * w, c))
    _insert(graph, node, Reshape(name=image.name, source=pixels, output=image))
    rows, (left, right) = node.padding
    node.source, node.padding = image, (rows, (times * left, times * right))
    node.strides = (node.strides[0], times * node.strides[1])
    return np.stack(parts, 3).reshape(1, kernel[0], times * kernel[1], parts[0].shape[3])


_REPEATED: dict[type[Weighted], Callable[..., np.ndarray]] = {
    Conv2D: _channels,
    TransposeConv2D: _channels,
    Dense: _columns,
    DepthwiseConv2D: _pixels,
}
