"""SOFTMAX_FROM_16: SOFTMAX of int16 over the last axis."""

from __future__ import annotations

import numpy as np

from ...ir.graph import Node
from .. import spec
from ..numerics import interpolated_table, look_up, quantize_multiplier, rescale
from ..record import Context, Step

ENTRIES = spec.PART_BYTES["EXP_TABLE_BYTES"] // 2


def _exp(x: np.ndarray) -> np.ndarray:
    return np.exp(x.astype(np.float64)).astype(np.float32)


def _inverse(x: np.ndarray) -> np.ndarray:
    return np.float32(1) / (np.float32(1) + x)


def step(node: Node, sizes: dict[str, int]) -> list[Step]:
    source, output = node.inputs[0], node.outputs[0]
    scale, _ = node.per_tensor(source, ("int16",))
    out_scale, _ = node.per_tensor(output, ("int16",))
    if abs(out_scale * 32768 - 1) > 1e-3:
        raise node.refuse("its output is not quantised to 1/32768", "export the model again")
    # The table of exp spans differences from -10 to 0.
    multiplier, shift = quantize_multiplier(float(scale) * float(np.float32(node.options["beta"])) / (10.0 / 65535.0))
    tables = [
        interpolated_table(_exp, np.float32(10) / np.float32(65535), 32767),
        interpolated_table(_inverse, np.float32(1) / np.float32(65535), -32768),
    ]
    fields = {**sizes, "multiplier": multiplier, "shift": shift}
    return [
        Step("SOFTMAX_FROM_16", node.name, [source], output, fields, [np.concatenate(tables).tobytes()], in_place=True)
    ]


def run(context: Context) -> None:
    op = context.op
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
