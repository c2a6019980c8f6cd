"""The frame of the importer: operators in their order, and what a function that translates one has in hand.

Functions are registered under their operator's name (`reads`), in the modules beside this one. Each takes a Call and
returns the operator's output, or its outputs. Pictures are turned from ONNX's order (channels before height and width)
to the IR's around each layer that needs it: passes/transposes.py then takes out what cancels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from ...errors import MidgeError, UnsupportedError
from ...ir import operators as ir
from ...ir.builder import Builder
from ...ir.evaluate import MAX_ELEMENTS
from ...ir.graph import Graph, Node, Quantization, Tensor
from .reading import File, Operator, Subgraph

Made = Tensor | list[Tensor] | None
READERS: dict[tuple[str, str], Callable[[Call], Made]] = {}  # by domain and name

# Of the number of a class they make that number again.
_RENAMES = ("Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten")

CONSTANT = "export the model with constants in their place (onnxsim or onnxruntime's optimiser fold them)"


def reads(*kinds: str, domain: str = "") -> Callable[[Callable[..., Made]], Callable[..., Made]]:
    """Registers a function as the translation of operators."""

    def add(function: Callable[..., Made]) -> Callable[..., Made]:
        for kind in kinds:
            READERS[domain, kind] = function
        return function

    return add


@dataclass
class Importer:
    """values: the tensors so far by their name in the file. stored: of a constant that the file holds quantised, the
    integers, by the tensor with the real numbers. arranged: constants in other shapes and orders, made once."""

    file: File
    builder: Builder
    values: dict[str, Tensor] = field(default_factory=dict)
    stored: dict[Tensor, Tensor] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    arranged: dict[tuple[Tensor, str, tuple[int, ...]], Tensor] = field(default_factory=dict)
    _classes: set[Tensor] = field(default_factory=set)
    _constants: dict[int, Tensor] = field(default_factory=dict)  # by the id of an array of the file

    def name_classes(self, number: Tensor, labels: list[str]) -> None:
        """Says that a tensor is the number of a class, and what the classes are called."""
        self._classes.add(number)
        if not self.labels or all(label.lstrip("-").isdigit() for label in self.labels):
            self.labels = labels

    def is_class(self, tensor: Tensor) -> bool:
        return tensor in self._classes

    @property
    def graph(self) -> Graph:
        return self.builder.graph

    def run(self, graph: Subgraph) -> None:
        """Translates the operators of a graph, or of a branch or body of one, which may run several times."""
        for name, array in graph.constants.items():
            if id(array) not in self._constants:
                self._constants[id(array)] = self.builder.constant(array, name)
            self.values[name] = self._constants[id(array)]
        wanted = _wanted(graph)
        for operator in graph.operators:
            if any(name in wanted for name in operator.outputs):
                self._operator(operator, wanted)

    def _operator(self, operator: Operator, wanted: set[str]) -> None:
        for name in operator.inputs:
            if name and name not in self.values:
                raise MidgeError(f"layer {operator.name!r} ({operator.kind}): nothing computes its input {name!r}")
        call = Call(self, operator, {name for name in operator.outputs if name in wanted})
        folded = fold(call)
        if folded is None:
            reader = READERS.get((operator.domain, operator.kind))
            if reader is None:
                kind = f"{operator.domain}.{operator.kind}" if operator.domain else operator.kind
                raise call.refuse(f"midge has no operator {kind}", "docs/onnx.md lists those that are read")
            try:
                made = reader(call)
            except (ValueError, TypeError, LookupError, ArithmeticError) as error:  # attributes may be anything
                reason = f"its attributes and inputs do not fit together ({type(error).__name__}: {error})"
                raise call.refuse(" ".join(reason.split())[:200], "export the model again") from error
            except MemoryError:
                raise call.refuse("it makes more elements than a board could hold", "use a smaller model") from None
            folded = made if isinstance(made, list) else [made] if made is not None else []
        if len(folded) < len(call.wanted):
            spare = [name for name in operator.outputs[len(folded) :] if name in call.wanted]
            raise call.refuse(f"its output {spare[0]!r} is used", "midge computes the first one only")
        for name, tensor in zip(operator.outputs, folded, strict=False):
            self.values[name] = tensor
            if operator.kind in _RENAMES and self.is_class(self.values[operator.inputs[0]]):
                self._classes.add(tensor)


def _wanted(graph: Subgraph) -> set[str]:
    """The names that the outputs need, straight or not."""
    wanted = set(graph.outputs)
    for operator in reversed(graph.operators):
        if any(name in wanted for name in operator.outputs):
            wanted.update(operator.inputs)
            for value in operator.attributes.values():
                if isinstance(value, Subgraph):
                    wanted |= _wanted(value)
    return wanted


@dataclass
class Call:
    """One operator on its way into the IR. wanted: those of its outputs that something reads."""

    importer: Importer
    operator: Operator
    wanted: set[str]

    @property
    def opset(self) -> int:
        return self.importer.file.opset

    @property
    def name(self) -> str:
        return self.operator.name

    def refuse(self, reason: str, advice: str) -> UnsupportedError:
        return UnsupportedError(f"layer {self.name!r} ({self.operator.kind}): {reason}; {advice}")

    # What it reads.

    def optional(self, index: int) -> Tensor | None:
        names = self.operator.inputs
        return self.importer.values[names[index]] if index < len(names) and names[index] else None

    def input(self, index: int = 0) -> Tensor:
        tensor = self.optional(index)
        if tensor is None:
            raise self.refuse(f"its input {index} is missing", "export the model again")
        return tensor

    @property
    def inputs(self) -> list[Tensor]:
        return [self.input(i) for i in range(max(1, len(self.operator.inputs)))]

    def optional_constant(self, index: int, what: str) -> np.ndarray | None:
        tensor = self.optional(index)
        if tensor is None:
            return None
        if tensor.data is None:
            raise self.refuse(f"its {what} computed by the model", CONSTANT)
        return tensor.data

    def constant(self, index: int, what: str) -> np.ndarray:
        """An input that must be a constant; `what` it is, with a verb."""
        self.input(index)
        array = self.optional_constant(index, what)
        assert array is not None
        return array

    def attribute(self, name: str, default: Any = None) -> Any:
        return self.operator.attributes.get(name, default)

    def integers(self, attribute: str, index: int, what: str, since: int) -> list[int] | None:
        """Numbers that are an attribute, and from opset `since` on an input; None if there are none."""
        if self.opset < since or attribute in self.operator.attributes:
            return self.attribute(attribute)
        array = self.optional_constant(index, what)
        return None if array is None else [int(n) for n in array.reshape(-1)]

    def axis(self, value: int, rank: int) -> int:
        """An axis that may count from the end, counted from 0."""
        if not -rank <= value < max(rank, 1):
            raise self.refuse(f"it has an axis {value} of {rank} dimensions", "export the model again")
        return value % rank if rank else 0

    # What it makes.

    def add(self, operator: type[Node], suffix: str = "", **fields: Any) -> Tensor:
        """The output of an IR operator. suffix: what stands behind the layer's name, for all but its last operator."""
        name = f"{self.name}/{suffix}" if suffix else self.name
        return self.importer.builder.add(operator, name, kind=self.operator.kind, **fields)

    def add_parts(self, operator: type[Node], shapes: Sequence[Sequence[int]], suffix: str = "", **fields: Any) -> Any:
        name = f"{self.name}/{suffix}" if suffix else self.name
        return self.importer.builder.add_parts(operator, name, shapes, kind=self.operator.kind, **fields)

    def number(self, value: Any, like: Tensor | None = None) -> Tensor:
        """A constant, of the type of `like`."""
        dtype = like.dtype if like is not None else None
        return self.importer.builder.constant(np.asarray(value, dtype), f"{self.name}/constant")

    def reshape(self, x: Tensor, shape: Sequence[int], suffix: str = "reshape") -> Tensor:
        shape = tuple(int(n) for n in shape)
        if x.shape == shape:
            return x
        if x.data is not None:
            return self._once(x, "reshape", shape, lambda a: a.reshape(shape))
        return self.add(ir.Reshape, suffix, source=x, shape=shape)

    def transpose(self, x: Tensor, axes: Sequence[int], suffix: str = "transpose") -> Tensor:
        axes = tuple(int(a) for a in axes)
        if axes == tuple(range(len(axes))):
            return x
        if x.data is not None:
            return self._once(x, "transpose", axes, lambda a: a.transpose(axes))
        return self.add(ir.Transpose, suffix, source=x, axes=axes)

    def _once(
        self, x: Tensor, how: str, numbers: tuple[int, ...], arrange: Callable[[np.ndarray], np.ndarray]
    ) -> Tensor:
        """A constant with its elements elsewhere; layers that want the same share it."""
        key = (x, how, numbers)
        if key not in self.importer.arranged:
            made = self.arranged(x, arrange)
            assert made is not None
            self.importer.arranged[key] = made
        return self.importer.arranged[key]

    def arranged(self, x: Tensor, arrange: Callable[[np.ndarray], np.ndarray]) -> Tensor | None:
        """A constant with its elements elsewhere, its integers too; None if it is none."""
        if x.data is None:
            return None
        made = self.importer.builder.constant(np.ascontiguousarray(arrange(x.data)), x.name)
        integers = self.importer.stored.get(x)
        if integers is not None and integers.data is not None:
            moved = self._axis_after(integers, arrange)
            if moved is not None:
                self.importer.stored[made] = Tensor(
                    integers.name, made.shape, integers.dtype, np.ascontiguousarray(arrange(integers.data)), moved
                )
        return made

    def _axis_after(self, x: Tensor, arrange: Callable[[np.ndarray], np.ndarray]) -> Quantization | None:
        """The quantisation of a rearranged constant: the axis that tells its scales apart; None if there is none."""
        quantization = x.quantization
        if quantization is None or quantization.scale.size == 1:
            return quantization
        along = [1] * len(x.shape)
        along[quantization.axis] = -1
        marks = arrange(np.broadcast_to(np.arange(quantization.scale.size).reshape(along), x.shape))
        for axis in range(marks.ndim):
            rows = np.moveaxis(marks, axis, 0).reshape(marks.shape[axis], -1)
            if np.array_equal(rows, np.broadcast_to(np.arange(len(rows))[:, None], rows.shape)):
                return Quantization(quantization.scale, quantization.zero_point, axis)
        return None

    def broadcastable(self, *tensors: Tensor) -> list[Tensor]:
        """The tensors with as many dimensions each as the one with most."""
        rank = max(len(t.shape) for t in tensors)
        return [self.reshape(t, (1,) * (rank - len(t.shape)) + t.shape, "rank") for t in tensors]

    def binary(self, operator: type[Node], first: Tensor, second: Tensor | float, suffix: str = "") -> Tensor:
        if not isinstance(second, Tensor):
            second = self.number(second, first)
        a, b = self.broadcastable(first, second)
        if a.dtype != b.dtype:
            raise self.refuse(f"it combines {a.dtype} and {b.dtype}", "export the model again")
        return self.add(operator, suffix, first=a, second=b)


