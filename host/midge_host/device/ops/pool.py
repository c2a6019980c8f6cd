"""AVERAGE_POOL_2D and MAX_POOL_2D; REDUCE_MAX and REDUCE_MIN."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from ...ir.graph import Node, Tensor
from ...ir.operators import MaxPool2D, Pool, ReduceMax, ReduceMin
from .. import spec
from ..banks import CORE, WIDE
from ..definition import Operator
from ..numerics import clamp_limits
from ..record import Context, Step
from ..rules import Check, at_most, equal, parameters, product
from . import lut
from .quantised import per_tensor
from .window import IMAGES, IMAGES16, WINDOW, WINDOW16, WINDOW16_CHECK, WINDOW_CHECK, taps, window_fields


def lower(node: Pool) -> list[Step]:
    source, output = node.source, node.output
    dtypes = ("int16",) if source.dtype == "int16" else ("int8",)
    _check_scales(node, source, output, dtypes)
    fields = window_fields(node, node.kernel)
    clamp = clamp_limits(node.activation, *per_tensor(node, output, dtypes), source.dtype)
    fields |= {"clamp_min": clamp[0], "clamp_max": clamp[1]}
    operator = "MAX_POOL_2D" if isinstance(node, MaxPool2D) else "AVERAGE_POOL_2D"
    return [Step(operator, node.name, [source], output, fields, dtype=source.dtype)]


def lower_reduce_max(node: ReduceMax) -> list[Step]:
    """A pool for each axis: over an image of one row for each index before it, whose channels are what comes after."""
    source, output = node.source, node.output
    _check_scales(node, source, output, ("int8", "int16"))
    limits = np.iinfo(source.dtype)
    axes = node.axes
    steps: list[Step] = []
    for axis in axes:
        shape = (*source.shape[:axis], 1, *source.shape[axis + 1 :])
        pooled = output if axis == axes[-1] else replace(source, name=f"{source.name}_{axis}", shape=shape)
        rows, length, channels = prod(shape[:axis]), source.shape[axis], prod(shape[axis:])
        if max(rows, length, channels) > spec.MAX_DIM:
            raise node.refuse(
                f"it reduces axis {axis} of {source.shape}, the limit is {spec.MAX_DIM}", "pool before it"
            )
        fields = {"in_h": rows, "in_w": length, "in_c": channels, "out_h": rows, "out_w": 1, "out_c": channels}
        fields |= {"kernel_h": 1, "kernel_w": length, "stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1}
        fields |= {"pad_top": 0, "pad_left": 0, "clamp_min": int(limits.min), "clamp_max": int(limits.max)}
        steps.append(Step("MAX_POOL_2D", node.name, [source], pooled, fields, dtype=source.dtype))
        source = pooled
    return steps


def lower_reduce_min(node: ReduceMin) -> list[Step]:
    """REDUCE_MAX of -1 - q, which turns the order around."""
    source, output = node.source, node.output
    turned, largest = (replace(t, name=f"{t.name}_turned") for t in (source, output))
    pools = lower_reduce_max(ReduceMax(name=node.name, kind=node.kind, source=turned, output=largest, axes=node.axes))
    return [lut.turned(node.name, source, turned), *pools, lut.turned(node.name, largest, output)]


def _check_scales(node: Node, source: Tensor, output: Tensor, dtypes: tuple[str, ...] = ("int8",)) -> None:
    """TFLM's own tolerance: it does not rescale, and neither do we."""
    (scale, zero), (out_scale, out_zero) = (per_tensor(node, t, dtypes) for t in (source, output))
    if zero != out_zero or abs(scale - out_scale) > 1e-6:
        raise node.refuse("input and output have different scales", "export the model again with TFLiteConverter")


def _image(context: Context) -> tuple[np.ndarray, tuple[int, int, int]]:
    op = context.op
    image = context.tensor((op["in_h"], op["in_w"], op["in_c"]), "input", context.dtype).astype(np.int64)
    return image, (op["out_h"], op["out_w"], op["out_c"])


def run_average(context: Context) -> None:
    op = context.op
    image, shape = _image(context)
    total, count = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for _, _, to, source in taps(op):
        total[to] += image[source]
        count[to] += 1
    count = np.maximum(count, 1)
    out = np.sign(total) * ((np.abs(total) + count // 2) // count)
    context.tensor(shape, "output", context.dtype)[:] = np.clip(out, op["clamp_min"], op["clamp_max"])


def run_max(context: Context) -> None:
    op = context.op
    image, shape = _image(context)
    out = np.full(shape, np.iinfo(context.dtype).min, np.int64)
    for _, _, to, source in taps(op):
        out[to] = np.maximum(out[to], image[source])
    context.tensor(shape, "output", context.dtype)[:] = np.clip(out, op["clamp_min"], op["clamp_max"])


_TAPS = product("kernel_h", "kernel_w")
_KINDS = ((4, "AVERAGE_POOL_2D", run_average), (5, "MAX_POOL_2D", run_max))

# Up to 2^23 elements of int8, or 2^16 of int16, the sum stays within 32 bits.
CHECK = Check("pool", (WINDOW_CHECK, parameters(equal("in_c", "out_c"), at_most(_TAPS, 1 << 23))))
CHECK16 = Check("pool16", (WINDOW16_CHECK, parameters(equal("in_c", "out_c"), at_most(_TAPS, 1 << 16))))

DEFINITIONS = (
    *(
        Operator(code, name, CORE, WINDOW, "pool", CHECK, IMAGES, run, by_rows=True, channelwise=True)
        for code, name, run in _KINDS
    ),
    *(
        Operator(code, name, WIDE, WINDOW16, "pool16", CHECK16, IMAGES16, run, dtype="int16", by_rows=True)
        for code, name, run in _KINDS
    ),
)
