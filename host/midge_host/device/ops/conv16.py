"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED of int16 activations with int8 weights."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from ...ir.operators import Weighted
from .. import rules, spec
from ..banks import WIDE
from ..definition import Constant, Operator
from ..numerics import clamp_limits, quantize_multiplier, rescale, rescale_wide, wrap32
from ..record import Context, Step
from ..rules import Check, Holds, MultipleOf, When, at_most, equal, parameters, product, total
from . import blocks
from .quantised import per_tensor
from .window import DEPTH, DEPTHWISE, IMAGES16, WINDOW16, WINDOW16_CHECK, taps

NARROW = 1
CHANNEL = struct.Struct("<IhhI")  # bias: its lower and upper part; shift, multiplier
MAX_SHIFT = 7  # of TFLM's 64-bit requantisation


def step(
    node: Weighted,
    operator: str,
    fields: dict[str, Any],
    weights: np.ndarray,
    scales: np.ndarray,
    bias: np.ndarray,
) -> list[Step]:
    """The step of a convolution with weights (out_c, kernel_h, kernel_w, in_c or 1) int8."""
    source, output = node.source, node.output
    in_scale, _ = per_tensor(node, source, ("int16",))
    out_scale, _ = per_tensor(node, output, ("int16",))
    is_narrow = bias.dtype == np.int32  # TFLM adds up in the bias's type
    pairs = [quantize_multiplier(float(in_scale) * float(s) / float(out_scale)) for s in scales]
    if not is_narrow and max(shift for _, shift in pairs) > MAX_SHIFT:
        raise node.refuse(f"its scales multiply a sum by more than {1 << MAX_SHIFT}", "export the model again")
    if (np.abs(bias.astype(np.float64)) >= 1 << 47).any():
        raise node.refuse("its bias is beyond 2^47", "export the model again")
    clamp = clamp_limits(node.activation, out_scale, 0, "int16")
    rows = weights.reshape(len(weights), -1)
    per_block = blocks.channels_per_block(*rows.shape, (48, 16, 32))
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
    return [Step(operator, node.name, [source], output, fields, parts, dtype="int16")]


def _is_depthwise(op: dict[str, Any]) -> bool:
    return bool(op["code"] == DEPTHWISE.code)


def load_rows(context: Context) -> tuple[np.ndarray, ...]:
    """Rows (out_c, kernel_h, kernel_w, in_c or 1), bias, multiplier, shift."""
    op = context.op
    head = op["block_channels"] * CHANNEL.size
    entries: list[tuple[int, ...]] = []
    rows: list[np.ndarray] = []
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
    weights, bias, multiplier, shift = load_rows(context)
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


CHECK = Check(
    "conv16",
    (
        WINDOW16_CHECK,
        When(DEPTHWISE, (parameters(MultipleOf("out_c", "in_c")),)),
        parameters(at_most("flags", NARROW), equal(product("blocks", "block_channels"), "out_c")),
        rules.weights(
            Holds(product("block_channels", CHANNEL.size), product("block_channels", "kernel_h", "kernel_w", DEPTH))
        ),
    ),
)


def _definition(code: int, name: str) -> Operator:
    return Operator(
        code,
        name,
        WIDE,
        WINDOW16,
        "conv16",
        CHECK,
        IMAGES16,
        run,
        dtype="int16",
        has_blocks=True,
        by_rows=True,
        macs=product("out_h", "out_w", "out_c", "kernel_h", "kernel_w", DEPTH),
        parameters=product("out_c", total(product("kernel_h", "kernel_w", DEPTH), 8)),
        constants=(
            Constant("NARROW", NARROW, "flag: sums of 32 bits"),
            Constant("CHANNEL16_BYTES", CHANNEL.size, "of a channel in a weight block of 16-bit activations"),
        ),
    )


DEFINITIONS = (
    _definition(1, "CONV_2D"),
    _definition(DEPTHWISE.code, DEPTHWISE.name),
    _definition(3, "FULLY_CONNECTED"),
)
