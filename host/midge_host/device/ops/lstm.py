"""UNIDIRECTIONAL_SEQUENCE_LSTM."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...ir.graph import Graph, Node, Tensor
from .. import spec
from ..numerics import quantize_multiplier, rescale, rescale_wide, wrap32
from ..record import Context, Step
from .sigmoid16 import logistic, sigmoid_table, tanh

INT16, TIME_MAJOR = 1, 2
GATES = 4  # forget, input, cell, output: by their places among the node's inputs
INPUT_WEIGHTS, RECURRENT_WEIGHTS, BIASES = (2, 1, 3, 4), (6, 5, 7, 8), (13, 12, 14, 15)
HIDDEN, CELL = 18, 19
PARTS = {"peephole weights": (9, 10, 11), "a projection": (16, 17), "layer normalisation": (20, 21, 22, 23)}
GATE_POWER = -12  # gates enter their functions on a scale of 2^-12, and leave them on 2^-15
NO_CLIP = 32768


def lower(graph: Graph, node: Node) -> list[Step]:
    node.inputs += [None] * (24 - len(node.inputs))
    for what, places in PARTS.items():
        if any(node.inputs[i] is not None for i in places):
            raise node.refuse(f"it has {what}", "TensorFlow Lite Micro takes no such LSTM; use a plain LSTM layer")
    if node.options["activation"] != "TANH":
        raise node.refuse(f"its activation is {node.options['activation']}, not TANH", "use the default activation")
    source, output, hidden, cell = node.inputs[0], node.outputs[0], node.inputs[HIDDEN], node.inputs[CELL]
    dtype = source.dtype
    in_scale, in_zero = node.per_tensor(source, ("int8", "int16"))
    hidden_scale, hidden_zero = node.per_tensor(hidden, (dtype,))
    node.per_tensor(output, (dtype,))
    cell_scale, _ = node.per_tensor(cell, ("int16",))
    power = round(math.log2(cell_scale))
    if cell_scale != 2.0**power or not -27 <= power <= 0:
        raise node.refuse(f"the scale of its cell state is {cell_scale}", "quantise with TFLiteConverter")

    time_major = bool(node.options["time_major"])
    batch, steps = source.shape[1::-1] if time_major else source.shape[:2]
    depth, cells = source.shape[2], hidden.size // batch
    kernels = [_weights(node, i, (cells, depth)) for i in INPUT_WEIGHTS]
    recurrent = [_weights(node, i, (cells, cells)) for i in RECURRENT_WEIGHTS]
    states = hidden.size == cell.size == batch * cells and hidden.is_variable and cell.is_variable
    if output.shape != (*source.shape[:2], cells) or not states:
        raise node.refuse(f"its states and output do not have {cells} cells", "export the model again")

    # Float products: so does TFLM.
    scales = [(in_scale * k.scale[0], hidden_scale * r.scale[0]) for k, r in zip(kernels, recurrent, strict=True)]
    pairs = [quantize_multiplier(float(s) / 2.0**GATE_POWER) for pair in scales for s in pair]
    if dtype == "int16" and any(shift > 7 for _, shift in pairs):
        raise node.refuse("the scales of its weights are too large", "export the model again")
    multiplier, shift = quantize_multiplier(2.0**-30 / float(hidden_scale))
    block = np.zeros(1, _layout(dtype, depth, cells))
    block["sigmoid"] = sigmoid_table()
    block["multipliers"] = np.array([m for m, _ in pairs]).reshape(GATES, 2)
    for g, (k, r, place) in enumerate(zip(kernels, recurrent, BIASES, strict=True)):
        rows = block["rows"][0, :, g]
        bias = _bias(node, place, cells, "int32" if dtype == "int8" else "int64")
        if dtype == "int8":
            rows["bias"] = wrap32(bias - in_zero * k.data.astype(np.int64).sum(1))
            rows["recurrent_bias"] = wrap32(-hidden_zero * r.data.astype(np.int64).sum(1))
        else:
            rows["bias"], rows["upper"] = bias & 0xFFFFFFFF, bias >> 32
        rows["kernel"], rows["recurrent"] = k.data, r.data
    raw = block.tobytes()
    if len(raw) > spec.MAX_WINDOW_BYTES:
        reason = (
            f"its {len(raw):,} bytes of weights have to be in memory at once, the limit is {spec.MAX_WINDOW_BYTES:,}"
        )
        raise node.refuse(reason, "use fewer cells")
    clip = node.options["cell_clip"]
    fields: dict[str, Any] = {
        "flags": (INT16 if dtype == "int16" else 0) | (TIME_MAJOR if time_major else 0),
        "multiplier": multiplier,
        "shift": shift,
        "shifts": [s for _, s in pairs],
        "batch": batch,
        "steps": steps,
        "depth": depth,
        "cells": cells,
        "cell_clip": int(min(clip / float(cell_scale), 32767)) if clip > 0 else NO_CLIP,
        "cell_power": power,
        "output_zero": hidden_zero,
    }
    blocks = [raw + bytes(-len(raw) % spec.BLOCK_ALIGNMENT)]
    return [Step("LSTM", node.name, [source, hidden, cell], output, fields, blocks)]


def _weights(node: Node, place: int, shape: tuple[int, int]) -> Tensor:
    weights = node.inputs[place]
    if weights is None or weights.data is None or weights.dtype != "int8" or weights.shape != shape:
        raise node.refuse(f"its input {place} is not {shape} int8 constants", "quantise the whole model to int8")
    if weights.scale.size != 1 or weights.zero_point.any():
        raise node.refuse(f"weights {weights.name!r} have several scales or a zero point", "export the model again")
    return weights


def _bias(node: Node, place: int, cells: int, dtype: str) -> np.ndarray:
    bias = node.inputs[place]
    if bias is None or bias.data is None or bias.dtype != dtype or bias.size != cells:
        raise node.refuse(f"its input {place}, a bias, is not {cells} {dtype} constants", "export the model again")
    values = bias.data.reshape(-1).astype(np.int64)
    if (values >> 47 != values >> 63).any():
        raise node.refuse(f"its input {place}, a bias, is too large", "export the model again")
    return values


def _layout(dtype: str, depth: int, cells: int) -> np.dtype:
    """The weight block as a NumPy type."""
    biases = [("bias", "<i4"), ("recurrent_bias", "<i4")]
    if dtype == "int16":  # zero points are 0
        biases = [("bias", "<u4"), ("upper", "<i2"), ("spare", "<u2")]
    row = np.dtype([*biases, ("kernel", "i1", (depth,)), ("recurrent", "i1", (cells,))])
    return np.dtype([("sigmoid", "<u2", (256,)), ("multipliers", "<i4", (GATES, 2)), ("rows", row, (cells, GATES))])


def _tanh(table: np.ndarray, x: np.ndarray, power: int) -> np.ndarray:
    """Of values on a scale of 2^power."""
    left = power - GATE_POWER
    return tanh(table, 3 * x << left if left >= 0 else (3 * x + (1 << (-left - 1))) >> -left)


def _clip16(x: np.ndarray) -> np.ndarray:
    return np.clip(x, -32768, 32767)


def run(context: Context) -> None:
    op = context.op
    batch, steps, depth, cells, power = (op[k] for k in ("batch", "steps", "depth", "cells", "cell_power"))
    dtype = "int16" if op["flags"] & INT16 else "int8"
    layout = _layout(dtype, depth, cells)
    block = context.block(0)[: layout.itemsize].view(layout)[0]
    table = block["sigmoid"].astype(np.int64)
    multipliers = block["multipliers"].astype(np.int64) & 0x7FFFFFFF
    shifts = np.array(op["shifts"], np.int64).reshape(GATES, 2)
    parts = {name: block["rows"][name].astype(np.int64) for name in block["rows"].dtype.names}
    bias = parts["bias"] + (parts["upper"] << 32 if dtype == "int16" else 0)
    recurrent_bias = parts.get("recurrent_bias", 0)
    requantize = rescale_wide if dtype == "int16" else lambda sums, m, s: rescale(wrap32(sums), m, s)

    order = (steps, batch) if op["flags"] & TIME_MAJOR else (batch, steps)
    inputs = context.tensor((*order, depth), "input", dtype)
    outputs = context.tensor((*order, cells), "output", dtype)
    if not op["flags"] & TIME_MAJOR:
        inputs, outputs = inputs.swapaxes(0, 1), outputs.swapaxes(0, 1)
    hidden_state = context.tensor((batch, cells), "input2", dtype)
    cell_state = context.tensor((batch, cells), "input3", np.int16)
    for t in range(steps):
        for b in range(batch):
            hidden, cell = hidden_state[b].astype(np.int64), cell_state[b].astype(np.int64)
            sums = (
                parts["kernel"] @ inputs[t, b].astype(np.int64) + bias,
                parts["recurrent"] @ hidden + recurrent_bias,
            )
            over_input, over_hidden = (requantize(s, multipliers[:, i], shifts[:, i]) for i, s in enumerate(sums))
            gates = _clip16(_clip16(over_input) + _clip16(over_hidden))
            forget, enter, leave = (logistic(table, 3 * gates[:, g]) for g in (0, 1, 3))
            fresh = _tanh(table, gates[:, 2], GATE_POWER)
            cell = _clip16(rescale(forget * cell, np.int64(1 << 30), np.int64(-14)))
            cell = cell + _clip16(rescale(enter * fresh, np.int64(1 << 30), np.int64(-29 - power)))
            cell = cell_state[b] = np.clip(_clip16(cell), -op["cell_clip"], op["cell_clip"])
            out = rescale(_tanh(table, cell, power) * leave, np.int64(op["multiplier"]), np.int64(op["shift"]))
            limits = np.iinfo(dtype)
            hidden_state[b] = np.clip(wrap32(out + op["output_zero"]), limits.min, limits.max)
            outputs[t, b] = hidden_state[b]
