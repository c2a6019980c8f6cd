"""Which tensors of a graph of floats become integers of one scale.

TensorFlow Lite Micro does not rescale where elements are only moved, compared or averaged: source and result share a
scale. Some functions have a result of one fixed scale. Where a layer needs what a tensor has not, another scale or
another width, a Quantize stands between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..device.ops import LOWERINGS
from ..ir import operators as ir
from ..ir.graph import Graph, Node, Tensor
from .readings import Normalisation

Fixed = tuple[float, int]  # scale, zero point

# What the reference kernels demand of their results, by type.
FIXED: dict[str, dict[type[Node], Fixed]] = {
    "int8": {
        ir.Softmax: (1 / 256, -128),
        ir.Logistic: (1 / 256, -128),
        ir.Tanh: (1 / 128, 0),
        ir.L2Normalize: (1 / 128, 0),
        ir.LogSoftmax: (16 / 256, 127),
    },
    "int16": {ir.Softmax: (1 / 32768, 0), ir.Logistic: (1 / 32768, 0), ir.Tanh: (1 / 32768, 0)},
}
# Functions of one element that the reference kernels have of integers.
_OF_INTEGERS = (
    *(ir.Logistic, ir.Tanh, ir.HardSwish, ir.Elu, ir.Relu, ir.Relu6, ir.LeakyRelu, ir.Abs, ir.Rsqrt),
    *(ir.Quantize, ir.Dequantize, ir.Cast),
)
# Of one tensor, in its scale.
MOVES: tuple[type[Node], ...] = (
    ir.MaxPool2D,
    ir.AveragePool2D,
    ir.ReduceMax,
    ir.ReduceMin,
    ir.Relu6,
    ir.ResizeNearest,
    ir.ResizeBilinear,
    ir.Reshape,
    ir.Copy,
    ir.Unstack,
    ir.Split,
    ir.Slice,
    ir.Transpose,
    ir.Gather,
    ir.Broadcast,
    ir.Tile,
    ir.Pad,
    ir.MirrorPad,
    ir.Reverse,
    ir.DepthToSpace,
    ir.SpaceToDepth,
    ir.SpaceToBatch,
    ir.BatchToSpace,
)
# Of several tensors, which all need the result's scale.
JOINS: tuple[type[Node], ...] = (ir.Concatenate, ir.Stack, ir.Maximum, ir.Minimum, ir.Select)


@dataclass(eq=False)
class Group:
    """Tensors of one scale. fixed: the scale, if it is not free. tensors: those whose values have to fit in."""

    dtype: str
    fixed: Fixed | None = None
    tensors: list[Tensor] = field(default_factory=list)


class Groups:
    """of: the group of a computed tensor. operand: that in which a layer reads a tensor, mostly the same. floats: the
    ids of tensors that stay floats, between two functions of floats."""

    def __init__(
        self, graph: Graph, widths: Callable[[Node], str], normalisations: Mapping[int, Normalisation]
    ) -> None:
        """widths: "int8" or "int16" for a layer that computes; those that move follow what they read. normalisations:
        of inputs, whose layers become part of how readings are quantised."""
        self._groups: dict[int, Group] = {}
        self._operands: dict[tuple[int, int], Group] = {}
        self._others: dict[tuple[int, str], Group] = {}  # of a tensor in another type than its own
        self._states: dict[str, Group] = {}  # of variables
        self._widths = widths
        for edge in graph.inputs:
            if is_real(edge.tensor):
                known = normalisations.get(id(edge.tensor))
                result = known.result if known else edge.tensor
                readers = [self._width(n) for n in graph.consumers(result)] or ["int8"]
                group = self._start(edge.tensor, "int16" if set(readers) == {"int16"} else "int8")
                if known:
                    group.tensors = [known.result]
                    self._groups |= {id(t): group for node in known.nodes for t in node.outputs}
        for state in graph.state:
            if is_real(state.tensor):
                self._start(state.tensor, "int8")
        self.floats = {id(n.outputs[0]) for n in graph.nodes if is_island(n) and _is_between(graph, n.outputs[0])}
        done = {id(node) for known in normalisations.values() for node in known.nodes}
        for node in graph.nodes:
            if id(node) not in done:
                self._add(node)
        for tensors in graph.alike:
            left = [t for t in tensors if id(t) in self._groups]
            for tensor in left[1:]:
                group, other = self.of(left[0]), self.of(tensor)
                if (group.fixed, group.dtype) == (other.fixed, other.dtype):
                    self._unite(group, other)

    def of(self, tensor: Tensor) -> Group:
        return self._groups[id(tensor)]

    def operand(self, node: Node, tensor: Tensor) -> Group:
        return self._operands.get((id(node), id(tensor))) or self._groups[id(tensor)]

    def all(self) -> list[Group]:
        return list({id(g): g for g in [*self._groups.values(), *self._operands.values()]}.values())

    def _start(self, tensor: Tensor, dtype: str, fixed: Fixed | None = None) -> Group:
        self._groups[id(tensor)] = Group(dtype, fixed, [tensor])
        return self._groups[id(tensor)]

    def _add(self, node: Node) -> None:
        if isinstance(node, ir.ReadVariable | ir.WriteVariable):
            self._variable(node)
        elif isinstance(node, JOINS) and is_real(node.outputs[0]):
            self._join(node)
        elif isinstance(node, MOVES) and is_real(node.outputs[0]):
            self._move(node)
        elif isinstance(node, ir.Lstm):
            self._lstm(node)
        else:
            self._compute(node)

    def _compute(self, node: Node) -> None:
        dtype = self._width(node)
        self._read(node, dtype)
        for tensor in node.outputs:
            if is_real(tensor) and id(tensor) not in self.floats:
                self._start(tensor, dtype, FIXED[dtype].get(type(node)))

    def _read(self, node: Node, dtype: str) -> None:
        """The operands of a layer that takes any scale, of its own width."""
        for tensor in activations(node):
            if id(tensor) in self.floats:
                continue
            own = self._groups.get(id(tensor))
            if own is None or own.dtype != dtype:  # a constant, or one of another width
                key = (id(tensor), dtype)
                other = self._others.setdefault(key, Group(dtype, None, [tensor]))
                self._operands[id(node), id(tensor)] = other

    def _width(self, node: Node) -> str:
        return "int16" if self._widths(node) == "int16" and may_be_wide(node) else "int8"

    def _move(self, node: Node) -> None:
        source = activations(node)[0]
        group = self._groups[id(source)]
        if group.dtype == "int16" and not may_be_wide(node):
            group = Group("int8", None, [source])
            self._operands[id(node), id(source)] = group
        self._follow(node, group)

    def _follow(self, node: Node, group: Group) -> None:
        for tensor in node.outputs:
            self._groups[id(tensor)] = group
            group.tensors.append(tensor)

    def _join(self, node: Node) -> None:
        """Sources of free scales get one; one of a fixed scale keeps it only if all have the same."""
        sources = activations(node)
        known = [self._groups[id(t)] for t in sources if id(t) in self._groups]
        wide = any(g.dtype == "int16" for g in known) and may_be_wide(node)
        dtype = "int16" if wide else "int8"
        if len({(g.fixed, g.dtype) for g in known}) == 1 and len(known) == len(sources) and known[0].dtype == dtype:
            group = known[0]
            for other in known[1:]:
                self._unite(group, other)
        else:
            group = Group(dtype)
            for tensor in sources:
                own = self._groups.get(id(tensor))
                if own is not None and own.fixed is None and own.dtype == dtype:
                    self._unite(group, own)
                else:
                    self._operands[id(node), id(tensor)] = group
                    # A bound beyond what the others hold changes nothing where it saturates.
                    if tensor.data is None or not isinstance(node, ir.Maximum | ir.Minimum):
                        group.tensors.append(tensor)
        # What a later union does to a group holds for those who read in it.
        self._follow(node, group)

    def _unite(self, group: Group, other: Group) -> None:
        if other is group:
            return
        group.tensors += other.tensors
        tables: list[dict[Any, Group]] = [self._groups, self._operands, self._states]
        for table in tables:
            for key, value in table.items():
                if value is other:
                    table[key] = group

    def _lstm(self, node: ir.Lstm) -> None:
        dtype = self._width(node)
        self._read(node, dtype)
        group = self._start(node.output, dtype)
        self._groups[id(node.hidden)] = group
        self._start(node.cell, "int16")

    def _variable(self, node: ir.ReadVariable | ir.WriteVariable) -> None:
        """A variable has one scale, whoever reads or writes it."""
        if isinstance(node, ir.ReadVariable):
            known = self._states.get(node.variable)
            if known is None:
                self._states[node.variable] = self._start(node.output, "int8")
            else:
                self._groups[id(node.output)] = known
                known.tensors.append(node.output)
            return
        group = self._states.setdefault(node.variable, Group("int8"))
        own = self._groups[id(node.source)]
        if own.fixed is None and own.dtype == group.dtype:
            self._unite(group, own)
        else:
            self._operands[id(node), id(node.source)] = group
            group.tensors.append(node.source)


def is_real(tensor: Tensor) -> bool:
    return tensor.dtype == "float32"


def may_be_wide(node: Node) -> bool:
    """Whether a device computes it with 16-bit activations."""
    if is_island(node) or (isinstance(node, ir.Pad) and node.value):
        return False
    if isinstance(node, ir.PRelu):  # its slope is int8 in any case, with a scale that 16 bits beside it do not have
        return False
    return isinstance(node, ir.Reshape) or (type(node) in LOWERINGS and "int16" in LOWERINGS[type(node)].types)


def computes(node: Node) -> bool:
    """Whether a layer makes new real values; others move those that they read."""
    moves = isinstance(node, (*MOVES, *JOINS, ir.ReadVariable, ir.WriteVariable))
    return not moves and any(is_real(t) for t in node.outputs)


def is_island(node: Node) -> bool:
    """A function that the reference kernels have of floats only: it stands between a Dequantize and a Quantize."""
    return isinstance(node, ir.Elementwise) and not isinstance(node, _OF_INTEGERS)


def _is_between(graph: Graph, tensor: Tensor) -> bool:
    readers = graph.consumers(tensor)
    return len(readers) == 1 and is_island(readers[0]) and not graph.is_output(tensor)


def activations(node: Node) -> list[Tensor]:
    """What a layer reads of real values that change, or that become integers of a scale with a zero point."""
    return [t for name in activation_operands(node) for t in node.tensors(name) if is_real(t)]


def activation_operands(node: Node) -> Iterable[str]:
    if isinstance(node, ir.Weighted):
        return ("source",)
    if isinstance(node, ir.Lstm | ir.Svdf):
        return ("source",)
    return node.OPERANDS
