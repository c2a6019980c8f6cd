"""Activations of floats that the layer before them takes in."""

from __future__ import annotations

from ..ir import operators as ir
from ..ir.graph import Graph, Node
from ..ir.operators import Activation
from .words import count

_CLAMPS: dict[type[Node], Activation] = {
    ir.Relu: Activation.RELU,
    ir.Relu6: Activation.RELU6,
    ir.ReluN1To1: Activation.RELU_N1_TO_1,
}


def fuse_activations(graph: Graph) -> str:
    """A Relu, Relu6 or ReluN1To1 becomes the activation of the layer that alone makes what it reads."""
    fused = 0
    for node in [n for n in graph.nodes if type(n) in _CLAMPS]:
        assert isinstance(node, ir.Elementwise)
        maker = sole_maker(graph, node)
        if isinstance(maker, ir.Weighted | ir.Clamped | ir.Pool) and maker.activation is Activation.NONE:
            maker.activation = _CLAMPS[type(node)]
            take_over(graph, maker, node)
            fused += 1
    return count(fused, "activation of the layer before it", "activations of the layers before them")


def sole_maker(graph: Graph, node: Node) -> Node | None:
    """What computes the first operand of `node`, if only `node` reads it."""
    source = node.inputs[0]
    alone = len(graph.consumers(source)) == 1 and not graph.is_output(source)
    return graph.producer(source) if alone else None


def take_over(graph: Graph, maker: Node, node: Node) -> None:
    """Removes `node`: `maker` makes its result, and bears its name."""
    maker.replace_output(maker.outputs[0], node.outputs[0])
    maker.name = node.name
    graph.nodes.remove(node)
