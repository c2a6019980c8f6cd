"""Dilated convolutions as TensorFlow writes some of them, above all Conv1D: SPACE_TO_BATCH_ND, a convolution without
dilation, BATCH_TO_SPACE_ND. They become one convolution again, with TensorFlow Lite's results. (TFLM cannot compute
them: the shapes between the three change while the model runs.)"""

from __future__ import annotations

from dataclasses import replace

from ..ir.graph import RESHAPES, Graph, Node, Tensor

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def fuse_dilation(graph: Graph) -> None:
    for first in [n for n in graph.nodes if n.kind == "SPACE_TO_BATCH_ND"]:
        chain = _chain(graph, first)
        conv = next((n for n in chain if n.kind in CONVOLUTIONS), None)
        if conv is None or chain[-1].kind != "BATCH_TO_SPACE_ND":
            raise first.refuse("no convolution follows that it would dilate", "replace the layer")
        _fuse(graph, chain, conv)


def _chain(graph: Graph, first: Node) -> list[Node]:
    """The nodes from `first` to the BATCH_TO_SPACE_ND behind it, as far as each alone reads the one before."""
    chain = [first]
    while chain[-1].kind != "BATCH_TO_SPACE_ND":
        readers = graph.consumers(chain[-1].outputs[0])
        if len(readers) != 1 or readers[0].kind not in (*RESHAPES, *CONVOLUTIONS, "BATCH_TO_SPACE_ND"):
            break
        chain.append(readers[0])
    return chain


def _fuse(graph: Graph, chain: list[Node], conv: Node) -> None:
    first, last = chain[0], chain[-1]
    source, output = first.inputs[0], last.outputs[0]
    blocks, pads = (_constants(first, i) for i in (1, 2))
    crops = _constants(last, 2)
    options, kernel = conv.options, conv.inputs[1].shape[1:3]
    plain = options["padding"] == "VALID" and {options[f"{o}_{a}"] for o in ("stride", "dilation") for a in "hw"} == {1}
    if not plain or len(source.shape) != len(blocks) + 2 or len(blocks) > 2 or _constants(last, 1) != blocks:
        raise first.refuse("its convolution has strides, padding or another block", "replace the layer")
    # One dimension is the image's height or width, whichever the kernel has.
    tall = len(blocks) == 1 and kernel[0] > 1
    spread = [(block, pads[2 * i] - crops[2 * i]) for i, block in enumerate(blocks)]
    if len(spread) == 1:
        spread = [*spread, (1, 0)] if tall else [(1, 0), *spread]
    if any(pad < 0 for _, pad in spread):
        raise first.refuse("it cuts more off than it puts on", "replace the layer")

    def image(tensor: Tensor, name: str) -> Tensor:
        n, *sizes, c = tensor.shape
        sizes = sizes if len(sizes) == 2 else [*sizes, 1] if tall else [1, *sizes]
        return replace(tensor, name=name, shape=(n, *sizes, c))

    wide, made = image(source, f"{source.name}_image"), image(output, f"{output.name}_image")
    fused = replace(conv, inputs=[wide, *conv.inputs[1:]], outputs=[made])
    fused.options = {**options, "dilation_h": spread[0][0], "dilation_w": spread[1][0]}
    fused.options |= {"padding": "EXPLICIT", "pad": tuple(pad for _, pad in spread)}
    at = graph.nodes.index(first)
    new = [Node("RESHAPE", wide.name, [source], [wide]), fused, Node("RESHAPE", made.name, [made], [output])]
    graph.nodes = [*graph.nodes[:at], *new, *(n for n in graph.nodes[at:] if n not in chain)]


def _constants(node: Node, index: int) -> list[int]:
    return [int(v) for v in node.constant(index, "parameters are", "use constant sizes")]
