"""Layers that only constants determine."""

from __future__ import annotations

from ..ir.evaluate import fold
from ..ir.graph import Graph
from .words import count


def fold_constants(graph: Graph) -> str:
    kept = [node for node in graph.nodes if any(graph.is_output(t) for t in node.outputs) or not fold(node)]
    folded = len(graph.nodes) - len(kept)
    graph.nodes = kept
    return count(folded, "layer of constants", "layers of constants")
