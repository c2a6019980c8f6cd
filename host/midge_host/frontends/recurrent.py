"""Recurrent layers of any framework as operators of the IR.

A plain LSTM becomes one ir.Lstm. Every other layer is unrolled: the products with the inputs of all steps are one
layer, and each step adds its own with the hidden state; the steps share their weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ..ir import operators as ir
from ..ir.builder import Builder
from ..ir.graph import Node, Tensor

Array = np.ndarray
# Adds a function of each element, under a name.
Function = Callable[[Builder, str, Tensor], Tensor]


def function(operator: type[Node], **fields: Any) -> Function:
    """An operator of one tensor as an activation."""
    return lambda builder, name, x: builder.add(operator, name, source=x, **fields)


def linear(builder: Builder, name: str, x: Tensor) -> Tensor:
    return x


def hard_sigmoid(builder: Builder, name: str, x: Tensor, slope: float = 1 / 6, offset: float = 0.5) -> Tensor:
    """slope * x + offset, between 0 and 1: Keras 3's and PyTorch's; Keras 2's and ONNX's slope is 0.2."""
    scaled = builder.add(ir.Mul, f"{name}/scaled", first=x, second=np.float32(6 * slope))
    shifted = builder.add(ir.Add, f"{name}/shifted", first=scaled, second=np.float32(6 * offset))
    sixfold = builder.add(ir.Relu6, f"{name}/clamped", source=shifted)
    return builder.add(ir.Mul, name, first=sixfold, second=np.float32(1 / 6))


tanh = function(ir.Tanh)
sigmoid = function(ir.Logistic)
# By the names that Keras has for them.
FUNCTIONS: dict[str, Function] = {
    "tanh": tanh,
    "sigmoid": sigmoid,
    "relu": function(ir.Relu),
    "relu6": function(ir.Relu6),
    "elu": function(ir.Elu),
    "gelu": function(ir.Gelu),
    "leaky_relu": function(ir.LeakyRelu, alpha=0.2),
    "exponential": function(ir.Exp),
    "hard_sigmoid": hard_sigmoid,
    "linear": linear,
}


@dataclass(eq=False, kw_only=True)
class Cell:
    """What a layer does at each step. Weights have an index of the gate in front, in the order of the class.

    kernel: (gates, units, depth), recurrent: (gates, units, units), bias: (gates, units). GROUPS: gates that are
    computed together.
    """

    GROUPS: ClassVar[tuple[slice, ...]]
    STATES: ClassVar[tuple[str, ...]] = ("hidden",)

    kernel: Array
    recurrent: Array
    bias: Array
    activation: Function = tanh
    _shared: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict, init=False)

    @property
    def units(self) -> int:
        return int(self.kernel.shape[1])

    def input_bias(self) -> Array:
        """What the products with the inputs add."""
        return self.bias

    def hidden_bias(self) -> Array:
        """What the products with the hidden state add."""
        return np.zeros_like(self.bias)

    def step(self, builder: Builder, name: str, inputs: list[Tensor], states: list[Tensor | None]) -> list[Tensor]:
        """The states after a step. inputs: of each group, the products with the step's input. A state that is None is
        zero."""
        raise NotImplementedError

    def rows(self, array: Array, group: int) -> Array:
        """The rows of a group's gates."""
        rows = array[self.GROUPS[group]]
        return rows.reshape(-1, *rows.shape[2:])

    def of_hidden(self, builder: Builder, name: str, group: int, hidden: Tensor | None) -> Tensor | None:
        """A group's products with the hidden state, (batch, gates * units); None where they are zero."""
        if group not in self._shared:
            self._shared[group] = (
                builder.constant(self.rows(self.recurrent, group), f"{name}/recurrent"),
                builder.constant(self.rows(self.hidden_bias(), group), f"{name}/recurrent_bias"),
            )
        weights, bias = self._shared[group]
        if hidden is not None:
            return builder.add(ir.Dense, f"{name}/recurrent", source=hidden, weights=weights, bias=bias)
        assert bias.data is not None
        return builder.constant(bias.data[np.newaxis], f"{name}/recurrent") if bias.data.any() else None


@dataclass(eq=False, kw_only=True)
class Rnn(Cell):
    """hidden = activation(kernel x + recurrent hidden + bias)."""

    GROUPS = (slice(0, 1),)

    def step(self, builder: Builder, name: str, inputs: list[Tensor], states: list[Tensor | None]) -> list[Tensor]:
        sums = _sum(builder, f"{name}/sum", inputs[0], self.of_hidden(builder, name, 0, states[0]))
        return [self.activation(builder, f"{name}/hidden", sums)]


