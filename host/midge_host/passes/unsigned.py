"""Old models in uint8, as int8: every value and zero point less 128. Sums and results stay what they were.

Their weights have a zero point, which int8 kernels lack: it is taken from the weights. Where differences need more than
8 bits, the layer reads its input twice or three times, with weights that add up to them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..device.ops.window import same_padding
from ..ir.graph import Graph, Node, Tensor

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
    for node in [n for n in graph.nodes if n.kind == "AVERAGE_POOL_2D" and id(n.inputs[0]) in unsigned]:
        _round_upwards(graph, node)
    for node in graph.nodes:
        if node.kind == "RELU6" and id(node.inputs[0]) in unsigned and not node.inputs[0].has_scale_of(node.outputs[0]):
            # TensorFlow Lite rescales; TFLM, whose arithmetic the layer gets, does not.
            raise node.refuse("its uint8 input and output have different scales", "quantise the model to int8")


def _round_upwards(graph: Graph, node: Node) -> None:
    """An average of uint8 rounds halves upwards, one of int8 away from zero. That is the same above zero: the pool
    takes the uint8 values as int16."""
    options, source, output = node.options, node.inputs[0], node.outputs[0]
    is_even = options["padding"] == "SAME" or options["kernel_h"] * options["kernel_w"] % 2 == 0
    if not is_even or options["activation"] != "NONE":
        return
    lowest, zero = np.array([-128]), np.array([0])
    from_zero = replace(source, name=f"{node.name}_from_zero", zero_point=lowest)
    wide = replace(source, name=f"{node.name}_wide", dtype="int16", zero_point=zero)
    pooled = replace(output, name=f"{node.name}_pooled", dtype="int16", zero_point=zero)
    low = replace(output, name=f"{node.name}_low", zero_point=lowest)
    chain = [
        Node("RESHAPE", from_zero.name, [source], [from_zero]),
        Node("QUANTIZE", wide.name, [from_zero], [wide]),
        Node(node.kind, node.name, [wide], [pooled], options),
        Node("QUANTIZE", low.name, [pooled], [low]),
        Node("RESHAPE", output.name, [low], [output]),
    ]
    at = graph.nodes.index(node)
    graph.nodes[at : at + 1] = chain


def _take_zero_point(graph: Graph, node: Node, weights: Tensor) -> None:
    rest = weights.data.astype(np.int16) - (weights.zero_point[0] if weights.zero_point.size else 0)
    parts = []
    while rest.any() or not parts:
        parts.append(np.clip(rest, -128, 127).astype(np.int8))
        rest = rest - parts[-1]
    data = parts[0] if len(parts) == 1 else _REPEATED[node.kind](graph, node, parts)
    node.inputs[1] = replace(
        weights, name=f"{weights.name}_signed", shape=data.shape, data=data, zero_point=np.zeros(1)
    )


def _insert(graph: Graph, before: Node, kind: str, sources: list[Tensor], shape: tuple[int, ...], **options) -> Tensor:
    """A tensor that a new node computes of `sources`."""
    made = replace(sources[0], name=f"{before.name}_{kind.lower()}", shape=shape)
    graph.nodes.insert(graph.nodes.index(before), Node(kind, made.name, list(sources), [made], options))
    return made


# Each makes the layer read its input as often as there are parts of its weights; returns the new weights.


def _channels(graph: Graph, node: Node, parts: list[np.ndarray]) -> np.ndarray:
    """The channels several times."""
    at = 2 if node.kind == "TRANSPOSE_CONV" else 0
    source = node.inputs[at]
    shape = (*source.shape[:-1], len(parts) * source.shape[-1])
    sources = [source] * len(parts)
    node.inputs[at] = _insert(graph, node, "CONCATENATION", sources, shape, axis=-1, activation="NONE")
    return np.concatenate(parts, -1)


def _columns(graph: Graph, node: Node, parts: list[np.ndarray]) -> np.ndarray:
    """The columns of a dense layer several times."""
    depth = parts[0].shape[1]
    node.inputs[0] = _insert(graph, node, "RESHAPE", [node.inputs[0]], (node.inputs[0].size // depth, depth))
    return _channels(graph, node, parts)


def _pixels(graph: Graph, node: Node, parts: list[np.ndarray]) -> np.ndarray:
    """Every pixel of a row several times."""
    options, source, out = node.options, node.inputs[0], node.outputs[0].shape[1:3]
    kernel, count = parts[0].shape[1:3], len(parts)
    if options["dilation_w"] != 1:
        raise node.refuse("it has uint8 weights of 9 bits and a dilation", "quantise the model to int8")
    strides, dilations = (options["stride_h"], options["stride_w"]), (options["dilation_h"], 1)
    same = options["padding"] == "SAME"
    top, left = (
        same_padding(n, o, k, s, d) if same else 0
        for n, o, k, s, d in zip(source.shape[1:3], out, kernel, strides, dilations, strict=True)
    )
    n, h, w, c = source.shape
    pixels = _insert(graph, node, "PACK", [source] * count, (n, h, w, count, c), axis=3)
    node.inputs[0] = _insert(graph, node, "RESHAPE", [pixels], (n, h, count * w, c))
    padding = {"padding": "EXPLICIT", "pad": (top, count * left)}
    node.options = {**options, "stride_w": count * strides[1], **padding}
    return np.stack(parts, 3).reshape(1, kernel[0], count * kernel[1], parts[0].shape[3])


_REPEATED = {
    "CONV_2D": _channels,
    "TRANSPOSE_CONV": _channels,
    "FULLY_CONNECTED": _columns,
    "DEPTHWISE_CONV_2D": _pixels,
}
