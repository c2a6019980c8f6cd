"""Dilated convolutions as TensorFlow writes some of them, above all Conv1D: SPACE_TO_BATCH_ND, a convolution without
dilation, BATCH_TO_SPACE_ND. They become one convolution again, with TensorFlow Lite's results. (TFLM cannot compute
them: the shapes between the three change while the model runs.)"""

from __future__ import annotations

from dataclasses import replace

from ..ir.graph import Graph, Node, Tensor
from ..ir.operators import NO_PADDING, BatchToSpace, Conv2D, DepthwiseConv2D, Reshape, SpaceToBatch
from .words import count


def fuse_dilation(graph: Graph) -> str:
    """Whatever stands between SpaceToBatch and BatchToSpace becomes a convolution with a dilation."""
    firsts = [n for n in graph.nodes if isinstance(n, SpaceToBatch)]
    for first in firsts:
        chain = _chain(graph, first)
        conv = next((n for n in chain if isinstance(n, Conv2D | DepthwiseConv2D)), None)
        last = chain[-1]
        if conv is None or not isinstance(last, BatchToSpace):
            raise first.refuse("no convolution follows that it would dilate", "replace the layer")
        _fuse(graph, chain, first, conv, last)
    return count(len(firsts), "dilation of a convolution", "dilations of convolutions")


def _chain(graph: Graph, first: SpaceToBatch) -> list[Node]:
    """The nodes from `first` to the BatchToSpace behind it, as far as each alone reads the one before."""
    chain: list[Node] = [first]
    while not isinstance(chain[-1], BatchToSpace):
        readers = graph.consumers(chain[-1].outputs[0])
        if len(readers) != 1 or not isinstance(readers[0], Reshape | Conv2D | DepthwiseConv2D | BatchToSpace):
            break
        chain.append(readers[0])
    return chain


def _fuse(
    graph: Graph, chain: list[Node], first: SpaceToBatch, conv: Conv2D | DepthwiseConv2D, last: BatchToSpace
) -> None:
    source, output = first.source, last.output
    plain = conv.padding == NO_PADDING and conv.strides == conv.dilations == (1, 1)
    if not plain or len(source.shape) != len(first.block) + 2 or len(first.block) > 2 or last.block != first.block:
        raise first.refuse("its convolution has strides, padding or another block", "replace the layer")
    # One dimension is the image's height or width, whichever the kernel has.
    tall = len(first.block) == 1 and conv.weights.shape[1] > 1
    spread = [
        (block, (pads[0] - crops[0], pads[1] - crops[1]))
        for block, pads, crops in zip(first.block, first.paddings, last.crops, strict=True)
    ]
    if len(spread) == 1:
        spread = [*spread, (1, (0, 0))] if tall else [(1, (0, 0)), *spread]
    if any(pads[0] < 0 for _, pads in spread):
        raise first.refuse("it cuts more off than it puts on", "replace the layer")

    def image(tensor: Tensor, name: str) -> Tensor:
        n, *sizes, c = tensor.shape
        sizes = sizes if len(sizes) == 2 else [*sizes, 1] if tall else [1, *sizes]
        return replace(tensor, name=name, shape=(n, *sizes, c))

    wide, made = image(source, f"{source.name}_image"), image(output, f"{output.name}_image")
    (rows, high), (columns, broad) = spread
    fused = replace(conv, source=wide, output=made, dilations=(rows, columns), padding=(high, broad))
    at = graph.nodes.index(first)
    new = [
        Reshape(name=wide.name, source=source, output=wide),
        fused,
        Reshape(name=made.name, source=made, output=output),
    ]
    graph.nodes = [*graph.nodes[:at], *new, *(n for n in graph.nodes[at:] if n not in chain)]
