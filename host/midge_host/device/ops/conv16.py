"""CONV_2D_16, DEPTHWISE_CONV_2D_16 and FULLY_CONNECTED_16: int16 activations with int8 weights."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from ...ir.graph import Node
from .. import spec
from ..numerics import clamp_limits, quantize_multiplier, rescale, rescale_wide, wrap32
from ..record import Context, Step
from . import blocks
from .window import taps

NARROW = 1
CHANNEL = struct.Struct("<IhhI")  # bias: its lower and upper part; shift, multiplier
MAX_SHIFT = 7  # of TFLM's 64-bit requantisation


def step(node: Node, fields: dict[str, Any], weights: np.ndarray, scales: np.ndarray, bias: np.ndarray) -> list[Step]:
    """The step of a convolution with weights (out_c, kernel_h, kernel_w, in_c or 1) int8."""
    source, output = node.inputs[0], node.outputs[0]
    in_scale, _ = node.per_tensor(source, ("int16",))
    out_scale, _ = node.per_tensor(output, ("int16",))
    is_narrow = bias.dtype == np.int32  # TFLM adds up in the bias's type
    pairs = [quantize_multiplier(float(in_scale) * float(s) / float(out_scale)) for s in scales]
    if not is_narrow and max(shift for _, shift in pairs) > MAX_SHIFT:
        raise node.refuse(f"its scales multiply a sum by more than {1 << MAX_SHIFT}", "export the model again")
    if (np.abs(bias.astype(np.float64)) >= 1 << 47).any():
        raise node.refuse("its bias is beyond 2^47", "export the model again")
    clamp = clamp_limits(node.options.get("activation", "NONE"), out_scale, 0, "int16")
    rows = weights.reshape(len(weights), -1)
    per_block = blocks.channels_per_block(*rows.shape, spec.CHANNEL16_BITS)
    entries = [
        CHANNEL.pack(int(b) & 0xFFFFFFFF, int(b) >> 32, shift, multiplier)
        for b, (multiplier, shift) in zip(bias, pairs * (len(rows) // len(pairs)), strict=True)
    ]
    parts = []
    for i in range(0, len(rows), per_block):
        block = b"".join(entries[i : i + per_block]) + rows[i : i + per_block].tobytes()
        parts.append(block + bytes(-len(block) % spec.BLOCK_ALIGNMENT))
    fields = {
        **fields,
        "flags": NARROW if is_narrow else 0,
        "clamp_min": clamp[0],
        "clamp_max": clamp[1],
        "block_channels": per_block,
    }
    return [Step(f"{node.kind}_16", node.name, [source], output, fields, parts)]


def _is_depthwise(op: dict[str, Any]) -> bool:
    return op["code"] == spec.BY_NAME["DEPTHWISE_CONV_2D_16"].code


def _load(context: Context) -> tuple[np.ndarray, ...]:
    """Rows (out_c, kernel_h, kernel_w, in_c or 1), bias, multiplier, shift."""
    op = context.op
    head = op["block_channels"] * CHANNEL.size
    entries, rows = [], []
    for i in range(op["blocks"]):
        block = context.block(i)
        entries += CHANNEL.iter_unpack(block[:head].tobytes())
        rows.append(block[head:].view(np.int8))
    low, high, shift, multiplier = np.array(entries, np.int64).T
    depth = 1 if _is_depthwise(op) else op["in_c"]
    size = op["block_channels"] * op["kernel_h"] * op["kernel_w"] * depth
    weights = np.stack(rows)[:, :size].reshape(op["out_c"], op["kernel_h"], op["kernel_w"], depth)
    return weights.astype(np.float64), low + (high << 32), multiplier, shift


def run(context: Context) -> None:
    op = context.op
    weights, bias, multiplier, shift = _load(context)
    # float64 holds every partial sum exactly, and multiplies by BLAS.
    image = context.tensor((op["in_h"], op["in_w"], op["in_c"]), "input", np.int16).astype(np.float64)
    if _is_depthwise(op):
        image = image.repeat(op["out_c"] // op["in_c"], axis=2)
    acc = np.zeros((op["out_h"], op["out_w"], op["out_c"]))
    for ky, kx, to, source in taps(op):
        w = weights[:, ky, kx]
        acc[to] += image[source] * w[:, 0] if _is_depthwise(op) else image[source] @ w.T
    total = acc.astype(np.int64) + bias
    narrow = op["flags"] & NARROW
    out = rescale(wrap32(total), multiplier, shift) if narrow else rescale_wide(total, multiplier, shift)
    context.tensor(out.shape, "output", np.int16)[:] = np.clip(out, op["clamp_min"], op["clamp_max"])
