"""MEAN and SUM over any axes."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from ...ir.graph import Tensor
from ...ir.operators import Mean, Reduction
from ..banks import CORE, WIDE
from ..definition import Operand, Operator, fit, record
from ..numerics import quantize_multiplier, rescale, wrap32
from ..record import Context, Step
from ..rules import Between, Check, IsRescale, aligned, at_most, nonzero, parameters
from .copy import gather
from .quantised import per_tensor

REDUCE = record(
    "reduce",
    "Over the middle axis of [outer, reduce, inner]: a sum, or the index of the largest (the sizes only).",
    [
        ("b", "input_zero", "zero point of the input"),
        ("b", "output_zero", "zero point of the output"),
        ("b", "clamp_min", "least output value"),
        ("b", "clamp_max", "largest output value"),
        ("I", "outer", "elements before the reduced axes"),
        ("I", "reduce", "elements summed"),
        ("I", "inner", "elements after the reduced axes"),
        ("i", "multiplier", "of the sum of (q - input_zero)"),
        ("i", "shift", "of the sum"),
    ],
)

MAX_COUNTS = {"int8": 1 << 23, "int16": 1 << 16}  # elements of a sum


def lower(node: Reduction) -> list[Step]:
    output = node.output
    steps, (source, first, last) = _neighbours(node, node.source)
    count = prod(source.shape[first:last])
    dtypes = ("int16",) if source.dtype == "int16" else ("int8",)
    in_scale, in_zero = per_tensor(node, source, dtypes)
    out_scale, out_zero = per_tensor(node, output, dtypes)
    multiplier, shift = quantize_multiplier(float(in_scale) / float(out_scale))
    limit = MAX_COUNTS[source.dtype]
    if count > limit:
        raise node.refuse(f"it sums {count} elements, the limit is {limit}", "pool before it")
    if isinstance(node, Mean):
        # The division by the count goes into the multiplier, truncated as TFLM truncates it.
        extra = min(count.bit_length() - 1, 32, 31 + shift)
        multiplier, shift = (multiplier << extra) // count, shift - extra
    fields = {
        "outer": prod(source.shape[:first]),
        "reduce": count,
        "inner": prod(source.shape[last:]),
        "multiplier": multiplier,
        "shift": shift,
    }
    if source.dtype == "int16":
        return [*steps, Step("MEAN", node.name, [source], output, fields, dtype="int16")]
    fields |= {
        "input_zero": in_zero,
        "output_zero": out_zero,
        "clamp_min": -128,
        "clamp_max": 127,
    }
    return [*steps, Step("MEAN", node.name, [source], output, fields)]


def _neighbours(node: Reduction, source: Tensor) -> tuple[list[Step], tuple[Tensor, int, int]]:
    """A tensor of the source's elements whose axes first..last-1 are those to reduce, and what it takes to make it."""
    rank, axes = len(source.shape), list(node.axes)
    wide = [a for a in axes if source.shape[a] > 1] or axes
    if not wide:
        return [], (source, rank, rank)
    if all(a in axes or source.shape[a] == 1 for a in range(wide[0], wide[-1])):
        return [], (source, wide[0], wide[-1] + 1)
    order = [a for a in range(rank) if a not in axes] + axes
    moved = replace(source, name=f"{source.name}_moved", shape=tuple(source.shape[a] for a in order))
    return [gather(node, source, moved, lambda x: x.transpose(order))], (moved, rank - len(axes), rank)


def run(context: Context) -> None:
    op = context.op
    source = context.tensor((op["outer"], op["reduce"], op["inner"])).astype(np.int64)
    total = source.sum(1) - op["reduce"] * op["input_zero"]
    scaled = wrap32(rescale(total, np.int64(op["multiplier"]), np.int64(op["shift"])) + op["output_zero"])
    context.tensor(total.shape, "output")[:] = np.clip(scaled, op["clamp_min"], op["clamp_max"])


def run16(context: Context) -> None:
    op = context.op
    total = context.tensor((op["outer"], op["reduce"], op["inner"]), "input", np.int16).astype(np.int64).sum(1)
    scaled = rescale(total, np.int64(op["multiplier"]), np.int64(op["shift"]))
    context.tensor(total.shape, "output", np.int16)[:] = np.clip(scaled, -32768, 32767)


# Without an output the other sizes would be unbounded.
_SIZED = (nonzero("outer", "inner"), IsRescale("multiplier", "shift"))
_TENSORS = (Operand("input", ("outer", "reduce", "inner")), Operand("output", ("outer", "inner")))
_TENSORS16 = tuple(replace(tensor, unit=2) for tensor in _TENSORS)

CHECK = Check(
    "mean",
    (
        parameters(*_SIZED, Between("reduce", 1, MAX_COUNTS["int8"]), at_most("clamp_min", "clamp_max")),
        fit(*_TENSORS),
    ),
)
CHECK16 = Check(
    "mean16",
    (
        parameters(*_SIZED, Between("reduce", 1, MAX_COUNTS["int16"]), aligned(2, "input", "output")),
        fit(*_TENSORS16),
    ),
)

DEFINITIONS = (
    Operator(6, "MEAN", CORE, REDUCE, "mean", CHECK, _TENSORS, run, channelwise=True),
    Operator(6, "MEAN", WIDE, REDUCE, "mean16", CHECK16, _TENSORS16, run16, dtype="int16"),
)
