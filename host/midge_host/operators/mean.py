"""MEAN over neighbouring axes."""

from __future__ import annotations

from math import prod

import numpy as np

from ..graph import Graph, Node
from ..numerics import quantize_multiplier, rescale
from ..program import Context, Step


def lower(graph: Graph, node: Node) -> list[Step]:
    source, output = node.inputs[0], node.outputs[0]
    axes_tensor = node.inputs[1]
    if axes_tensor is None or axes_tensor.data is None:
        raise node.refuse("its axes are computed by the model", "use constant axes")
    rank = len(source.shape)
    axes = sorted({int(a) % rank for a in axes_tensor.data.reshape(-1)})
    inner_axes = [a for a in axes if source.shape[a] > 1] or axes
    first, last = inner_axes[0], inner_axes[-1]
    if any(a not in axes and source.shape[a] > 1 for a in range(first, last)):
        raise node.refuse(f"it reduces axes {axes}, which are not neighbours", "use two means, or reorder the axes")
    outer, count = prod(source.shape[:first]), prod(source.shape[first : last + 1])
    in_scale, in_zero = node.per_tensor(source)
    out_scale, out_zero = node.per_tensor(output)
    multiplier, shift = quantize_multiplier(float(in_scale) / float(out_scale))
    # The division by the count goes into the multiplier, truncated as TFLM truncates it.
    extra = min(count.bit_length() - 1, 32, 31 + shift)
    if count > 1 << 23:
        raise node.refuse(f"it averages {count} elements, the limit is {1 << 23}", "pool before the mean")
    fields = {
        "outer": outer,
        "reduce": count,
        "inner": prod(source.shape[last + 1 :]),
        "multiplier": (multiplier << extra) // count,
        "shift": shift - extra,
        "input_zero": in_zero,
        "output_zero": out_zero,
        "clamp_min": -128,
        "clamp_max": 127,
    }
    return [Step("MEAN", node.name, [source], output, fields)]


def run(context: Context) -> None:
    op = context.op
    source = context.tensor((op["outer"], op["reduce"], op["inner"])).astype(np.int64)
    total = source.sum(1) - op["reduce"] * op["input_zero"]
    scaled = rescale(total, np.int64(op["multiplier"]), np.int64(op["shift"])) + op["output_zero"]
    context.tensor(total.shape, "output")[:] = np.clip(scaled, op["clamp_min"], op["clamp_max"])
