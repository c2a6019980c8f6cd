"""SVDF: filters over each input whose latest results are remembered, and weighted sums of these."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir.graph import Graph, Node, Tensor
from .. import spec
from ..numerics import quantize_multiplier, rescale, wrap32
from ..record import Context, Step

INT16 = 1


def lower(graph: Graph, node: Node) -> list[Step]:
    source, feature, time, bias, state = node.inputs
    output, rank = node.outputs[0], node.options["rank"]
    in_scale, in_zero = node.per_tensor(source)
    out_scale, out_zero = node.per_tensor(output)
    state_scale, state_zero = node.per_tensor(state, ("int8", "int16"))
    _check(node, feature, "int8")
    _check(node, time, state.dtype)
    (filters, depth), memory = feature.shape, time.shape[1]
    units, batch = filters // rank, source.shape[0]
    shapes = {
        source: (batch, depth),
        time: (filters, memory),
        state: (batch, filters * memory),
        output: (batch, units),
    }
    if rank < 1 or filters % rank or any(t.shape != shape for t, shape in shapes.items()) or not state.is_variable:
        raise node.refuse(f"its tensors do not make {units} units of rank {rank}", "export the model again")
    if bias is not None and (bias.data is None or bias.dtype != "int32" or bias.size != units):
        raise node.refuse(f"its bias is {bias.dtype} {bias.shape}, not {units} int32 constants", "export again")

    # Float products: so does TFLM.
    multiplier1, shift1 = quantize_multiplier(float(in_scale * feature.scale[0] / state_scale))
    multiplier2, shift2 = quantize_multiplier(float(state_scale * time.scale[0] / out_scale))
    in_bias = wrap32(-in_zero * feature.data.astype(np.int64).sum(1))
    time_sums = time.data.astype(np.int64).sum(1).reshape(units, rank).sum(1)
    unit_bias = wrap32((0 if bias is None else bias.data.astype(np.int64)) - state_zero * time_sums)
    per_block, blocks = _blocks(unit_bias, in_bias, time.data, feature.data)
    fields: dict[str, Any] = {
        "flags": INT16 if state.dtype == "int16" else 0,
        "multiplier1": multiplier1,
        "shift1": shift1,
        "multiplier2": multiplier2,
        "shift2": shift2,
        "batch": batch,
        "depth": depth,
        "units": units,
        "rank": rank,
        "memory": memory,
        "block_units": per_block,
        "state_zero": state_zero,
        "output_zero": out_zero,
    }
    return [Step("SVDF", node.name, [source, state], output, fields, blocks)]


def _check(node: Node, weights: Tensor, dtype: str) -> None:
    if weights.data is None or weights.dtype != dtype or weights.scale.size != 1 or weights.zero_point.any():
        reason = f"weights {weights.name!r} are not {dtype} constants with one scale and zero point 0"
        raise node.refuse(reason, "quantise the whole model to int8")


def _blocks(unit_bias: np.ndarray, in_bias: np.ndarray, *weights: np.ndarray) -> tuple[int, list[bytes]]:
    """The units of a block, a divisor of all so that blocks are alike, and the blocks."""
    units = len(unit_bias)
    parts = [unit_bias.astype(np.int32), in_bias.astype(np.int32), *weights]
    target = max(sum(p.nbytes for p in parts) // units, spec.BLOCK_TARGET_BYTES)
    count = next(n for n in range(1, units + 1) if units % n == 0 and sum(p.nbytes for p in parts) <= n * target)
    raw = [b"".join(group) for group in zip(*([r.tobytes() for r in np.split(p, count)] for p in parts), strict=True)]
    return units // count, [block + bytes(-len(block) % spec.BLOCK_ALIGNMENT) for block in raw]


def run(context: Context) -> None:
    op = context.op
    batch, depth, units, rank, memory = (op[k] for k in ("batch", "depth", "units", "rank", "memory"))
    dtype = np.dtype(np.int16 if op["flags"] & INT16 else np.int8)
    parts: list[list[np.ndarray]] = [[], [], [], []]
    filters = op["block_units"] * rank
    for i in range(op["blocks"]):
        block, at = context.block(i), 0
        shapes = ((op["block_units"],), (filters,), (filters, memory), (filters, depth))
        for part, shape, kind in zip(parts, shapes, (np.int32, np.int32, dtype, np.int8), strict=True):
            size = int(np.prod(shape)) * np.dtype(kind).itemsize
            part.append(block[at : at + size].view(kind).reshape(shape))
            at += size
    unit_bias, in_bias, time, feature = (np.concatenate(part).astype(np.int64) for part in parts)

    state = context.tensor((batch, units * rank, memory), "input2", dtype)
    sums = wrap32(context.tensor((batch, depth)).astype(np.int64) @ feature.T + in_bias)
    latest = rescale(sums, np.int64(op["multiplier1"]), np.int64(op["shift1"]))
    state[:, :, :-1] = state[:, :, 1:].copy()
    latest = np.clip(latest, np.iinfo(dtype).min, np.iinfo(dtype).max)
    state[:, :, -1] = (latest + op["state_zero"]).astype(dtype)  # wraps, as TFLM's does
    sums = (state * time).sum(2).reshape(batch, units, rank).sum(2)
    scaled = rescale(wrap32(sums + unit_bias), np.int64(op["multiplier2"]), np.int64(op["shift2"]))
    context.tensor((batch, units), "output")[:] = np.clip(wrap32(scaled + op["output_zero"]), -128, 127)
