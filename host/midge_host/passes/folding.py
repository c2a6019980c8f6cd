"""Arithmetic on shapes and constants, done by the converter: a board sees its results only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..device.ops.copy import slices, strided_slice
from ..errors import MidgeError
from ..ir.graph import RESHAPES, Graph, Node

MAX_ELEMENTS = 1 << 24  # of a folded tensor: FILL and RANGE may ask for any number


def fold_constants(graph: Graph) -> None:
    """Removes nodes that only compute with constants; their outputs become constants.

    Tensors have fixed shapes, so whatever computes the shape input of a reshape is of no use either.
    """
    for node in graph.nodes:
        if node.kind in RESHAPES:
            node.inputs = node.inputs[:1]
        elif node.kind == "TRANSPOSE_CONV":
            node.inputs[0] = None
    kept = []
    for node in graph.nodes:
        values = _values(node)
        if values is None:
            kept.append(node)
            continue
        for tensor, value in zip(node.outputs, values, strict=True):
            if value.size != tensor.size:
                raise node.refuse(f"it makes {value.shape}, not {tensor.shape}", "export with fixed shapes")
            tensor.data = np.ascontiguousarray(value, tensor.dtype).reshape(tensor.shape)
    graph.nodes = kept
    for tensor in graph.outputs:
        if tensor.data is not None:
            raise MidgeError(f"{graph.name}: the output {tensor.name!r} is a constant; export the model without it")


def _values(node: Node) -> list[np.ndarray] | None:
    """What a node makes of constants; None where it does not fold."""
    function = _FUNCTIONS.get(node.kind)
    if function is None or sum(t.size for t in node.outputs) > MAX_ELEMENTS:
        return None
    if node.kind == "SHAPE":
        return [np.array(node.inputs[0].shape)]
    if any(t is None or t.data is None for t in node.inputs):
        return None
    quantised = any(t.is_quantised for t in [*node.inputs, *node.outputs] if t is not None)
    if quantised and node.kind not in _MOVES:
        return None
    try:
        with np.errstate(all="ignore"):
            result = function(node, *(t.data for t in node.inputs))
    except (ArithmeticError, IndexError, KeyError, TypeError, ValueError) as error:
        raise node.refuse(f"its constants do not fit together ({error})", "export the model again") from None
    return result if isinstance(result, list) else [result]


def _split(node: Node, axis: np.ndarray, value: np.ndarray) -> list[np.ndarray]:
    return np.split(value, len(node.outputs), int(axis.item()))


def _reduce(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    return lambda node, value, axes: function(value, axis=tuple(axes.reshape(-1)), keepdims=node.options["keep_dims"])


def _divide(node: Node, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    # C's division of integers goes towards zero.
    return a / b if a.dtype.kind == "f" else np.trunc(a / b)


# Operators that put elements elsewhere, whatever they are.
_MOVES: dict[str, Callable[..., Any]] = {
    **{kind: lambda node, value: value for kind in RESHAPES},
    "CONCATENATION": lambda node, *values: np.concatenate(values, node.options["axis"]),
    "PACK": lambda node, *values: np.stack(values, node.options["axis"]),
    "UNPACK": lambda node, value: list(np.moveaxis(value, node.options["axis"], 0)),
    "SPLIT": _split,
    "SLICE": lambda node, value, *_: value[slices(node)],
    "STRIDED_SLICE": lambda node, value, *_: value[strided_slice(node)],
    "TRANSPOSE": lambda node, value, axes: value.transpose(axes),
    "GATHER": lambda node, value, indexes: value.take(indexes, node.options["axis"]),
    "FILL": lambda node, shape, value: np.full(shape, value),
    "BROADCAST_TO": lambda node, value, shape: np.broadcast_to(value, shape),
    "TILE": lambda node, value, times: np.tile(value, times),
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **_MOVES,
    "SHAPE": lambda node, value: np.array(value.shape),
    "RANGE": lambda node, start, limit, step: np.arange(start.item(), limit.item(), step.item()),
    "CAST": lambda node, value: value.astype(node.outputs[0].dtype),
    "ADD": lambda node, a, b: a + b,
    "SUB": lambda node, a, b: a - b,
    "MUL": lambda node, a, b: a * b,
    "DIV": _divide,
    "FLOOR_DIV": lambda node, a, b: a // b,
    "MAXIMUM": lambda node, a, b: np.maximum(a, b),
    "MINIMUM": lambda node, a, b: np.minimum(a, b),
    "REDUCE_PROD": _reduce(np.prod),
    "REDUCE_MAX": _reduce(np.max),
    "SUM": _reduce(np.sum),
}
