"""Runs a graph on many readings at once: each value has an axis of readings before the tensor's own.

A model that keeps a state takes the readings in their order, one after the other, as a stream; so does the evaluator.
The state of a stateless LSTM begins anew with each reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from . import operators as ir
from .evaluate import Array, Evaluator, compute, is_exact, quantise, real_operand
from .graph import Graph, Node, Tensor

Values = dict[int, Array]  # by the id of a tensor: (readings, *shape), as the tensor stores it


def run(graph: Graph, inputs: Sequence[Array]) -> Values:
    """The values of all tensors for `inputs`, one array (N, *shape) for each input of the model, stored as it is."""
    if is_stream(graph):
        return _stream(graph, inputs)
    values: Values = {}
    for edge, value in zip(graph.inputs, inputs, strict=True):
        values[id(edge.tensor)] = stored(edge.tensor, value)
    for node in graph.nodes:
        run_node(node, values, len(inputs[0]))
    return values


def is_stream(graph: Graph) -> bool:
    """Whether what the model gives depends on former readings."""
    kinds = (ir.ReadVariable, ir.WriteVariable, ir.Svdf)
    return bool(graph.state) or any(isinstance(n, kinds) or getattr(n, "stateful", False) for n in graph.nodes)


def _stream(graph: Graph, inputs: Sequence[Array]) -> Values:
    evaluator = Evaluator(graph)
    rows = [
        evaluator.run([stored(e.tensor, x[i : i + 1])[0] for e, x in zip(graph.inputs, inputs, strict=True)])
        for i in range(len(inputs[0]))
    ]
    return {key: np.stack([row[key] for row in rows]) for key in rows[0]}


def stored(tensor: Tensor, value: Array) -> Array:
    return np.asarray(value).astype(tensor.dtype).reshape(-1, *tensor.shape)


def run_node(node: Node, values: Values, count: int) -> None:
    """Adds what one operator gives for `count` readings."""
    exact = is_exact(node)
    for tensor, value in zip(node.outputs, real_results(node, values, count), strict=True):
        if exact or tensor.quantization is None:
            values[id(tensor)] = stored(tensor, value)
        else:
            values[id(tensor)] = quantise(tensor, value).reshape(count, *tensor.shape)


def real_results(node: Node, values: Values, count: int) -> list[Array]:
    """The same before it is stored."""
    exact = is_exact(node)

    def operand(name: str) -> Any:
        arrays = []
        for tensor in node.tensors(name):
            value = tensor.data if tensor.data is not None else _value(tensor, values, count)
            arrays.append(value if exact else real_operand(node, name, tensor, value))
        return arrays if isinstance(getattr(node, name), list) else arrays[0] if arrays else None

    operands = {name: operand(name) for name in node.OPERANDS}
    with np.errstate(all="ignore"):  # infinities saturate
        return _results(node, operands, count)[: len(node.outputs)]


def _value(tensor: Tensor, values: Values, count: int) -> Array:
    """A state that nothing set yet holds real zeros."""
    if id(tensor) not in values:
        zero = int(tensor.zero_point[0]) if tensor.zero_point.size else 0
        return np.full((count, *tensor.shape), zero, tensor.dtype)
    return values[id(tensor)]


_ALIKE = (
    ir.Elementwise,
    ir.Softmax,
    ir.LogSoftmax,
    ir.L2Normalize,
    ir.Reshape,
    ir.Copy,
    ir.Dense,
    ir.Codes,
    ir.SeriesFilter,
    ir.SeriesFeatures,
    ir.TreeSums,
)
_IMAGES = (ir.Window, ir.Resize)


def _results(node: Node, operands: dict[str, Any], count: int) -> list[Array]:
    """Of an operator that has such a form, in one go; else of each reading."""
    constant = all(t.data is not None for name in node.OPERANDS[1:] for t in node.tensors(name))
    if isinstance(node, _ALIKE) and constant:
        return compute(node, list(operands.values()))
    if isinstance(node, _IMAGES) and constant:
        operands["source"] = operands["source"].reshape(-1, *node.inputs[0].shape[1:])
        return compute(node, list(operands.values()))
    if isinstance(node, ir.Binary | ir.MatMul):
        rank = len(node.output.shape)
        return compute(node, [_spread(t, operands[name], rank) for name in node.OPERANDS for t in node.tensors(name)])
    if isinstance(node, ir.Reduction):
        return compute(replace(node, axes=tuple(a + 1 for a in node.axes)), list(operands.values()))
    if isinstance(node, ir.Transpose):
        return compute(replace(node, axes=(0, *(a + 1 for a in node.axes))), list(operands.values()))
    if isinstance(node, ir.Pad):
        return compute(replace(node, paddings=((0, 0), *node.paddings)), list(operands.values()))
    if isinstance(node, ir.Slice):
        return compute(replace(node, index=(slice(None), *node.index)), list(operands.values()))
    if isinstance(node, ir.Concatenate):
        sources = zip(node.sources, operands["sources"], strict=True)
        parts = [np.broadcast_to(x, (count, *t.shape)) if t.data is not None else x for t, x in sources]
        return compute(replace(node, axis=node.axis + 1), [parts])
    if isinstance(node, ir.Lstm) and not node.time_major:
        operands["source"] = operands["source"].reshape(-1, *node.source.shape[1:])
        return compute(node, list(operands.values()))
    rows = [compute(node, row) for row in _rows(node, operands, count)]
    return [np.stack(parts) for parts in zip(*rows, strict=True)]


def _spread(tensor: Tensor, value: Array, rank: int) -> Array:
    """An operand with as many axes behind that of the readings as the result has."""
    if tensor.data is not None:
        return value
    return value.reshape(len(value), *(1,) * (rank - len(tensor.shape)), *tensor.shape)


def _rows(node: Node, operands: dict[str, Any], count: int) -> Iterator[list[Any]]:
    def row(name: str, i: int) -> Any:
        whole = operands[name]
        tensors = node.tensors(name)
        if isinstance(whole, list):
            return [x if t.data is not None else x[i] for t, x in zip(tensors, whole, strict=True)]
        return whole if whole is None or tensors[0].data is not None else whole[i]

    for i in range(count):
        yield [row(name, i) for name in node.OPERANDS]
