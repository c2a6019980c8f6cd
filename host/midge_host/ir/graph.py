"""A model as the importers give it: tensors and nodes in execution order."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from ..errors import UnsupportedError

# Operators whose output holds the input's bytes in the input's order.
RESHAPES = {"RESHAPE", "SQUEEZE", "EXPAND_DIMS"}


@dataclass(eq=False)
class Tensor:
    """A value of the graph; `data` is set for constants, and `is_variable` for the state that a layer keeps.

    scale (float32) and zero_point (int64) have one element, or one per channel along `channel_axis`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    data: np.ndarray | None = None
    scale: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    zero_point: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    is_variable: bool = False

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.size * np.dtype(self.dtype).itemsize

    def has_scale_of(self, other: Tensor) -> bool:
        return np.array_equal(self.scale, other.scale) and np.array_equal(self.zero_point, other.zero_point)

    @property
    def is_quantised(self) -> bool:
        return self.scale.size > 0


@dataclass(eq=False)
class Node:
    """One operator of the source model, named as TensorFlow Lite names it."""

    kind: str
    name: str
    inputs: list[Tensor | None]
    outputs: list[Tensor]
    options: dict[str, Any] = field(default_factory=dict)
    intermediates: list[Tensor] = field(default_factory=list)

    def refuse(self, reason: str, advice: str) -> UnsupportedError:
        """The error to raise when this layer cannot be converted."""
        return UnsupportedError(f"layer {self.name!r} ({self.kind}): {reason}; {advice}")

    def constant(self, index: int, what: str, advice: str) -> np.ndarray:
        """The elements of input `index`, which must be a constant."""
        tensor = self.inputs[index]
        if tensor is None or tensor.data is None:
            raise self.refuse(f"its {what} computed by the model", advice)
        return tensor.data.reshape(-1)

    def per_tensor(self, tensor: Tensor, dtypes: tuple[str, ...] = ("int8",)) -> tuple[np.float32, int]:
        """Scale and zero point of an activation of one of `dtypes`."""
        if tensor.dtype not in dtypes or tensor.scale.size != 1:
            raise self.refuse(
                f"tensor {tensor.name!r} is {tensor.dtype}, not {' or '.join(dtypes)} with one scale",
                "quantise the whole model to int8 (TFLiteConverter with a representative dataset "
                "and TFLITE_BUILTINS_INT8)",
            )
        zero_point = int(tensor.zero_point[0]) if tensor.zero_point.size else 0
        low, high = (-128, 127) if tensor.dtype == "int8" else (0, 0)
        if not low <= zero_point <= high or not 0 < tensor.scale[0] < np.inf:
            raise self.refuse(f"tensor {tensor.name!r} has an impossible quantisation", "export the model again")
        return tensor.scale[0], zero_point


@dataclass(eq=False)
class State:
    """A tensor that keeps its value from one prediction to the next, and what it holds before the first one."""

    tensor: Tensor
    initial: np.ndarray


@dataclass
class Graph:
    """init: what CALL_ONCE runs before the first prediction, to give variables their values."""

    name: str
    nodes: list[Node]
    inputs: list[Tensor]
    outputs: list[Tensor]
    init: Graph | None = None
    state: list[State] = field(default_factory=list)

    def consumers(self, tensor: Tensor) -> list[Node]:
        return [n for n in self.nodes if any(t is tensor for t in n.inputs)]

    def producer(self, tensor: Tensor) -> Node | None:
        return next((n for n in self.nodes if any(t is tensor for t in n.outputs)), None)

    def replace(self, old: Tensor, new: Tensor) -> None:
        """Every reader of `old`, the model's outputs included, reads `new`."""
        for node in self.nodes:
            node.inputs = [new if t is old else t for t in node.inputs]
        self.outputs = [new if t is old else t for t in self.outputs]
