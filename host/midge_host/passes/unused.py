"""Layers whose results nobody reads."""

from __future__ import annotations

from ..ir.graph import Graph
from .words import count


def drop_unused(graph: Graph) -> str:
    wanted = {id(edge.tensor) for edge in graph.outputs} | {id(s.tensor) for s in graph.state}
    kept = []
    for node in reversed(graph.nodes):
        # A node without outputs writes a variable.
        if not node.outputs or any(id(t) in wanted for t in node.outputs):
            wanted |= set(map(id, node.inputs))
            kept.append(node)
    dropped = len(graph.nodes) - len(kept)
    graph.nodes = kept[::-1]
    return count(dropped, "layer that nobody reads", "layers that nobody reads")