@dataclass(eq=False, kw_only=True)
class Gru(Cell):
    """Gates: update z, reset r, new n. hidden = (1 - z) n + z hidden.

    reset_after: n = activation(kernel x + bias + r (recurrent hidden + recurrent_bias)), as Keras, PyTorch and, with
    linear_before_reset, ONNX have it; else r multiplies the hidden state before the product.
    """

    GROUPS = (slice(0, 2), slice(2, 3))

    recurrent_bias: Array
    recurrent_activation: Function = sigmoid
    reset_after: bool = True

    def input_bias(self) -> Array:
        return self.bias + self.recurrent_bias - self.hidden_bias()

    def hidden_bias(self) -> Array:
        after = np.array([0, 0, int(self.reset_after)], self.bias.dtype)
        return self.recurrent_bias * after[:, np.newaxis]

    def step(self, builder: Builder, name: str, inputs: list[Tensor], states: list[Tensor | None]) -> list[Tensor]:
        (hidden,), units = states, self.units
        sums = _sum(builder, f"{name}/gates", inputs[0], self.of_hidden(builder, f"{name}/gates", 0, hidden))
        gates = self.recurrent_activation(builder, f"{name}/open", sums)
        update, reset = builder.add_parts(
            ir.Split, f"{name}/gate", [(sums.shape[0], units)] * 2, source=gates, axis=len(gates.shape) - 1
        )
        kept = self.of_hidden(builder, f"{name}/new", 1, hidden) if self.reset_after else hidden
        if kept is not None:
            kept = builder.add(ir.Mul, f"{name}/kept", first=reset, second=kept)
        if not self.reset_after:
            kept = self.of_hidden(builder, f"{name}/new", 1, kept)
        new = self.activation(builder, f"{name}/new", _sum(builder, f"{name}/new/sum", inputs[1], kept))
        if hidden is None:
            part = builder.add(ir.Mul, f"{name}/part", first=update, second=new)
            return [builder.add(ir.Sub, f"{name}/hidden", first=new, second=part)]
        gap = builder.add(ir.Sub, f"{name}/gap", first=hidden, second=new)
        part = builder.add(ir.Mul, f"{name}/part", first=update, second=gap)
        return [builder.add(ir.Add, f"{name}/hidden", first=new, second=part)]


@dataclass(eq=False, kw_only=True)
class Lstm(Cell):
    """Gates: input i, forget f, output o, cell g. cell = f cell + i g; hidden = o activation(cell)."""

    GROUPS = (slice(0, 3), slice(3, 4))
    STATES = ("hidden", "cell")

    recurrent_activation: Function = sigmoid

    @property
    def is_plain(self) -> bool:
        """Whether it is the LSTM of TensorFlow Lite Micro."""
        return self.activation is tanh and self.recurrent_activation is sigmoid

    def step(self, builder: Builder, name: str, inputs: list[Tensor], states: list[Tensor | None]) -> list[Tensor]:
        hidden, cell = states
        sums = _sum(builder, f"{name}/gates", inputs[0], self.of_hidden(builder, f"{name}/gates", 0, hidden))
        gates = self.recurrent_activation(builder, f"{name}/open", sums)
        enter, forget, leave = builder.add_parts(
            ir.Split, f"{name}/gate", [(sums.shape[0], self.units)] * 3, source=gates, axis=len(gates.shape) - 1
        )
        sums = _sum(builder, f"{name}/new/sum", inputs[1], self.of_hidden(builder, f"{name}/new", 1, hidden))
        new = self.activation(builder, f"{name}/new", sums)
        fresh = builder.add(ir.Mul, f"{name}/fresh", first=enter, second=new)
        if cell is None:
            cell = fresh
        else:
            kept = builder.add(ir.Mul, f"{name}/kept", first=forget, second=cell)
            cell = builder.add(ir.Add, f"{name}/cell", first=kept, second=fresh)
        squashed = self.activation(builder, f"{name}/squashed", cell)
        return [builder.add(ir.Mul, f"{name}/hidden", first=leave, second=squashed), cell]


