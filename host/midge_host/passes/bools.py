"""Truth in bytes."""

from __future__ import annotations

import numpy as np

from ..ir.graph import Graph, Quantization
from ..ir.operators import Table
from .words import count

NUMBERS = Quantization(np.ones(1, np.float32), np.zeros(1, np.int64))


def hold_bools(graph: Graph) -> str:
    """Makes bool tensors int8 ones of 0 and 1."""
    tensors = [t for node in graph.nodes for t in (*node.inputs, *node.outputs)]
    tensors += [edge.tensor for edge in (*graph.inputs, *graph.outputs)] + [s.tensor for s in graph.state]
    held = {id(t): t for t in tensors if t.dtype == "bool"}
    for tensor in held.values():
        tensor.dtype, tensor.quantization = "int8", NUMBERS
        if tensor.data is not None:
            tensor.data = tensor.data.astype(np.int8)
    for node in graph.nodes:
        if isinstance(node, Table):
            node.table = node.table.astype(np.int8)
    for edge in (*graph.inputs, *graph.outputs):
        edge.dtype = "int8" if edge.dtype == "bool" else edge.dtype
    return count(len(held), "bool tensor as bytes", "bool tensors as bytes")