# Operators that may ask for any amount of memory, by where their output's size stands.
_SIZED = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1}
_NEVER_FOLDED = (
    *("If", "Loop", "Scan", "QuantizeLinear", "DequantizeLinear", "Dropout", "Identity"),
    *("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial"),
)


def fold(call: Call) -> list[Tensor] | None:
    """The outputs of an operator that reads constants only, as ONNX's reference computes them; None if it does not."""
    operator, importer = call.operator, call.importer
    tensors = {name: importer.values[name] for name in operator.inputs if name}
    arrays = {name: tensor.data for name, tensor in tensors.items() if tensor.data is not None}
    if operator.domain or operator.kind in _NEVER_FOLDED or len(arrays) < len(tensors):
        return None
    if any(tensor in importer.stored for tensor in tensors.values()):
        return None
    if operator.kind in _SIZED:
        sizes = arrays[operator.inputs[_SIZED[operator.kind]]].reshape(-1)
        if prod(max(1, int(n)) for n in sizes) > MAX_ELEMENTS:
            raise call.refuse("it makes more elements than a board could hold", "use a smaller model")
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    node = helper.make_node(operator.kind, operator.inputs, operator.outputs)
    node.attribute.extend(_proto(name, value) for name, value in operator.attributes.items())
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), None)
        for name, array in arrays.items()
    ]
    outputs = [helper.make_tensor_value_info(n, TensorProto.UNDEFINED, None) for n in operator.outputs if n]
    model = helper.make_model(
        helper.make_graph([node], "fold", inputs, outputs), opset_imports=[helper.make_opsetid("", call.opset)]
    )
    try:
        with np.errstate(all="ignore"):
            made = ReferenceEvaluator(model).run(None, arrays)
    except Exception:  # the reference lacks old versions of some operators; what is wrong the reader will say
        return None
    results = iter(made)
    return [
        importer.builder.constant(_computed(call, next(results)), name) if name else importer.builder.constant(0)
        for name in operator.outputs
    ]


def _computed(call: Call, value: Any) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise call.refuse(f"it makes {array.dtype}", "midge computes with numbers")
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _proto(name: str, value: Any) -> Any:
    from onnx import helper, numpy_helper

    return helper.make_attribute(name, numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value)
