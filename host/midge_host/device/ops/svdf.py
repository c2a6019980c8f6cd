"""SVDF: filters over each input whose latest results are remembered, and weighted sums of these."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir.graph import Tensor
from ...ir.operators import Svdf
from .. import spec
from ..banks import RECURRENT
from ..definition import Constant, Operand, Operator, fit, record
from ..numerics import quantize_multiplier, rescale, wrap32
from ..record import Context, Step
from ..rules import (
    Check,
    Choice,
    HasFlag,
    Holds,
    IsRescale,
    aligned,
    at_most,
    equal,
    nonzero,
    parameters,
    product,
    total,
    weights,
)
from .quantised import per_tensor

STATE_INT16 = 1

SVDF = record(
    "svdf",
    "Filters over the input whose last results are remembered, and weighted sums of those. flags 1: these are int16.",
    [
        ("b", "shift1", "of a filter's sum over the input"),
        ("b", "shift2", "of a unit's sum over time"),
        ("b", "state_zero", "zero point of the state"),
        ("b", "output_zero", "zero point of the output"),
        ("H", "batch", "rows of the input"),
        ("H", "depth", "elements of a row"),
        ("H", "units", "outputs of a row"),
        ("H", "rank", "filters of a unit"),
        ("H", "memory", "results of a filter that are remembered, the latest one included"),
        ("H", "block_units", "units in a weight block"),
        ("I", "input2", "arena offset of the state: [batch][units * rank][memory]"),
        ("i", "multiplier1", "of a filter's sum over the input"),
        ("i", "multiplier2", "of a unit's sum over time"),
    ],
)


def lower(node: Svdf) -> list[Step]:
    source, bias, state, output, rank = node.source, node.bias, node.state, node.output, node.rank
    in_scale, in_zero = per_tensor(node, source)
    out_scale, out_zero = per_tensor(node, output)
    state_scale, state_zero = per_tensor(node, state, ("int8", "int16"))
    feature, time = node.feature_weights, node.time_weights
    feature_data, time_data = _weights(node, feature, "int8"), _weights(node, time, state.dtype)
    (filters, depth), memory = feature.shape, time.shape[1]
    units, batch = filters // rank, source.shape[0]
    if bias is not None and (bias.data is None or bias.dtype != "int32"):
        raise node.refuse(f"its bias is {bias.dtype} {bias.shape}, not {units} int32 constants", "export again")

    # Float products: so does TFLM.
    multiplier1, shift1 = quantize_multiplier(float(in_scale * feature.scale[0] / state_scale))
    multiplier2, shift2 = quantize_multiplier(float(state_scale * time.scale[0] / out_scale))
    in_bias = wrap32(-in_zero * feature_data.astype(np.int64).sum(1))
    time_sums = time_data.astype(np.int64).sum(1).reshape(units, rank).sum(1)
    unit_bias = wrap32(
        (0 if bias is None or bias.data is None else bias.data.astype(np.int64)) - state_zero * time_sums
    )
    per_block, blocks = _blocks(unit_bias, in_bias, time_data, feature_data)
    fields: dict[str, Any] = {
        "flags": STATE_INT16 if state.dtype == "int16" else 0,
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


def _weights(node: Svdf, weights: Tensor, dtype: str) -> np.ndarray:
    if weights.data is None or weights.dtype != dtype or weights.scale.size != 1 or weights.zero_point.any():
        reason = f"weights {weights.name!r} are not {dtype} constants with one scale and zero point 0"
        raise node.refuse(reason, "quantise the whole model to int8")
    return weights.data


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
    dtype = np.dtype(np.int16 if op["flags"] & STATE_INT16 else np.int8)
    parts: list[list[np.ndarray]] = [[], [], [], []]
    filters = op["block_units"] * rank
    kinds: tuple[np.dtype, ...] = (np.dtype(np.int32), np.dtype(np.int32), dtype, np.dtype(np.int8))
    for i in range(op["blocks"]):
        block, at = context.block(i), 0
        shapes = ((op["block_units"],), (filters,), (filters, memory), (filters, depth))
        for part, shape, kind in zip(parts, shapes, kinds, strict=True):
            size = int(np.prod(shape)) * kind.itemsize
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


_UNIT = Choice(HasFlag(STATE_INT16), 2, 1)  # of state and weights of time
_TENSORS = (
    Operand("input", ("batch", "depth")),
    Operand("input2", ("batch", "units", "rank", "memory"), _UNIT),
    Operand("output", ("batch", "units")),
)

CHECK = Check(
    "svdf",
    (
        parameters(
            at_most("flags", STATE_INT16),
            nonzero("batch", "units", "rank", "memory", "depth"),
            aligned(_UNIT, "input2"),
            IsRescale("multiplier1", "shift1"),
            IsRescale("multiplier2", "shift2"),
            equal(product("blocks", "block_units"), "units"),
        ),
        weights(
            Holds(
                product("block_units", 4),
                product("block_units", "rank", total(4, product("memory", _UNIT), "depth")),
            )
        ),
        fit(*_TENSORS),
    ),
)

DEFINITIONS = (
    Operator(
        18,
        "SVDF",
        RECURRENT,
        SVDF,
        "svdf",
        CHECK,
        _TENSORS,
        run,
        has_blocks=True,
        macs=product("batch", "units", "rank", total("depth", "memory")),
        parameters=product("units", total(product("rank", total("depth", product("memory", _UNIT))), 4)),
        constants=(Constant("STATE_INT16", STATE_INT16, "flag of SVDF: state and weights of time are int16"),),
    ),
)
