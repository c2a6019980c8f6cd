"""Zeros around an image, which a convolution adds by itself."""

from __future__ import annotations

from ..ir.graph import Graph
from ..ir.operators import NO_PADDING, Conv2D, DepthwiseConv2D, Pad
from .words import count


def fuse_padding(graph: Graph) -> str:
    """A Pad of height and width with zeros becomes the padding of the convolution that alone reads it."""
    fused = 0
    for pad in [n for n in graph.nodes if isinstance(n, Pad) and n.value is None]:
        source, padded = pad.source, pad.output
        readers = graph.consumers(padded)
        if len(readers) != 1 or graph.is_output(padded) or len(padded.shape) != 4:
            continue
        conv = readers[0]
        if not isinstance(conv, Conv2D | DepthwiseConv2D) or conv.padding != NO_PADDING:
            continue
        batch, rows, columns, channels = pad.paddings
        if batch != (0, 0) or channels != (0, 0) or not source.has_scale_of(padded):
            continue
        conv.source, conv.padding = source, (rows, columns)
        graph.nodes.remove(pad)
        fused += 1
    return count(fused, "padding of a convolution", "paddings of convolutions")
