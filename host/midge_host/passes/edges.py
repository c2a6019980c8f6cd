"""Conversions at the model's ends: who runs the model does them, with the same arithmetic."""

from __future__ import annotations

from dataclasses import replace

from ..ir.graph import Edge, Graph, Node, Tensor
from ..ir.operators import Dequantize, Logistic, LogSoftmax, Quantize, Softmax
from ..ir.verify import QUANTISED
from .words import count


def fold_edges(graph: Graph) -> str:
    """Quantize after an input and Dequantize or Quantize before an output move into the description of the edge, and
    so does a softmax, log-softmax or sigmoid of floats at the end."""
    before = len(graph.nodes)
    graph.outputs = [_fold_function(graph, edge) for edge in graph.outputs]
    graph.inputs = [_fold_input(graph, edge) for edge in graph.inputs]
    folded: dict[Tensor, Edge] = {}  # one tensor may be two outputs
    for edge in graph.outputs:
        if edge.tensor not in folded:
            folded[edge.tensor] = _fold_output(graph, edge)
    graph.outputs = [folded[edge.tensor] for edge in graph.outputs]
    return count(before - len(graph.nodes), "conversion at an input or output", "conversions at inputs and outputs")


def _is_shift_by_128(a: Tensor, b: Tensor) -> bool:
    """True for int8 <-> uint8 of one scale: bytes that differ in the top bit only."""
    if {a.dtype, b.dtype} != {"int8", "uint8"} or a.scale.size != 1 or b.scale.size != 1:
        return False
    signed, unsigned = (a, b) if a.dtype == "int8" else (b, a)
    return bool(a.scale[0] == b.scale[0] and unsigned.zero_point[0] - signed.zero_point[0] == 128)


def _fold_input(graph: Graph, edge: Edge) -> Edge:
    tensor, readers = edge.tensor, graph.consumers(edge.tensor)
    if len(readers) == 1 and isinstance(readers[0], Quantize) and not graph.is_output(tensor):
        node, quantised = readers[0], readers[0].output
        real = tensor.dtype == "float32" and quantised.dtype in QUANTISED
        if real or (quantised.dtype == "int8" and _is_shift_by_128(tensor, quantised)):
            graph.nodes.remove(node)
            return replace(edge, tensor=quantised)
    return edge


_FUNCTIONS: dict[type[Node], str] = {Softmax: "softmax", LogSoftmax: "log_softmax", Logistic: "logistic"}


def _fold_function(graph: Graph, edge: Edge) -> Edge:
    """The edge before a function of dequantised values at the model's end; Dequantize stays for `_fold_output`."""
    node = graph.producer(edge.tensor)
    if not isinstance(node, Softmax | LogSoftmax | Logistic) or edge.tensor.dtype != "float32":
        return edge
    maker, readers = graph.producer(node.source), graph.consumers(edge.tensor)
    alone = not readers and sum(e.tensor is edge.tensor for e in graph.outputs) == 1
    has_beta = isinstance(node, Softmax) and node.beta != 1.0
    if not isinstance(maker, Dequantize) or not alone or has_beta or len(graph.consumers(node.source)) > 1:
        return edge
    graph.nodes.remove(node)
    return replace(edge, tensor=node.source, function=_FUNCTIONS[type(node)])


def _fold_output(graph: Graph, edge: Edge) -> Edge:
    tensor, node = edge.tensor, graph.producer(edge.tensor)
    if isinstance(node, Quantize | Dequantize) and not graph.consumers(tensor):
        source = node.source
        dequantizes = isinstance(node, Dequantize) and tensor.dtype == "float32"
        shifts = isinstance(node, Quantize) and _is_shift_by_128(source, tensor)
        if source.data is None and source.dtype in QUANTISED and (dequantizes or shifts):
            graph.nodes.remove(node)
            return replace(edge, tensor=source)
    return edge
