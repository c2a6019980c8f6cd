"""Floats between quantised tensors: tables of their functions, and copies of the bytes behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from ..device import numerics
from ..ir import operators as ir
from ..ir.graph import Graph, Node, Tensor
from .words import count

_COPIES = (
    *(ir.Reshape, ir.Copy, ir.Concatenate, ir.Stack, ir.Unstack, ir.Split, ir.Slice, ir.Transpose, ir.Gather),
    *(ir.Broadcast, ir.Tile),
)
_REAL = ("float32", "bool")
_BYTES = np.arange(-128, 128)


@dataclass(eq=False)
class _Function:
    """What the bytes of `source` stand for: values[q + 128], float32 or bool."""

    source: Tensor
    values: np.ndarray


@dataclass(eq=False)
class _Moved:
    """A result, the one of this number, of an operator that moves elements of several kinds."""

    node: Node
    operands: list[_Value]
    result: int


@dataclass(eq=False)
class _Sums:
    """What CumSum or AddN makes of dequantised tensors of one scale."""

    node: ir.CumSum | ir.AddN
    sources: list[Tensor]


_Value: TypeAlias = _Function | _Moved | np.ndarray  # an array: a constant


def tabulate_floats(graph: Graph) -> str:
    """Between Dequantize and Quantize, functions of one value become tables, and what moves floats moves bytes:
    converters leave those operators in float that have no int8 form in TensorFlow Lite. What nobody else reads of the
    floats is then unused."""
    return _Tabulator(graph).run()


class _Tabulator:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: list[Node] = []
        self.known: dict[int, _Value] = {}  # by the tensor's id
        self.sums: dict[int, _Sums] = {}
        self.copied: dict[tuple[int, ...], Node] = {}
        self.made = 0

    def run(self) -> str:
        for node in self.graph.nodes:
            if not self._replaced(node):
                self.nodes.append(node)
        self.graph.nodes = self.nodes
        return count(self.made, "function of floats as a table", "functions of floats as tables")

    def _replaced(self, node: Node) -> bool:
        """Whether other nodes compute what `node` does. Notes what its results are, where they are floats."""
        if isinstance(node, ir.Quantize):
            return self._quantize(node)
        if isinstance(node, ir.Dequantize):
            source = node.source
            if source.dtype == "int8" and source.scale.size == 1:
                self.known[id(node.output)] = _dequantized(source)
            return False
        if not node.outputs or any(t.dtype not in _REAL for t in node.outputs):
            return False
        made: list[_Value] | None = None
        if isinstance(node, _COPIES) and getattr(node, "activation", ir.Activation.NONE) is ir.Activation.NONE:
            made = self._move(node)
        elif type(node) in numerics.FLOAT_FUNCTIONS:
            made = self._apply(node)
        elif isinstance(node, ir.CumSum | ir.AddN):
            self._add(node)
        self.known.update(zip(map(id, node.outputs), made or (), strict=False))
        is_truth = made is not None and type(node) in numerics.FLOAT_FUNCTIONS and node.outputs[0].dtype == "bool"
        if not made or not is_truth or not isinstance(made[0], _Function):
            return False
        output, table = node.outputs[0], made[0].values
        self.nodes.append(ir.Table(name=node.name, source=made[0].source, output=output, table=table))
        return True

    def _value(self, tensor: Tensor) -> _Value | None:
        if tensor.data is None and tensor.dtype == "bool" and id(tensor) not in self.known:
            return _Function(tensor, _BYTES == 1)
        return self.known.get(id(tensor)) if tensor.data is None else tensor.data

    def _apply(self, node: Node) -> list[_Value] | None:
        """The results of a function of elements, where these are of one source."""
        values = [self._value(t) for t in node.inputs]
        for tensor, value in zip(node.inputs, values, strict=True):
            is_scalar = isinstance(value, np.ndarray) and np.all(value == value.reshape(-1)[0])
            if not is_scalar and (tensor.data is not None or tensor.shape != node.outputs[0].shape):
                return None
        variables = [v for v in values if not isinstance(v, np.ndarray)]
        first = variables[0] if variables else None
        if isinstance(first, _Moved):
            if len(variables) > 1:
                return None
        elif not all(
            isinstance(v, _Function) and isinstance(first, _Function) and v.source is first.source for v in variables
        ):
            return None

        def computed(value: np.ndarray, *others: np.ndarray) -> np.ndarray:
            """`value` and `others` stand in the places of the variables."""
            rest = iter((value, *others))
            operands = [v.reshape(-1)[:1] if isinstance(v, np.ndarray) else next(rest) for v in values]
            with np.errstate(all="ignore"):
                result = numerics.FLOAT_FUNCTIONS[type(node)](node, *operands)
            return result.astype(node.outputs[0].dtype)

        if isinstance(first, _Moved):
            return [_mapped(first, computed)]
        functions = [v for v in variables if isinstance(v, _Function)]
        if not functions:
            return None
        return [_Function(functions[0].source, computed(*(f.values for f in functions)))]

    def _move(self, node: Node) -> list[_Value] | None:
        """Moves the bytes, where they stand for the same values; else says what the results are made of."""
        operands = [self._value(t) for t in node.inputs if t.dtype in _REAL]
        known = [v for v in operands if v is not None]
        if len(known) < len(operands) or not any(isinstance(v, _Function | _Moved) for v in known):
            return None
        functions = [v for v in known if isinstance(v, _Function)]
        first = functions[0] if functions else None
        if first is None or len(functions) < len(known) or not all(_is_like(f, first) for f in functions):
            return [_Moved(node, known, i) for i in range(len(node.outputs))]
        made = self._copy(node, [f.source for f in functions], first.source)
        return [_Function(tensor, first.values) for tensor in made]

    def _add(self, node: ir.CumSum | ir.AddN) -> None:
        functions = [v for v in map(self._value, node.inputs) if isinstance(v, _Function)]
        if len(functions) < len(node.inputs) or not all(_is_like(f, functions[0]) for f in functions):
            return
        source = functions[0].source
        if source.dtype == "int8" and _is_like(functions[0], _dequantized(source)):
            self.sums[id(node.output)] = _Sums(node, [f.source for f in functions])

    def _copy(self, node: Node, sources: list[Tensor], like: Tensor, output: Tensor | None = None) -> list[Tensor]:
        """The results of `node` from these sources, quantised `like` one of them."""
        key = (id(node), id(like.quantization), *map(id, sources))
        if key not in self.copied or output is not None:
            copy = replace(node)
            for old, new in zip([t for t in node.inputs if t.dtype in _REAL], sources, strict=True):
                copy.replace_input(old, new)
            for old in node.outputs:
                made = Tensor(f"{old.name}_bytes", old.shape, like.dtype, quantization=like.quantization)
                copy.replace_output(old, output or made)
            self.nodes.append(copy)
            self.copied[key] = copy
        return self.copied[key].outputs

    def _quantize(self, node: ir.Quantize) -> bool:
        value, sums, output = self.known.get(id(node.source)), self.sums.get(id(node.source)), node.output
        if (value is None and sums is None) or output.dtype != "int8" or output.scale.size != 1:
            return False
        self.made += 1
        if sums is not None:
            self._sum(sums, output)
            return True
        assert value is not None
        made = self._stored(value, output, output)
        if made is output:
            return True
        states = [s.tensor for s in self.graph.state]
        if output in states or (self.graph.is_output(output) and (made in states or self.graph.is_input(made))):
            self.nodes.append(ir.Copy(name=node.name, kind=node.kind, source=made, output=output))
        else:
            self.graph.replace(output, made)
        return True

    def _sum(self, sums: _Sums, output: Tensor) -> None:
        node = replace(sums.node, output=output, is_real=True)
        for old, new in zip(sums.node.inputs, sums.sources, strict=True):
            node.replace_input(old, new)
        self.nodes.append(node)

    def _stored(self, value: _Function | _Moved | np.ndarray, like: Tensor, output: Tensor | None = None) -> Tensor:
        """An int8 tensor of the values, quantised as `like`; where nodes have to make it, `output` if given."""
        scale, zero_point = like.scale[0], int(like.zero_point[0])
        if isinstance(value, np.ndarray):
            data = numerics.quantized(value.astype(np.float32), scale, zero_point)
            return Tensor(f"{like.name}_constant", value.shape, "int8", data, like.quantization)
        if isinstance(value, _Moved):
            sources = [self._stored(v, like) for v in value.operands]
            whole = output if len(value.node.outputs) == 1 else None
            return self._copy(value.node, sources, like, whole)[value.result]
        table = numerics.quantized(value.values.astype(np.float32), scale, zero_point)
        source = value.source
        if source.dtype == "int8" and source.has_scale_of(like) and np.array_equal(table, _BYTES):
            return source
        made = output or Tensor(f"{source.name}_table", source.shape, "int8", quantization=like.quantization)
        self.nodes.append(ir.Table(name=made.name, source=source, output=made, table=table))
        return made


def _dequantized(source: Tensor) -> _Function:
    return _Function(source, numerics.dequantized(source.scale[0], int(source.zero_point[0])))


def _is_like(a: _Function, b: _Function) -> bool:
    return a.source.has_scale_of(b.source) and np.array_equal(a.values, b.values, equal_nan=a.values.dtype.kind == "f")


def _mapped(value: _Value, function: Callable[[np.ndarray], np.ndarray]) -> _Value:
    if isinstance(value, np.ndarray):
        return function(value)
    if isinstance(value, _Function):
        return _Function(value.source, function(value.values))
    return _Moved(value.node, [_mapped(v, function) for v in value.operands], value.result)
