"""UNIDIRECTIONAL_SEQUENCE_LSTM."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...ir.graph import Tensor
from ...ir.operators import Lstm
from .. import spec
from ..banks import RECURRENT
from ..definition import Constant, Operand, Operator, fit, record
from ..numerics import quantize_multiplier, rescale, rescale_wide, wrap32
from ..record import Context, Step
from ..rules import (
    UNIT,
    WIDE,
    Between,
    Check,
    Choice,
    Each,
    HasFlag,
    Holds,
    IsRescale,
    Item,
    aligned,
    at_most,
    equal,
    nonzero,
    parameters,
    product,
    total,
    weights,
)
from .constant import fill
from .quantised import per_tensor
from .sigmoid16 import TABLE_BYTES, logistic, sigmoid_table, tanh

TIME_MAJOR = 1
GATES = 4
GATE_POWER = -12  # gates enter their functions on a scale of 2^-12, and leave them on 2^-15
NO_CLIP = 32768
GATES_BYTES = GATES * 2 * 4

LSTM = record(
    "lstm",
    "A long short-term memory over sequences. flags 1: time first.",
    [
        ("H", "batch", "sequences"),
        ("H", "steps", "rows of a sequence"),
        ("H", "depth", "elements of a row"),
        ("H", "cells", "outputs of a row"),
        ("H", "cell_clip", "largest magnitude of the cell state; 32768 for no limit"),
        ("b", "shift", "of the output"),
        (
            f"{2 * GATES}b",
            "shifts",
            "of each gate's sums over input and hidden state: forget, input, cell, output gate",
        ),
        ("b", "cell_power", "the scale of the cell state is 2^cell_power; -27 to 0"),
        ("b", "output_zero", "zero point of hidden state and output"),
        ("I", "input2", "arena offset of the hidden state: [batch][cells]"),
        ("I", "input3", "arena offset of the cell state: [batch][cells] int16"),
        ("i", "multiplier", "of the output"),
    ],
)


def lower(node: Lstm) -> list[Step]:
    source, output, hidden, cell = node.source, node.output, node.hidden, node.cell
    dtype = source.dtype
    in_scale, in_zero = per_tensor(node, source, ("int8", "int16"))
    hidden_scale, hidden_zero = per_tensor(node, hidden, (dtype,))
    per_tensor(node, output, (dtype,))
    cell_scale, _ = per_tensor(node, cell, ("int16",))
    power = round(math.log2(cell_scale))
    if cell_scale != 2.0**power or not -27 <= power <= 0:
        raise node.refuse(f"the scale of its cell state is {cell_scale}", "quantise with TFLiteConverter")

    time_major = node.time_major
    batch, steps = source.shape[1::-1] if time_major else source.shape[:2]
    depth, cells = source.shape[2], hidden.size // batch
    kernels = [_weights(node, tensor) for tensor in node.kernels]
    recurrent = [_weights(node, tensor) for tensor in node.recurrent]

    # Float products: so does TFLM.
    scales = [
        (in_scale * k.scale[0], hidden_scale * r.scale[0]) for k, r in zip(node.kernels, node.recurrent, strict=True)
    ]
    pairs = [quantize_multiplier(float(s) / 2.0**GATE_POWER) for pair in scales for s in pair]
    if dtype == "int16" and any(shift > 7 for _, shift in pairs):
        raise node.refuse("the scales of its weights are too large", "export the model again")
    multiplier, shift = quantize_multiplier(2.0**-30 / float(hidden_scale))
    block = np.zeros(1, _layout(dtype, depth, cells))
    block["sigmoid"] = sigmoid_table()
    block["multipliers"] = np.array([m for m, _ in pairs]).reshape(GATES, 2)
    for g, (k, r, tensor) in enumerate(zip(kernels, recurrent, node.biases, strict=True)):
        rows = block["rows"][0, :, g]
        bias = _bias(node, tensor, "int32" if dtype == "int8" else "int64")
        if dtype == "int8":
            rows["bias"] = wrap32(bias - in_zero * k.astype(np.int64).sum(1))
            rows["recurrent_bias"] = wrap32(-hidden_zero * r.astype(np.int64).sum(1))
        else:
            rows["bias"], rows["upper"] = bias & 0xFFFFFFFF, bias >> 32
        rows["kernel"], rows["recurrent"] = k, r
    raw = block.tobytes()
    if len(raw) > spec.MAX_WINDOW_BYTES:
        reason = (
            f"its {len(raw):,} bytes of weights have to be in memory at once, the limit is {spec.MAX_WINDOW_BYTES:,}"
        )
        raise node.refuse(reason, "use fewer cells")
    clip = node.cell_clip
    fields: dict[str, Any] = {
        "flags": TIME_MAJOR if time_major else 0,
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
    step = Step("LSTM", node.name, [source, hidden, cell], output, fields, blocks, dtype=dtype)
    if node.stateful:
        return [step]
    return [fill(hidden, np.full(hidden.shape, hidden_zero)), fill(cell, np.zeros(cell.shape)), step]


def _weights(node: Lstm, weights: Tensor) -> np.ndarray:
    if weights.data is None or weights.dtype != "int8":
        raise node.refuse(f"its weights {weights.name!r} are not int8 constants", "quantise the whole model to int8")
    if weights.scale.size != 1 or weights.zero_point.any():
        raise node.refuse(f"weights {weights.name!r} have several scales or a zero point", "export the model again")
    return weights.data


def _bias(node: Lstm, bias: Tensor, dtype: str) -> np.ndarray:
    if bias.data is None or bias.dtype != dtype:
        raise node.refuse(f"its bias {bias.name!r} is not of {dtype} constants", "export the model again")
    values = bias.data.reshape(-1).astype(np.int64)
    if (values >> 47 != values >> 63).any():
        raise node.refuse(f"its bias {bias.name!r} is too large", "export the model again")
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
    dtype = context.dtype.name
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


_TIME_FIRST = HasFlag(TIME_MAJOR)
_ORDER = (Choice(_TIME_FIRST, "steps", "batch"), Choice(_TIME_FIRST, "batch", "steps"))
_TENSORS = (
    Operand("input", (*_ORDER, "depth"), UNIT),
    Operand("input2", ("batch", "cells"), UNIT),
    Operand("input3", ("batch", "cells"), 2),
    Operand("output", (*_ORDER, "cells"), UNIT),
)

CHECK = Check(
    "lstm",
    (
        parameters(
            at_most("flags", TIME_MAJOR),
            nonzero("batch", "steps", "depth", "cells"),
            IsRescale("multiplier", "shift"),
            at_most("cell_clip", NO_CLIP),
            Between("cell_power", -27, 0),
            aligned(2, "input3"),
            aligned(UNIT, "input", "input2", "output"),
        ),
        Each(2 * GATES, "BAD_PARAMETER", (Between(Item("shifts"), -31, Choice(WIDE, 7, 30)),)),
        weights(
            equal("blocks", 1),
            Holds(TABLE_BYTES + GATES_BYTES, product("cells", GATES, total(8, "depth", "cells"))),
        ),
        fit(*_TENSORS),
    ),
)

DEFINITIONS = tuple(
    Operator(
        17,
        "LSTM",
        RECURRENT,
        LSTM,
        "lstm",
        CHECK,
        _TENSORS,
        run,
        dtype=dtype,
        has_blocks=True,
        macs=product("batch", "steps", GATES, "cells", total("depth", "cells")),
        parameters=product(GATES, "cells", total("depth", "cells", Choice(WIDE, 8, 4))),
        constants=(
            Constant("TIME_MAJOR", TIME_MAJOR, "flag of LSTM: time is the first dimension"),
            Constant("SIGMOID_BYTES", TABLE_BYTES, "the sigmoid's table"),
            Constant("GATES_BYTES", GATES_BYTES, "multipliers of an LSTM's gates, behind that table"),
        ),
    )
    for dtype in ("int8", "int16")
)
