"""Functions of one value that a graph of floats spells in several operators."""

from __future__ import annotations

from dataclasses import replace

from ..device.numerics import FLOAT_FUNCTIONS
from ..ir import operators as ir
from ..ir.graph import Graph, Node, Tensor
from .words import count


def fuse_functions(graph: Graph) -> str:
    """Operators that together compute a function of each element of one tensor, be it x * sigmoid(x), become one
    Composite: a device looks its values up in one table, and rounds once."""
    made = 0
    roots = _roots(graph)
    for node in list(graph.nodes):
        for output in node.outputs:
            if id(output) not in roots or not _is_wanted(graph, output, roots):
                continue
            root = roots[id(output)]
            inner = _between(graph, root, output)
            if len(inner) > 1:
                _replace(graph, root, output, inner)
                made += 1
    return count(made, "function spelt in several operators", "functions spelt in several operators")


def _roots(graph: Graph) -> dict[int, Tensor]:
    """By the id of what pointwise operators compute: the one tensor that it is a function of."""
    roots: dict[int, Tensor] = {}
    for node in graph.nodes:
        if type(node) not in FLOAT_FUNCTIONS:
            continue
        output = node.outputs[0]
        read = [t for t in node.inputs if t.data is None]
        sources = {id(roots.get(id(t), t)): roots.get(id(t), t) for t in read}
        if len(sources) != 1 or any(t.size != 1 for t in node.inputs if t.data is not None):
            continue
        (source,) = sources.values()
        if source.dtype == "float32" and source.shape == output.shape and all(t.shape == output.shape for t in read):
            roots[id(output)] = source
    return roots


def _is_wanted(graph: Graph, tensor: Tensor, roots: dict[int, Tensor]) -> bool:
    """Whether somebody reads a real value who is no part of the same function."""
    if tensor.dtype != "float32":
        return False
    root = roots[id(tensor)]
    outside = [n for n in graph.consumers(tensor) if not any(roots.get(id(t)) is root for t in n.outputs)]
    return bool(outside) or graph.is_output(tensor)


def _between(graph: Graph, root: Tensor, result: Tensor) -> list[Node]:
    """The operators that make `result` of `root`, in their order."""
    wanted, inner = {id(result)}, list[Node]()
    for node in reversed(graph.nodes):
        if any(id(t) in wanted for t in node.outputs):
            inner.insert(0, node)
            wanted |= {id(t) for t in node.inputs if t.data is None and t is not root}
    return inner


def _replace(graph: Graph, root: Tensor, result: Tensor, inner: list[Node]) -> None:
    """Puts a Composite in the place of the last operator, and removes the others where nobody else reads them."""
    argument = replace(root, name=f"{root.name}/argument")
    copies: dict[int, Tensor] = {id(root): argument}
    nodes = []
    for node in inner:
        copy = replace(node)
        for tensor in node.inputs:
            if id(tensor) in copies:
                copy.replace_input(tensor, copies[id(tensor)])
        for tensor in node.outputs:
            copies[id(tensor)] = replace(tensor, name=f"{tensor.name}/inner")
            copy.replace_output(tensor, copies[id(tensor)])
        nodes.append(copy)
    composite = ir.Composite(
        name=inner[-1].name, kind=inner[-1].kind, source=root, output=result, argument=argument, nodes=nodes
    )
    graph.nodes[graph.nodes.index(inner[-1])] = composite
    for node in reversed(inner[:-1]):
        read = any(graph.consumers(t) or graph.is_output(t) for t in node.outputs)
        if not read:
            graph.nodes.remove(node)
