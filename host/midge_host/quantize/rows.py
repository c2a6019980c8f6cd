"""What a layer with weights multiplies: its weights, and what it reads, as matrices of groups.

A group of output channels reads the same `depth` values at each place: all channels of a convolution or a Dense layer,
those that one input channel makes of a depthwise convolution.
"""

from __future__ import annotations

import numpy as np

from ..ir import operators as ir
from ..ir.evaluate import padded, windows

LAYERS = (ir.Conv2D, ir.DepthwiseConv2D, ir.Dense)


def groups_of(node: ir.Weighted) -> int:
    if isinstance(node, ir.DepthwiseConv2D):
        return int(node.source.shape[3])
    return int(node.source.shape[3] // node.weights.shape[3]) if isinstance(node, ir.Conv2D) else 1


def to_rows(node: ir.Weighted, weights: np.ndarray) -> np.ndarray:
    """(groups, channels of a group, depth) of a layer's weights."""
    if isinstance(node, ir.DepthwiseConv2D):
        return weights.reshape(-1, groups_of(node), weights.shape[3] // groups_of(node)).transpose(1, 2, 0)
    groups = groups_of(node)
    return weights.reshape(groups, len(weights) // groups, -1)


def from_rows(node: ir.Weighted, rows: np.ndarray) -> np.ndarray:
    """The reverse."""
    if isinstance(node, ir.DepthwiseConv2D):
        rows = rows.transpose(2, 0, 1)
    return np.ascontiguousarray(rows).reshape(node.weights.shape)


def places(node: ir.Weighted, readings: int) -> int:
    """How often `readings` make a layer multiply its weights."""
    return readings * (node.output.size // node.weights.shape[node.CHANNEL_AXIS])


def read_at(node: ir.Weighted, source: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(groups, len(chosen), depth): the values of `source`, (readings, *shape), that are read at some of the places."""
    if isinstance(node, ir.Dense):
        return source.reshape(1, -1, node.weights.shape[1])[:, chosen]
    assert isinstance(node, ir.Conv2D | ir.DepthwiseConv2D)
    image = padded(source.reshape(-1, *node.source.shape[1:]), node.padding, 0)
    height, width = node.weights.shape[1:3]
    views = windows(image, (height, width), node.strides, node.dilations)
    picked = views[np.unravel_index(chosen, views.shape[:3])]  # (chosen, channels, height, width)
    groups = groups_of(node)
    split = picked.reshape(len(chosen), groups, -1, *picked.shape[2:]).transpose(1, 0, 3, 4, 2)
    return split.reshape(groups, len(chosen), -1)
