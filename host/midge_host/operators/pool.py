"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from __future__ import annotations

import numpy as np

from ..graph import Graph, Node
from ..numerics import clamp_limits
from ..program import Context, Step
from .window import taps, window_fields


def lower(graph: Graph, node: Node) -> list[Step]:
    source, output = node.inputs[0], node.outputs[0]
    quantisation, source_quantisation = node.per_tensor(output), node.per_tensor(source)
    # TFLM's own tolerance: it does not rescale, and neither do we.
    if source_quantisation[1] != quantisation[1] or abs(source_quantisation[0] - quantisation[0]) > 1e-6:
        raise node.refuse("input and output have different scales", "export the model again with TFLiteConverter")
    fields = window_fields(node, source, output, (node.options["kernel_h"], node.options["kernel_w"]))
    clamp = clamp_limits(node.options["activation"], *quantisation)
    fields |= {"clamp_min": clamp[0], "clamp_max": clamp[1]}
    return [Step(node.kind, node.name, [source], output, fields)]


def _image(context: Context) -> tuple[np.ndarray, tuple[int, int, int]]:
    op = context.op
    image = context.tensor((op["in_h"], op["in_w"], op["in_c"])).astype(np.int64)
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
    context.tensor(shape, "output")[:] = np.clip(out, op["clamp_min"], op["clamp_max"])


def run_max(context: Context) -> None:
    op = context.op
    image, shape = _image(context)
    out = np.full(shape, -128, np.int64)
    for _, _, to, source in taps(op):
        out[to] = np.maximum(out[to], image[source])
    context.tensor(shape, "output")[:] = np.clip(out, op["clamp_min"], op["clamp_max"])
