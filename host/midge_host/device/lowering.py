"""From a graph to the steps of a device."""

from __future__ import annotations

import numpy as np

from ..ir.graph import Graph, Node, Tensor
from ..ir.operators import Reshape
from .ops import LOWERINGS, constant
from .program import Program
from .record import Step


def lower(graph: Graph) -> Program:
    """The program of a graph that `verify` accepts; UnsupportedError for what the device cannot compute."""
    for node in graph.nodes:
        if type(node) not in LOWERINGS and not isinstance(node, Reshape):
            raise node.refuse("midge has no such operator", _advice(node.kind))
    state = [s.tensor for s in graph.state]
    steps = [constant.fill(s.tensor, s.initial) for s in graph.state]
    init_count = len(steps)
    aliases: dict[Tensor, Tensor] = {}
    for node in graph.nodes:
        if isinstance(node, Reshape):
            aliases[node.output] = node.source
        else:
            steps += _lower(node)
    return Program(
        steps, init_count, [e.tensor for e in graph.inputs], [e.tensor for e in graph.outputs], state, aliases
    )


def _lower(node: Node) -> list[Step]:
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            steps = LOWERINGS[type(node)].lower(node)
    except (FloatingPointError, OverflowError) as error:
        reason = f"its scales and constants do not fit together: they go beyond what floats hold ({error})"
        raise node.refuse(reason, "export the model again") from error
    for tensor in [t for step in steps for t in step.inputs]:
        if tensor.data is not None:
            raise node.refuse(f"its input {tensor.name!r} is a constant", "export the model with constant folding")
    return steps


def _advice(kind: str) -> str:
    if kind.startswith("Flex"):
        return "rebuild the layer from TensorFlow Lite operators"
    return "docs/operators.md lists what it has; replace the layer or cut the model before it"
