"""A model as the importers give it: tensors, and operators in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from math import prod
from typing import ClassVar

import numpy as np

from ..errors import UnsupportedError


@dataclass(frozen=True, eq=False)
class Quantization:
    """real = scale * (stored - zero_point), with one scale, or one for each index along `axis`."""

    scale: np.ndarray  # float32; float64 of weights whose multipliers have few bits
    zero_point: np.ndarray  # int64, as many
    axis: int = 0

    def is_same(self, other: Quantization) -> bool:
        return np.array_equal(self.scale, other.scale) and np.array_equal(self.zero_point, other.zero_point)

    def with_zero_point(self, zero_point: int | np.ndarray) -> Quantization:
        return replace(self, zero_point=np.resize(np.asarray(zero_point, np.int64), self.scale.size))


_NO_SCALE, _NO_ZERO_POINT = np.zeros(0, np.float32), np.zeros(0, np.int64)


@dataclass(eq=False)
class Tensor:
    """A value of the graph; `data` is set for constants, and `is_variable` for the state that a layer keeps."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    data: np.ndarray | None = None
    quantization: Quantization | None = None
    is_variable: bool = False

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.size * np.dtype(self.dtype).itemsize

    @property
    def scale(self) -> np.ndarray:
        """All scales; none of a tensor that is not quantised."""
        return self.quantization.scale if self.quantization else _NO_SCALE

    @property
    def zero_point(self) -> np.ndarray:
        return self.quantization.zero_point if self.quantization else _NO_ZERO_POINT

    def has_scale_of(self, other: Tensor) -> bool:
        if self.quantization is None or other.quantization is None:
            return self.quantization is other.quantization
        return self.quantization.is_same(other.quantization)


class Numerics(Enum):
    """Whose arithmetic an operator has where they differ."""

    TFLM = "TensorFlow Lite Micro"
    TFLITE = "TensorFlow Lite"


@dataclass(eq=False, kw_only=True)
class Node:
    """One layer. OPERANDS and RESULTS name the fields that hold tensors: one, a list of them, or None for an operand
    that a layer does without. UPDATES names those operands that it also writes: its state. The other fields of a
    subclass are the layer's parameters.

    kind: what the source file calls the operator, for messages.
    """

    OPERANDS: ClassVar[tuple[str, ...]] = ("source",)
    RESULTS: ClassVar[tuple[str, ...]] = ("output",)
    UPDATES: ClassVar[tuple[str, ...]] = ()

    name: str
    kind: str = ""
    numerics: Numerics = Numerics.TFLM

    @property
    def inputs(self) -> list[Tensor]:
        """The tensors that it reads."""
        return [tensor for name in self.OPERANDS for tensor in self.tensors(name)]

    @property
    def outputs(self) -> list[Tensor]:
        return [tensor for name in self.RESULTS for tensor in self.tensors(name)]

    def tensors(self, field_name: str) -> list[Tensor]:
        """The tensors in one field of OPERANDS or RESULTS."""
        value: Tensor | list[Tensor] | None = getattr(self, field_name)
        return [value] if isinstance(value, Tensor) else list(value or ())

    def replace_input(self, old: Tensor, new: Tensor) -> None:
        self._replace(self.OPERANDS, old, new)

    def replace_output(self, old: Tensor, new: Tensor) -> None:
        self._replace(self.RESULTS, old, new)

    def _replace(self, names: tuple[str, ...], old: Tensor, new: Tensor) -> None:
        for name in names:
            value = getattr(self, name)
            if value is old:
                setattr(self, name, new)
            elif isinstance(value, list):
                setattr(self, name, [new if t is old else t for t in value])

    def refuse(self, reason: str, advice: str) -> UnsupportedError:
        """The error to raise when this layer cannot be converted."""
        return UnsupportedError(f"layer {self.name!r} ({self.kind or type(self).__name__}): {reason}; {advice}")


@dataclass
class Edge:
    """An input or output of the model. dtype: what the caller gives or gets; who runs the model converts it to or from
    the tensor's type by the tensor's quantisation. reading: of an input whose real values have other scales than the
    tensor, one for all or one for each index of the last axis; zero points may lie beyond the tensor's type.
    axes: of the source's axes, the order in which the tensor has them; None where it has the source's order.
    takes_nan: of an input of float32 that the model computes with as it is, where values may be missing. function: a
    layer of floats behind an output (softmax, log_softmax or logistic) that who runs the model computes as well."""

    tensor: Tensor
    dtype: str
    name: str
    reading: Quantization | None = None
    axes: tuple[int, ...] | None = None
    takes_nan: bool = False
    function: str = ""

    @classmethod
    def of(cls, tensor: Tensor) -> Edge:
        return cls(tensor, tensor.dtype, tensor.name)


@dataclass(eq=False)
class State:
    """A tensor that keeps its value from one prediction to the next, and what it holds before the first one."""

    tensor: Tensor
    initial: np.ndarray


@dataclass
class Graph:
    """variables: the values before the first prediction of what ReadVariable and WriteVariable name. The pass
    `resolve_state` makes `state` of them. alike: tensors of floats that shall have one scale when they are quantised:
    what the steps of an unrolled layer have in common, whose weights are then the same too."""

    name: str
    nodes: list[Node]
    inputs: list[Edge]
    outputs: list[Edge]
    variables: dict[str, np.ndarray] = field(default_factory=dict)
    state: list[State] = field(default_factory=list)
    alike: list[list[Tensor]] = field(default_factory=list)

    def is_input(self, tensor: Tensor) -> bool:
        return any(edge.tensor is tensor for edge in self.inputs)

    def is_output(self, tensor: Tensor) -> bool:
        return any(edge.tensor is tensor for edge in self.outputs)

    def consumers(self, tensor: Tensor) -> list[Node]:
        return [n for n in self.nodes if any(t is tensor for t in n.inputs)]

    def producer(self, tensor: Tensor) -> Node | None:
        return next((n for n in self.nodes if any(t is tensor for t in n.outputs)), None)

    def replace(self, old: Tensor, new: Tensor) -> None:
        """Every reader of `old`, the model's outputs included, reads `new`."""
        for node in self.nodes:
            node.replace_input(old, new)
        for edge in self.outputs:
            if edge.tensor is old:
                edge.tensor = new


def in_order(nodes: list[Node]) -> list[Node]:
    """The nodes, each behind those that make its inputs; else in the order given."""
    waiting = {id(tensor) for node in nodes for tensor in node.outputs}
    ordered: list[Node] = []
    while nodes:
        later = []
        for node in nodes:
            if any(id(tensor) in waiting for tensor in node.inputs):
                later.append(node)
            else:
                ordered.append(node)
                waiting -= {id(tensor) for tensor in node.outputs}
        if len(later) == len(nodes):
            raise UnsupportedError(f"layer {nodes[0].name!r}: reads what it makes itself; export the model again")
        nodes = later
    return ordered


# A rewrite of a graph in place; says in a few words what it did, or "" if nothing.
Pass = Callable[[Graph], str]
