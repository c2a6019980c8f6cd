"""The state of a model from one prediction to the next: variables, and the state tensors of recurrent layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..ir.graph import Graph, State, Tensor
from ..ir.operators import Copy, Dequantize, Lstm, Pad, Quantize, ReadVariable, Reshape, WriteVariable
from .words import count

# Operators that later passes take into those behind them, as they take those of floats: what they read is read when
# their readers run.
_LATE = (Reshape, Pad, Quantize, Dequantize)


def resolve_state(graph: Graph) -> str:
    """Fills graph.state. A variable becomes a tensor that ReadVariable renames and WriteVariable computes."""
    variables: dict[str, Tensor] = {}
    for node in [n for n in graph.nodes if isinstance(n, ReadVariable | WriteVariable)]:
        at = graph.nodes.index(node)
        value = node.output if isinstance(node, ReadVariable) else node.source
        if node.variable not in variables:
            variables[node.variable] = replace(value, name=node.variable, data=None)
            graph.state.append(State(variables[node.variable], graph.variables[node.variable]))
        variable = variables[node.variable]
        if (value.shape, value.dtype) != (variable.shape, variable.dtype):
            raise node.refuse(f"the variable {node.variable!r} has two shapes or types", "export the model again")
        if isinstance(node, WriteVariable):
            graph.nodes[at] = Copy(name=node.name, kind=node.kind, source=value, output=variable)
        elif _is_overwritten(graph, at, node):
            graph.nodes[at] = Copy(name=node.name, kind=node.kind, source=variable, output=value)
        else:
            graph.nodes.remove(node)
            graph.replace(value, variable)
    graph.variables = {}
    written = list(variables.values())
    for copy in [n for n in graph.nodes if isinstance(n, Copy) and n.output in written]:
        _write_in_place(graph, copy)
    _layer_states(graph)
    return count(len(graph.state), "tensor that a model keeps", "tensors that the model keeps")


def _write_in_place(graph: Graph, assign: Copy) -> None:
    """Lets the layer that computes a variable's new value write it there, where nobody reads the former one after
    that layer has begun."""
    value, variable = assign.source, assign.output
    producer = graph.producer(value)
    if producer is None or isinstance(producer, Reshape):
        return
    if len(graph.consumers(value)) > 1 or graph.is_output(value):
        return
    if isinstance(producer, Quantize) and graph.is_input(producer.source):
        return  # the device library may do it, before the prediction begins
    if any(variable in n.outputs for n in graph.nodes if n is not assign) or value in [s.tensor for s in graph.state]:
        return
    if _last_read(graph, variable) < graph.nodes.index(producer):
        producer.replace_output(value, variable)
        graph.nodes.remove(assign)


def _is_overwritten(graph: Graph, at: int, read: ReadVariable) -> bool:
    """Whether the variable gets a new value while what `read`, the node at `at`, read is still wanted."""
    last = _last_read(graph, read.output)
    if last == len(graph.nodes):
        return True
    return any(isinstance(n, WriteVariable) and n.variable == read.variable for n in graph.nodes[at + 1 : last])


def _last_read(graph: Graph, tensor: Tensor) -> int:
    """The index of the last node that reads `tensor`, also by way of _LATE operators; -1 if none does, the number of
    nodes if the caller of the model does."""
    names, last = {id(tensor)}, -1
    for i, node in enumerate(graph.nodes):
        if any(id(t) in names for t in node.inputs):
            last = i
            if isinstance(node, _LATE) or any(t.dtype == "float32" for t in node.outputs):
                names |= set(map(id, node.outputs))
    return len(graph.nodes) if any(id(e.tensor) in names for e in graph.outputs) else last


def _layer_states(graph: Graph) -> None:
    """State tensors of layers begin with real zeros, as TFLM's ResetVariableTensors leaves them. Those of a stateless
    LSTM are no state of the model."""
    known: set[int] = set()
    keepers = [n for n in graph.nodes if not isinstance(n, Lstm) or n.stateful]
    for tensor in [t for node in keepers for t in node.inputs if t.is_variable]:
        if id(tensor) not in known:
            known.add(id(tensor))
            zero = tensor.zero_point[0] if tensor.dtype == "int8" and tensor.zero_point.size else 0
            graph.state.append(State(tensor, np.full(tensor.shape, zero, tensor.dtype)))
