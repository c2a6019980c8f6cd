"""What a model remembers from one prediction to the next: variables, and the state tensors of recurrent layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..device.numerics import FLOAT_FUNCTIONS
from ..ir.graph import RESHAPES, Graph, Node, State, Tensor

VARIABLE_KINDS = {"CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"}
# Operators that passes take into those behind them: what they read is read when their readers run.
_LATE = RESHAPES | {"PAD", "QUANTIZE", "DEQUANTIZE", *FLOAT_FUNCTIONS}


def resolve_state(graph: Graph) -> None:
    """Fills graph.state. A variable becomes a tensor that READ_VARIABLE renames and ASSIGN_VARIABLE computes."""
    initial = _initial_values(graph.init) if graph.init else {}
    keys = _keys(graph)
    variables: dict[str, Tensor] = {}
    for node in [n for n in graph.nodes if n.kind in VARIABLE_KINDS]:
        at = graph.nodes.index(node)
        if node.kind in ("CALL_ONCE", "VAR_HANDLE"):
            graph.nodes.remove(node)
            continue
        key = _key(node, keys)
        value = node.outputs[0] if node.kind == "READ_VARIABLE" else node.inputs[1]
        if key not in variables:
            variables[key] = replace(value, name=key, data=None)
            if key not in initial:
                raise node.refuse(f"nothing sets the variable {key!r} before the first prediction", "export it again")
            graph.state.append(State(variables[key], initial[key]))
        variable = variables[key]
        if (value.shape, value.dtype) != (variable.shape, variable.dtype):
            raise node.refuse(f"the variable {key!r} has two shapes or types", "export the model again")
        if node.kind == "ASSIGN_VARIABLE":
            node.inputs, node.outputs = [value], [variable]
        elif _is_overwritten(graph, at, key, keys):
            graph.nodes[at] = Node("ASSIGN_VARIABLE", node.name, [variable], [value])
        else:
            graph.nodes.remove(node)
            graph.replace(value, variable)
    for node in [n for n in graph.nodes if n.kind == "ASSIGN_VARIABLE"]:
        _write_in_place(graph, node)
    _layer_states(graph)


def _write_in_place(graph: Graph, assign: Node) -> None:
    """Lets the layer that computes a variable's new value write it there, where nobody reads the former one after
    that layer has begun."""
    value, variable = assign.inputs[0], assign.outputs[0]
    producer = graph.producer(value)
    if producer is None or producer.kind in RESHAPES or len(graph.consumers(value)) > 1 or value in graph.outputs:
        return
    if producer.kind == "QUANTIZE" and producer.inputs[0] in graph.inputs:
        return  # the device library may do it, before the prediction begins
    if any(variable in n.outputs for n in graph.nodes if n is not assign) or value in [s.tensor for s in graph.state]:
        return
    if _last_read(graph, variable) < graph.nodes.index(producer):
        producer.outputs = [variable if t is value else t for t in producer.outputs]
        graph.nodes.remove(assign)


def _keys(graph: Graph) -> dict[int, str]:
    """Names of variables by the identity of their handles."""
    handles = [n for n in graph.nodes if n.kind == "VAR_HANDLE"]
    return {id(n.outputs[0]): f"{n.options['container']}/{n.options['shared_name']}".strip("/") for n in handles}


def _key(node: Node, keys: dict[int, str]) -> str:
    key = keys.get(id(node.inputs[0]))
    if key is None:
        raise node.refuse("its variable is computed", "export the model again")
    return key


def _initial_values(init: Graph) -> dict[str, np.ndarray]:
    keys = _keys(init)
    values = {}
    for node in init.nodes:
        if node.kind == "ASSIGN_VARIABLE":
            if node.inputs[1] is None or node.inputs[1].data is None:
                raise node.refuse("a variable's first value is not a constant", "export the model again")
            values[_key(node, keys)] = node.inputs[1].data
        elif node.kind != "VAR_HANDLE":
            raise node.refuse("it computes first values of variables", "initialise variables with constants")
    return values


def _is_overwritten(graph: Graph, at: int, key: str, keys: dict[int, str]) -> bool:
    """Whether the variable gets a new value while what the READ_VARIABLE at `at` read is still wanted."""
    last = _last_read(graph, graph.nodes[at].outputs[0])
    if last == len(graph.nodes):
        return True
    writers = [n for n in graph.nodes[at + 1 : last] if n.kind == "ASSIGN_VARIABLE"]
    return any(keys.get(id(n.inputs[0])) == key for n in writers)


def _last_read(graph: Graph, tensor: Tensor) -> int:
    """The index of the last node that reads `tensor`, also by way of _LATE operators; -1 if none does, the number of
    nodes if the caller of the model does."""
    names, last = {id(tensor)}, -1
    for i, node in enumerate(graph.nodes):
        if any(id(t) in names for t in node.inputs):
            last = i
            if node.kind in _LATE:
                names |= set(map(id, node.outputs))
    return len(graph.nodes) if any(id(t) in names for t in graph.outputs) else last


def _layer_states(graph: Graph) -> None:
    """State tensors of layers begin with real zeros, as TFLM's ResetVariableTensors leaves them."""
    known: set[int] = set()
    for tensor in [t for node in graph.nodes for t in node.inputs if t is not None and t.is_variable]:
        if id(tensor) not in known:
            known.add(id(tensor))
            zero = tensor.zero_point[0] if tensor.dtype == "int8" and tensor.zero_point.size else 0
            graph.state.append(State(tensor, np.full(tensor.shape, zero, tensor.dtype)))
