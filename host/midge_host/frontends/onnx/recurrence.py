"""LSTM, GRU and RNN."""

from __future__ import annotations

from functools import partial

import numpy as np

from ...ir import operators as ir
from ...ir.graph import Tensor
from .. import recurrent
from ..recurrent import Cell, Function
from .importer import Call, reads

_FUNCTIONS: dict[str, Function] = {
    "tanh": recurrent.tanh,
    "sigmoid": recurrent.sigmoid,
    "relu": recurrent.FUNCTIONS["relu"],
    "affine": recurrent.linear,
}
_DEFAULTS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}


@reads("LSTM", "GRU", "RNN")
def recurrent_layer(call: Call) -> list[Tensor]:
    """ONNX's inputs: (steps, batch, depth), or (batch, steps, depth) with layout 1; its outputs: of all steps, by step
    and direction, and the last states."""
    kind, batch_first = call.operator.kind, bool(call.attribute("layout", 0))
    x = call.input(0)
    if len(x.shape) != 3:
        raise call.refuse(f"it reads {x.shape}, not sequences", "export the model again")
    if not batch_first:
        x = call.transpose(x, (1, 0, 2), "batch_first")
    batch, steps, _ = x.shape
    _check(call, batch, steps)
    direction = call.attribute("direction", "forward")
    ways = [False, True] if direction == "bidirectional" else [direction == "reverse"]
    weights, rows = (call.constant(i, "weights are") for i in (1, 2))
    units = rows.shape[2]
    bias = call.optional_constant(3, "bias is")
    if bias is None:
        bias = np.zeros((len(ways), 2 * rows.shape[1]), np.float32)
    states = [t for t in (call.optional(5), call.optional(6)) if t is not None and not _is_zero(t)]
    functions = call.attribute("activations") or _DEFAULTS[kind] * len(ways)
    each = len(functions) // len(ways)
    outputs = [name in call.wanted for name in call.operator.outputs] + [False] * 3
    sequences, last_states = outputs[0], any(outputs[1:])
    made = []
    for way, reverse in enumerate(ways):
        cell = _cell(call, weights[way], rows[way], bias[way], units, functions[way * each : (way + 1) * each])
        initial = [_initial(call, t, way, batch_first, f"initial{i}") for i, t in enumerate(states)]
        plain = isinstance(cell, recurrent.Lstm) and cell.is_plain and not initial and not outputs[2]
        made.append(
            recurrent.recurrent(
                call.importer.builder,
                call.name if len(ways) == 1 else f"{call.name}/{'backward' if reverse else 'forward'}",
                cell,
                x,
                reverse=reverse,
                initial=initial,
                sequences=sequences or plain,
                states=last_states and not plain,
            )
        )
        if plain and last_states:
            end = slice(0, 1) if reverse else slice(steps - 1, steps)
            cut = call.add(ir.Slice, "last", source=made[-1][0], index=(slice(None), end))
            made[-1].append(call.reshape(cut, (batch, units), "state"))
    return _results(call, made, sequences, batch_first)


def _check(call: Call, batch: int, steps: int) -> None:
    lengths = call.optional_constant(4, "lengths are")
    if lengths is not None and np.any(lengths != steps):
        raise call.refuse("its sequences have lengths of their own", "export the model for whole sequences")
    for name in ("clip", "input_forget"):
        if call.attribute(name):
            raise call.refuse(f"it has {name}", "use a plain layer")
    peepholes = call.optional_constant(7, "peepholes are") if call.operator.kind == "LSTM" else None
    if peepholes is not None and peepholes.any():
        raise call.refuse("it has peepholes", "use a plain LSTM")


def _is_zero(tensor: Tensor) -> bool:
    return tensor.data is not None and not tensor.data.any()


def _initial(call: Call, state: Tensor, way: int, batch_first: bool, name: str) -> Tensor:
    """The state of one direction: (batch, units)."""
    index = (slice(None), way) if batch_first else (way,)
    shape = np.broadcast_to(np.int8(0), state.shape)[index].shape
    return call.arranged(state, lambda a: a[index]) or call.reshape(
        call.add(ir.Slice, name, source=state, index=index), shape
    )


def _function(call: Call, name: str) -> Function:
    lower = name.lower()
    if lower == "hardsigmoid":
        slope = (call.attribute("activation_alpha") or [0.2])[0]
        offset = (call.attribute("activation_beta") or [0.5])[0]
        return partial(recurrent.hard_sigmoid, slope=slope, offset=offset)
    if lower not in _FUNCTIONS or (lower == "affine" and call.attribute("activation_alpha")):
        raise call.refuse(f"its activation is {name}", "use tanh, sigmoid, relu or hard sigmoid")
    return _FUNCTIONS[lower]


def _cell(
    call: Call, weights: np.ndarray, rows: np.ndarray, bias: np.ndarray, units: int, functions: list[str]
) -> Cell:
    order = {"LSTM": [0, 2, 1, 3], "GRU": [0, 1, 2], "RNN": [0]}[call.operator.kind]  # ONNX has i o f c; z r h
    gates = len(order)
    if weights.shape[0] != gates * units or rows.shape != (gates * units, units) or bias.shape != (2 * gates * units,):
        raise call.refuse(f"its weights {weights.shape} and {rows.shape} do not fit", "export the model again")

    def parts(array: np.ndarray) -> np.ndarray:
        return array.reshape(gates, units, *array.shape[1:])[order]

    made: list[Function] = [_function(call, name) for name in functions]
    kernel, recurrent_kernel, first, second = map(parts, (weights, rows, *np.split(bias, 2)))
    common = {"kernel": kernel, "recurrent": recurrent_kernel}
    if call.operator.kind == "RNN":
        return recurrent.Rnn(**common, bias=first + second, activation=made[0])
    if call.operator.kind == "GRU":
        return recurrent.Gru(
            **common,
            bias=first,
            recurrent_bias=second,
            recurrent_activation=made[0],
            activation=made[1],
            reset_after=bool(call.attribute("linear_before_reset", 0)),
        )
    if functions[1].lower() != functions[2].lower():
        raise call.refuse("its cell and its output have different activations", "use tanh for both")
    return recurrent.Lstm(**common, bias=first + second, recurrent_activation=made[0], activation=made[1])


def _results(call: Call, made: list[list[Tensor]], sequences: bool, batch_first: bool) -> list[Tensor]:
    """Y: (steps, directions, batch, units), Y_h and Y_c: (directions, batch, units); directions behind the batch if it
    comes first."""

    def stacked(tensors: list[Tensor], axis: int, name: str) -> Tensor:
        if len(tensors) == 1:
            shape = tensors[0].shape
            return call.reshape(tensors[0], (*shape[:axis], 1, *shape[axis:]), name)
        return call.add(ir.Stack, name, sources=tensors, axis=axis)

    results: list[Tensor] = []
    if sequences:
        whole = stacked([m[0] for m in made], 2, "directions")  # (batch, steps, directions, units)
        results.append(whole if batch_first else call.transpose(whole, (1, 2, 0, 3), "steps_first"))
    else:
        results.append(call.number(0.0))
    for i in range(1, len(made[0])):
        results.append(stacked([m[i] for m in made], 1 if batch_first else 0, f"last{i}"))
    return results
