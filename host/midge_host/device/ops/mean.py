"""MEAN and SUM over any axes."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from ...ir.graph import Graph, Node, Tensor
from ..numerics import quantize_multiplier, rescale, wrap32
from ..record import Context, Step
from .copy import gather

MAX_COUNTS = {"int8": 1 << 23, "int16": 1 << 16}  # elements of a sum


def lower(graph: Graph, node: Node) -> list[Step]:
    source, output = node.inputs[0], node.outputs[0]
    steps, (source, first, last) = _neighbours(node, source)
    count = prod(source.shape[first:last])
    dtypes = ("int16",) if source.dtype == "int16" else ("int8",)
    in_scale, in_zero = node.per_tensor(source, dtypes)
    out_scale, out_zero = node.per_tensor(output, dtypes)
    multiplier, shift = quantize_multiplier(float(in_scale) / float(out_scale))
    limit = MAX_COUNTS[source.dtype]
    if count > limit:
        raise node.refuse(f"it sums {count} elements, the limit is {limit}", "pool before it")
    if node.kind == "MEAN":
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
        return [*steps, Step("MEAN_16", node.name, [source], output, fields)]
    fields |= {
        "input_zero": in_zero,
        "output_zero": out_zero,
        "clamp_min": -128,
        "clamp_max": 127,
    }
    return [*steps, Step("MEAN", node.name, [source], output, fields)]


def reduced_axes(node: Node) -> list[int]:
    """The axes that a reduction is over, in order."""
    rank = len(node.inputs[0].shape)
    return sorted({int(a) % rank for a in node.constant(1, "axes are", "use constant axes")})


def _neighbours(node: Node, source: Tensor) -> tuple[list[Step], tuple[Tensor, int, int]]:
    """A tensor of the source's elements whose axes first..last-1 are those to reduce, and what it takes to make it."""
    rank, axes = len(source.shape), reduced_axes(node)
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
