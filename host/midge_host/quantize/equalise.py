"""Channels of one tensor that share its scale better.

Where a layer's channels have ranges far apart, most of them use few of the 256 steps. With ReLU or without activation,
a layer may give factor * y instead of y, if the layer that reads it divides its weights by the factor (Nagel et al.,
"Data-free quantization through weight equalization and bias correction", 2019; here by the ranges of the results,
since weights have a scale for each channel).
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from ..ir import operators as ir
from ..ir.graph import Graph, Node
from ..ir.operators import Activation
from ..passes.factors import put_into, scale_results, takes
from .calibrate import Calibration
from .levels import would_lose_levels

_SHARE = 0.5  # of the differences goes to the reader. With more, ranges fit the calibration data and nothing else.
_LIMIT = 64.0  # of a factor


def equalise(graph: Graph, calibration: Calibration) -> int:
    """Changes pairs of layers in place; how many."""
    done = 0
    shared = Counter(id(n.weights) for n in graph.nodes if isinstance(n, ir.Weighted))
    for node in graph.nodes:
        if not isinstance(node, ir.Weighted) or node.weights.data is None or shared[id(node.weights)] > 1:
            continue
        reader = _reader(graph, node) if node.activation in (Activation.NONE, Activation.RELU) else None
        low, high = calibration.of(node.output).channels
        reach = np.maximum(np.abs(low), np.abs(high))
        if reader is None or shared[id(reader.weights)] > 1 or would_lose_levels(reader):
            continue
        if reach.size != node.weights.shape[node.CHANNEL_AXIS] or not reach.any():
            continue
        factor = (reach.max() / np.maximum(reach, reach.max() / _LIMIT)) ** _SHARE
        if not takes(reader, 1 / factor, np.zeros_like(factor)):
            continue
        if scale_results(node, factor, np.zeros_like(factor)):
            put_into(reader, 1 / factor, np.zeros_like(factor))
            done += 1
    return done


def _reader(graph: Graph, node: Node) -> ir.Weighted | None:
    """The layer with weights that alone reads what `node` gives, maybe by way of layers that keep channels apart and
    factors as they are."""
    tensor = node.outputs[0]
    readers = graph.consumers(tensor)
    if len(readers) != 1 or graph.is_output(tensor):
        return None
    reader = readers[0]
    if isinstance(reader, ir.Weighted):
        return reader if reader.source is tensor else None
    return _reader(graph, reader) if _keeps(reader) else None


def _keeps(node: Node) -> bool:
    rank = len(node.inputs[0].shape)
    if isinstance(node, ir.Pool):
        return node.activation in (Activation.NONE, Activation.RELU)
    if isinstance(node, ir.Mean | ir.Sum):
        return rank - 1 not in node.axes
    if isinstance(node, ir.Pad):
        return node.paddings[-1] == (0, 0) and node.value in (None, 0)
    return isinstance(node, ir.Reshape) and node.source.shape[-1] == node.output.shape[-1]