def recurrent(
    builder: Builder,
    name: str,
    cell: Cell,
    source: Tensor,
    *,
    reverse: bool = False,
    initial: Sequence[Tensor] = (),
    stateful: bool = False,
    sequences: bool = False,
    states: bool = False,
) -> list[Tensor]:
    """The output of a layer that runs `cell` over `source`, (batch, steps, depth).

    reverse: from the last step to the first; the outputs stay at the places of their inputs. initial: the states
    before the first step, (batch, units) each; zeros if not given. stateful: the states are kept from one prediction
    to the next. sequences: the outputs of all steps, (batch, steps, units); else the last one's, (batch, units).
    states: the states after the last step follow.
    """
    if isinstance(cell, Lstm) and cell.is_plain and not initial and not states:
        output = _whole(builder, name, cell, source, reverse, stateful)
        if reverse and sequences:
            output = _reversed(builder, name, output)
        return [output if sequences else builder.add(ir.Slice, name, source=output, index=(slice(None), -1))]

    batch, steps, depth = source.shape
    if batch == 1:
        rows = builder.add(ir.Reshape, f"{name}/rows", source=source, shape=(steps, depth))
    else:
        rows = builder.add(ir.Transpose, f"{name}/time", source=source, axes=(1, 0, 2))
        rows = builder.add(ir.Reshape, f"{name}/rows", source=rows, shape=(steps * batch, depth))
    inputs = [_of_inputs(builder, name, cell, rows, group, steps) for group in range(len(cell.GROUPS))]

    held: list[Tensor | None] = list(initial) or [None] * len(cell.STATES)
    variables = [f"{name}/{state}" for state in cell.STATES]
    if stateful:
        first = [t.data if t is not None else None for t in held]
        held = [
            builder.read(variable, np.zeros((batch, cell.units), np.float32) if value is None else value)
            for variable, value in zip(variables, first, strict=True)
        ]
    outputs: list[Tensor] = []
    alike: dict[str, list[Tensor]] = {}
    for t in reversed(range(steps)) if reverse else range(steps):
        prefix, start = f"{name}/{t}", len(builder.graph.nodes)
        last = cell.step(builder, prefix, [parts[t] for parts in inputs], held)
        held = list(last)
        outputs.append(last[0])
        for tensor in [t for node in builder.graph.nodes[start:] for t in node.outputs]:
            alike.setdefault(tensor.name.removeprefix(prefix), []).append(tensor)
    builder.graph.alike += alike.values()
    if stateful:
        for variable, tensor in zip(variables, last, strict=True):
            builder.write(variable, tensor)
    if not sequences:
        return [last[0], *(last if states else [])]
    whole = builder.add(ir.Stack, name, sources=outputs[::-1] if reverse else outputs, axis=1)
    return [whole, *(last if states else [])]


def bidirectional(
    builder: Builder, name: str, source: Tensor, forward: Cell, backward: Cell, *, sequences: bool = False
) -> tuple[Tensor, Tensor]:
    """The outputs of two layers, one of which runs from the last step to the first."""
    run = partial(recurrent, builder, source=source, sequences=sequences)
    (ahead,), (back,) = run(f"{name}/forward", forward), run(f"{name}/backward", backward, reverse=True)
    return ahead, back


def _sum(builder: Builder, name: str, first: Tensor, second: Tensor | None) -> Tensor:
    return first if second is None else builder.add(ir.Add, name, first=first, second=second)


def _of_inputs(builder: Builder, name: str, cell: Cell, rows: Tensor, group: int, steps: int) -> list[Tensor]:
    """A group's products with the inputs: (batch, gates * units) of each step."""
    weights, bias = (cell.rows(array, group) for array in (cell.kernel, cell.input_bias()))
    products = builder.add(ir.Dense, f"{name}/kernel_{group}", source=rows, weights=weights, bias=bias)
    shape = (products.shape[0] // steps, products.shape[1])
    return builder.add_parts(ir.Split, f"{name}/input_{group}", [shape] * steps, source=products, axis=0)


def _whole(builder: Builder, name: str, cell: Lstm, source: Tensor, reverse: bool, stateful: bool) -> Tensor:
    """A plain LSTM as one operator: (batch, steps, units) in the order of its steps."""
    if reverse:
        source = _reversed(builder, f"{name}/source", source)
    order = (1, 0, 3, 2)  # forget, input, cell, output
    hidden, memory = (
        Tensor(f"{name}/{state}", (source.shape[0], cell.units), "float32", is_variable=True) for state in cell.STATES
    )
    return builder.add(
        ir.Lstm,
        name,
        source=source,
        kernels=[cell.kernel[i] for i in order],
        recurrent=[cell.recurrent[i] for i in order],
        biases=[cell.bias[i] for i in order],
        hidden=hidden,
        cell=memory,
        stateful=stateful,
    )


def _reversed(builder: Builder, name: str, x: Tensor) -> Tensor:
    """(batch, steps, depth), the last step first."""
    return builder.add(ir.Slice, f"{name}/reversed", source=x, index=(slice(None), slice(None, None, -1)))
