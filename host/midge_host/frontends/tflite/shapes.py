"""Shapes that a file leaves open: a batch of any size, and all that the model computes of it.

A converter writes placeholders for them ([1, 1], and -1 in shape_signature). With a batch of 1, and the arithmetic on
shapes computed while reading, each layer's shape follows from those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

import numpy as np

from ...device import spec
from ...ir.evaluate import results_of_zeros
from ...ir.graph import Node, Tensor
from .node import FileNode

Shape = tuple[int, ...]


# Layers of many operations that leave the batch as it is: with known operands, they need no look at their results.
_KEEP_BATCH = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "AVERAGE_POOL_2D", "MAX_POOL_2D")


class Shapes:
    """placeholders: dimensions that the file leaves open, of tensors by their id."""

    def __init__(self, placeholders: Mapping[int, set[int]]) -> None:
        self._open = placeholders
        self._changed: set[int] = set()

    def settle(self, node: FileNode, make: Callable[[FileNode], Node]) -> Node:
        """The operator of a node; its results have their shapes."""
        axes = {axis for t in node.outputs for axis in self._open.get(id(t), ())}
        trusted = not axes or (node.kind in _KEEP_BATCH and axes == {0})
        if trusted and not any(id(t) in self._changed for t in node.inputs if t is not None):
            return make(node)
        before = [t.shape for t in node.outputs]
        told = _told(node)
        if told is not None:
            _set(node.outputs, told)
        operator = make(node)
        if told is None:
            _set(operator.outputs, [result.shape for result in results_of_zeros(operator)])
        self._changed.update(id(t) for t, shape in zip(node.outputs, before, strict=True) if t.shape != shape)
        return operator


def _told(node: FileNode) -> list[Shape] | None:
    """The shapes of the results as the parameters tell them; None where they do not."""
    if node.kind not in _TOLD:
        return None
    try:
        shapes = _TOLD[node.kind](node)
    except (ValueError, IndexError, ZeroDivisionError, KeyError) as error:
        raise node.refuse(f"its parameters tell no shape ({error})") from None
    if len(shapes) != len(node.outputs) or any(prod(shape) > spec.MAX_ARENA_BYTES for shape in shapes):
        raise node.refuse(f"its parameters tell the shapes {shapes}")
    return shapes


def _set(tensors: list[Tensor], shapes: list[Shape]) -> None:
    for tensor, shape in zip(tensors, shapes, strict=True):
        tensor.shape = tuple(shape)


# Where the parameters tell the shape, and the evaluator would ask the output for it.


def _reshape(node: FileNode) -> list[Shape]:
    shape, size = node.numbers(1), node.input().size
    if shape.count(-1) == 1:
        known = -int(np.prod(shape))
        shape[shape.index(-1)] = size // known if known > 0 else -1
    return [tuple(shape)]


def _squeeze(node: FileNode) -> list[Shape]:
    shape = node.input().shape
    axes = {node.axis(a, len(shape)) for a in node.options["axes"]} or {i for i, n in enumerate(shape) if n == 1}
    return [tuple(n for i, n in enumerate(shape) if i not in axes)]


def _expand_dims(node: FileNode) -> list[Shape]:
    shape = list(node.input().shape)
    shape.insert(node.axis(node.number(1), len(shape) + 1), 1)
    return [tuple(shape)]


def _tile(node: FileNode) -> list[Shape]:
    return [tuple(n * times for n, times in zip(node.input().shape, node.numbers(1), strict=True))]


def _resize(node: FileNode) -> list[Shape]:
    node.sizes(node.input())
    batch, _, _, channels = node.input().shape
    return [(batch, *node.numbers(1), channels)]


def _dense(node: FileNode) -> list[Shape]:
    (units, depth), source = node.input(1).shape, node.input()
    rows = source.shape[:-1] if node.options["keep_num_dims"] else (source.size // depth,)
    return [(*rows, units)]


def _split(node: FileNode) -> list[Shape]:
    at, axis = (1, 0) if node.kind == "SPLIT" else (0, 2)
    shape, count = list(node.input(at).shape), len(node.outputs)
    along = node.axis(node.number(axis), len(shape))
    whole = shape[along]
    sizes = [whole // count] * count if node.kind == "SPLIT" else node.numbers(1)
    rest = whole - sum(n for n in sizes if n != -1)
    return [tuple([*shape[:along], rest if n == -1 else n, *shape[along + 1 :]]) for n in sizes]


_TOLD: dict[str, Callable[[FileNode], list[Shape]]] = {
    "RESHAPE": _reshape,
    "SQUEEZE": _squeeze,
    "EXPAND_DIMS": _expand_dims,
    "TILE": _tile,
    "BROADCAST_TO": lambda node: [tuple(node.numbers(1))],
    "FILL": lambda node: [tuple(node.numbers(0))],
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "RESIZE_BILINEAR": _resize,
    "TRANSPOSE_CONV": lambda node: [tuple(node.numbers(0))],
    "FULLY_CONNECTED": _dense,
    "SPLIT": _split,
    "SPLIT_V": _split,
}
