"""SOFTMAX from int8 or int16 to int16, over the last axis."""

from __future__ import annotations

import numpy as np

from ...ir.operators import Softmax
from ..banks import WIDE
from ..definition import Constant, Operand, Operator, fit
from ..numerics import interpolated_table, look_up, quantize_multiplier, rescale
from ..record import Context, Step
from ..rules import (
    Between,
    Check,
    Choice,
    HasFlag,
    Holds,
    IsRescale,
    When,
    aligned,
    at_most,
    equal,
    parameters,
    weights,
)
from . import softmax
from .quantised import per_tensor
from .softmax import EXPONENTIALS, MAX_DEPTH, SOFTMAX, row_fields, row_sizes, shares

ENTRIES = 513  # of a table
TABLE_BYTES = 2 * ENTRIES
INPUT_INT8 = 1


def _exp(x: np.ndarray) -> np.ndarray:
    return np.exp(x.astype(np.float64)).astype(np.float32)


def _inverse(x: np.ndarray) -> np.ndarray:
    return np.float32(1) / (np.float32(1) + x)


def lower(node: Softmax) -> list[Step]:
    source, output = node.source, node.output
    if source.dtype == "int16":
        return _from_int16(node)
    if output.dtype != "int16":
        return softmax.lower(node)
    if not np.isclose(output.scale, 1 / 65536, rtol=1e-3).all() or not (output.zero_point == -32768).all():
        raise node.refuse("its output is not quantised to 1/65536 with zero point -32768", "export the model again")
    fields = {"flags": INPUT_INT8, **row_fields(node, node.beta)}
    return [Step("SOFTMAX", node.name, [source], output, fields, dtype="int16")]


def _from_int16(node: Softmax) -> list[Step]:
    source, output = node.source, node.output
    sizes = row_sizes(node)
    scale, _ = per_tensor(node, source, ("int16",))
    out_scale, _ = per_tensor(node, output, ("int16",))
    if abs(out_scale * 32768 - 1) > 1e-3:
        raise node.refuse("its output is not quantised to 1/32768", "export the model again")
    # The table of exp spans differences from -10 to 0.
    multiplier, shift = quantize_multiplier(float(scale) * float(np.float32(node.beta)) / (10.0 / 65535.0))
    tables = [
        interpolated_table(_exp, np.float32(10) / np.float32(65535), 32767),
        interpolated_table(_inverse, np.float32(1) / np.float32(65535), -32768),
    ]
    fields = {**sizes, "multiplier": multiplier, "shift": shift}
    blocks = [np.concatenate(tables).tobytes()]
    return [Step("SOFTMAX", node.name, [source], output, fields, blocks, dtype="int16")]


def run(context: Context) -> None:
    op = context.op
    if op["flags"] & INPUT_INT8:
        share = shares(context, 16)
        context.tensor(share.shape, "output", np.int16)[:] = np.minimum(share - 32768, 32767)
        return
    tables = context.block(0)[: 4 * ENTRIES].view(np.int16)
    shape = (op["rows"], op["depth"])
    x = context.tensor(shape, "input", np.int16).astype(np.int64)
    diff = rescale(x - x.max(1, keepdims=True), np.int64(op["multiplier"]), np.int64(op["shift"]))
    exp = look_up(tables[:ENTRIES], np.clip(diff + 32767, -32768, 32767))
    total = np.maximum(exp.sum(1, keepdims=True), 1 << 14)
    headroom = 30 - np.floor(np.log2(total)).astype(np.int64)
    rest = (((total << headroom) + (1 << 13)) >> 14) - (1 << 15) - (1 << 16)
    factor = look_up(tables[ENTRIES:], np.clip(rest, -32768, 32767))
    shift = 30 - headroom
    out = (exp * factor + (1 << (shift - 1))) >> shift
    context.tensor(shape, "output", np.int16)[:] = np.clip(out, 0, 32767)


_FROM_INT8 = HasFlag(INPUT_INT8)
_TENSORS = (Operand("input", ("rows", "depth"), Choice(_FROM_INT8, 1, 2)), Operand("output", ("rows", "depth"), 2))

CHECK = Check(
    "softmax16",
    (
        parameters(at_most("flags", INPUT_INT8), Between("depth", 1, MAX_DEPTH), aligned(2, "output")),
        When(
            _FROM_INT8,
            (parameters(*EXPONENTIALS), weights(equal("blocks", 0))),
            (
                parameters(IsRescale("multiplier", "shift"), aligned(2, "input")),
                weights(equal("blocks", 1), Holds(2 * TABLE_BYTES)),
            ),
        ),
        fit(*_TENSORS),
    ),
)

DEFINITIONS = (
    Operator(
        8,
        "SOFTMAX",
        WIDE,
        SOFTMAX,
        "softmax16",
        CHECK,
        _TENSORS,
        run,
        dtype="int16",
        has_blocks=True,
        in_place=True,
        constants=(
            Constant("INPUT_INT8", INPUT_INT8, "flag: SOFTMAX to int16 takes int8"),
            Constant("EXP_TABLE_BYTES", TABLE_BYTES, "each of the two tables of SOFTMAX from int16"),
        ),
    ),
)
