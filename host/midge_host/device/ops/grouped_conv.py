"""CONV_2D of channels in groups: for each group a COPY of its input channels, a CONV_2D, and a COPY of what it makes.

The convolutions are those that every processor has tuned kernels for; the memory beyond input and output is that of
one group. Groups of one channel are a DEPTHWISE_CONV_2D.
"""

from __future__ import annotations

from dataclasses import replace
from operator import itemgetter

import numpy as np

from ...ir.graph import Tensor
from ...ir.operators import Conv2D
from ..record import Step
from . import conv
from .copy import gather, scatter
from .window import image_shape


def lower(node: Conv2D) -> list[Step]:
    source, weights, bias, output = node.source, node.weights, node.bias, node.output
    in_c, depth = source.shape[3], weights.shape[3]
    if depth in (1, in_c) or weights.data is None:
        return conv.lower_conv(node)
    height, width, _ = image_shape(node, source)
    groups = in_c // depth
    channels = len(weights.data) // groups
    steps: list[Step] = []
    for group in range(groups):
        read, made = (slice(group * n, (group + 1) * n) for n in (depth, channels))
        part = replace(source, name=f"{source.name}_{group}", shape=(1, height, width, depth))
        result = replace(output, name=f"{output.name}_{group}", shape=(*output.shape[:3], channels))
        inner = replace(node, source=part, weights=_part(weights, made), bias=bias and _part(bias, made), output=result)
        steps.append(gather(node, source, part, itemgetter((..., read))))
        steps += conv.lower_conv(inner)
        steps.append(scatter(node, result, output, itemgetter((..., made)), group < groups - 1))
    return steps


def _part(tensor: Tensor, channels: slice) -> Tensor:
    """The weights or the biases of some channels."""
    if tensor.data is None:
        return tensor
    data, quantization = np.ascontiguousarray(tensor.data[channels]), tensor.quantization
    if quantization is not None and quantization.scale.size == len(tensor.data):
        scale, zero_point = quantization.scale[channels], quantization.zero_point[channels]
        quantization = replace(quantization, scale=scale, zero_point=zero_point)
    return replace(tensor, shape=data.shape, data=data, quantization=quantization)
