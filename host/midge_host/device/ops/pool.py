"""AVERAGE_POOL_2D and MAX_POOL_2D; REDUCE_MAX."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from ...ir.graph import Graph, Node
from .. import spec
from ..numerics import clamp_limits
from ..record import Context, Step
from .mean import reduced_axes
from .window import taps, window_fields


def lower(graph: Graph, node: Node) -> list[Step]:
    source, output = node.inputs[0], node.outputs[0]
    dtypes = ("int16",) if source.dtype == "int16" else ("int8",)
    _check_scales(node, dtypes)
    fields = window_fields(node, source, output, (node.options["kernel_h"], node.options["kernel_w"]))
    clamp = clamp_limits(node.options["activation"], *node.per_tensor(output, dtypes), source.dtype)
    fields |= {"clamp_min": clamp[0], "clamp_max": clamp[1]}
    return [Step(node.kind + "_16" * (source.dtype == "int16"), node.name, [source], output, fields)]


def lower_reduce_max(graph: Graph, node: Node) -> list[Step]:
    """A pool for each axis: over an image of one row for each index before it, whose channels are what comes after."""
    source, output = node.inputs[0], node.outputs[0]
    _check_scales(node)
    axes = reduced_axes(node)
    steps: list[Step] = []
    for axis in axes:
        shape = (*source.shape[:axis], 1, *source.shape[axis + 1 :])
        pooled = output if axis == axes[-1] else replace(source, name=f"{source.name}_{axis}", shape=shape)
        rows, length, channels = prod(shape[:axis]), source.shape[axis], prod(shape[axis:])
        if length > 255 or max(rows, channels) > spec.MAX_DIM:
            raise node.refuse(f"axis {axis} of {source.shape} is too long, the limit is 255", "pool before it")
        fields = {"in_h": rows, "in_w": length, "in_c": channels, "out_h": rows, "out_w": 1, "out_c": channels}
        fields |= {"kernel_h": 1, "kernel_w": length, "stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1}
        fields |= {"pad_top": 0, "pad_left": 0, "clamp_min": -128, "clamp_max": 127}
        steps.append(Step("MAX_POOL_2D", node.name, [source], pooled, fields))
        source = pooled
    return steps


def _check_scales(node: Node, dtypes: tuple[str, ...] = ("int8",)) -> None:
    """TFLM's own tolerance: it does not rescale, and neither do we."""
    (scale, zero), (out_scale, out_zero) = (node.per_tensor(t, dtypes) for t in (node.inputs[0], node.outputs[0]))
    if zero != out_zero or abs(scale - out_scale) > 1e-6:
        raise node.refuse("input and output have different scales", "export the model again with TFLiteConverter")


def _image(context: Context, dtype: type) -> tuple[np.ndarray, tuple[int, int, int]]:
    op = context.op
    image = context.tensor((op["in_h"], op["in_w"], op["in_c"]), "input", dtype).astype(np.int64)
    return image, (op["out_h"], op["out_w"], op["out_c"])


def run_average(context: Context, dtype: type = np.int8) -> None:
    op = context.op
    image, shape = _image(context, dtype)
    total, count = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for _, _, to, source in taps(op):
        total[to] += image[source]
        count[to] += 1
    count = np.maximum(count, 1)
    out = np.sign(total) * ((np.abs(total) + count // 2) // count)
    context.tensor(shape, "output", dtype)[:] = np.clip(out, op["clamp_min"], op["clamp_max"])


def run_max(context: Context, dtype: type = np.int8) -> None:
    op = context.op
    image, shape = _image(context, dtype)
    out = np.full(shape, np.iinfo(dtype).min, np.int64)
    for _, _, to, source in taps(op):
        out[to] = np.maximum(out[to], image[source])
    context.tensor(shape, "output", dtype)[:] = np.clip(out, op["clamp_min"], op["clamp_max"])
