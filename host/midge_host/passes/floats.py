"""Functions of floats between quantised tensors."""

from __future__ import annotations

from ..device.numerics import FLOAT_FUNCTIONS
from ..ir.graph import Graph
from ..ir.operators import Dequantize, Elementwise, FloatFunctions, Quantize
from .words import count


def tabulate_floats(graph: Graph) -> str:
    """A Quantize of functions of dequantised values becomes one operator: converters leave those functions in float
    that have no int8 form in TensorFlow Lite. What nobody else reads of them is then unused."""
    made = 0
    for at, node in enumerate(graph.nodes):
        if not isinstance(node, Quantize):
            continue
        functions: list[type[Elementwise]] = []
        maker = graph.producer(node.source)
        while isinstance(maker, Elementwise) and type(maker) in FLOAT_FUNCTIONS:
            functions.insert(0, type(maker))
            maker = graph.producer(maker.source)
        if functions and isinstance(maker, Dequantize):
            graph.nodes[at] = FloatFunctions(
                name=node.name, source=maker.source, output=node.output, functions=tuple(functions)
            )
            made += 1
    return count(made, "function of floats as a table", "functions of floats as tables")
