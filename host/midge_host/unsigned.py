"""Old models in uint8, as int8: every value and zero point less 128. Sums and results stay what they were.

Their weights have a zero point, which int8 kernels lack: it is taken from the weights. Where a difference is more than
8 bits, the layer reads its input twice, with weights that add up to it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .graph import Graph, Node, Tensor
from .operators.window import same_padding

WEIGHTED = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"}


def shift_unsigned(graph: Graph) -> None:
    """Makes uint8 tensors int8, and their weights' zero points 0."""
    unsigned = {id(t): t for node in graph.nodes for t in (*node.inputs, *node.outputs) if t and t.dtype == "uint8"}
    unsigned |= {id(t): t for t in (*graph.inputs, *graph.outputs) if t.dtype == "uint8"}
    for tensor in unsigned.values():
        tensor.dtype = "int8"
        tensor.zero_point = tensor.zero_point - 128
        if tensor.data is not None:
            tensor.data = (tensor.data ^ 128).view(np.int8)
    for node in [n for n in graph.nodes if n.kind in WEIGHTED]:
        weights = node.inputs[1]
        if weights is not None and id(weights) in unsigned and weights.data is not None:
            # TensorFlow Lite takes the product of the scales of uint8 tensors in float32.
            node.options["scale_product"] = "float32"
            _take_zero_point(graph, node, weights)


def _take_zero_point(graph: Graph, node: Node, weights: Tensor) -> None:
    values = weights.data.astype(np.int16) - (weights.zero_point[0] if weights.zero_point.size else 0)
    low = np.clip(values, -128, 127)
    rest = (values - low).astype(np.int8)
    data = low.astype(np.int8)
    if rest.any():
        data = _TWICE[node.kind](graph, node, data, rest)
    node.inputs[1] = replace(
        weights, name=f"{weights.name}_signed", shape=data.shape, data=data, zero_point=np.zeros(1)
    )


def _insert(graph: Graph, before: Node, kind: str, sources: list[Tensor], shape: tuple[int, ...], **options) -> Tensor:
    """A tensor that a new node computes of `sources`."""
    made = replace(sources[0], name=f"{before.name}_{kind.lower()}", shape=shape)
    graph.nodes.insert(graph.nodes.index(before), Node(kind, made.name, list(sources), [made], options))
    return made


def _twice_conv(graph: Graph, node: Node, data: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Twice the channels."""
    at = 2 if node.kind == "TRANSPOSE_CONV" else 0
    source = node.inputs[at]
    shape = (*source.shape[:-1], 2 * source.shape[-1])
    node.inputs[at] = _insert(graph, node, "CONCATENATION", [source, source], shape, axis=-1, activation="NONE")
    return np.concatenate([data, rest], -1)


def _twice_dense(graph: Graph, node: Node, data: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Twice the columns."""
    depth = data.shape[1]
    node.inputs[0] = _insert(graph, node, "RESHAPE", [node.inputs[0]], (node.inputs[0].size // depth, depth))
    return _twice_conv(graph, node, data, rest)


def _twice_depthwise(graph: Graph, node: Node, data: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Twice the width: every pixel stands there twice."""
    options, source, output = node.options, node.inputs[0], node.outputs[0]
    kernel = data.shape[1:3]
    if options["dilation_w"] != 1:
        raise node.refuse("it has uint8 weights of 9 bits and a dilation", "quantise the model to int8")
    sizes, out = source.shape[1:3], output.shape[1:3]
    strides, dilations = (options["stride_h"], options["stride_w"]), (options["dilation_h"], 1)
    same = options["padding"] == "SAME"
    top, left = (
        same_padding(n, o, k, s, d) if same else 0
        for n, o, k, s, d in zip(sizes, out, kernel, strides, dilations, strict=True)
    )
    n, h, w, c = source.shape
    pairs = _insert(graph, node, "PACK", [source, source], (n, h, w, 2, c), axis=3)
    node.inputs[0] = _insert(graph, node, "RESHAPE", [pairs], (n, h, 2 * w, c))
    padded = (
        (out[0] - 1) * strides[0] + (kernel[0] - 1) * dilations[0] + 1,
        (out[1] - 1) * 2 * strides[1] + 2 * kernel[1],
    )
    node.options = {
        **options,
        "stride_w": 2 * strides[1],
        "padding": "EXPLICIT",
        "pad": (top, 2 * left),
        "padded": padded,
    }
    return np.stack([data, rest], 3).reshape(1, kernel[0], 2 * kernel[1], data.shape[3])


_TWICE = {
    "CONV_2D": _twice_conv,
    "TRANSPOSE_CONV": _twice_conv,
    "FULLY_CONNECTED": _twice_dense,
    "DEPTHWISE_CONV_2D": _twice_depthwise,
}
