"""Variables of a model: their handles become names."""

from __future__ import annotations

import numpy as np

from ...ir import operators as ir
from ...ir.graph import Node
from .node import FileNode

VARIABLES = ("READ_VARIABLE", "ASSIGN_VARIABLE")


def variable_operator(node: FileNode, names: dict[int, str]) -> Node:
    variable = _variable_name(node, names)
    if node.kind == "READ_VARIABLE":
        return ir.ReadVariable(name=node.name, kind=node.kind, variable=variable, output=node.output)
    return ir.WriteVariable(name=node.name, kind=node.kind, variable=variable, source=node.input(1))


def variable_names(nodes: list[FileNode]) -> dict[int, str]:
    """Names of variables by the identity of their handles."""
    handles = [n for n in nodes if n.kind == "VAR_HANDLE"]
    return {id(n.output): f"{n.options['container']}/{n.options['shared_name']}".strip("/") for n in handles}


def _variable_name(node: FileNode, names: dict[int, str]) -> str:
    name = names.get(id(node.input()))
    if name is None:
        raise node.refuse("its variable is computed")
    return name


def initial_values(nodes: list[FileNode]) -> dict[str, np.ndarray]:
    """The constants that the graph of CALL_ONCE gives the variables."""
    names = variable_names(nodes)
    values = {}
    for node in nodes:
        if node.kind == "ASSIGN_VARIABLE":
            data = node.input(1).data
            if data is None:
                raise node.refuse("a variable's first value is not a constant")
            values[_variable_name(node, names)] = data
        elif node.kind != "VAR_HANDLE":
            raise node.refuse("it computes first values of variables", "initialise variables with constants")
    return values
