"""L2_NORMALIZATION over the last axis."""

from __future__ import annotations

import numpy as np

from ...ir.graph import Graph, Node
from ..numerics import inverse_square_root, rescale
from ..record import Context, Step

MAX_DEPTH = 33025  # squares of 255 that int32 holds


def lower(graph: Graph, node: Node) -> list[Step]:
    source, output = node.inputs[0], node.outputs[0]
    _, zero_point = node.per_tensor(source)
    depth = source.shape[-1] if source.shape else 1
    if node.options["activation"] != "NONE" or source.shape != output.shape:
        raise node.refuse("it has an activation or another shape", "put the activation into a layer of its own")
    if node.per_tensor(output) != (np.float32(1 / 128), 0):
        raise node.refuse("its output is not quantised to 1/128 with zero point 0", "export the model again")
    if depth > MAX_DEPTH:
        raise node.refuse(f"it sums {depth} squares, the limit is {MAX_DEPTH}", "take it off the model")
    fields = {"rows": source.size // depth, "depth": depth, "input_zero": zero_point}
    return [Step("L2_NORMALIZATION", node.name, [source], output, fields, in_place=True)]


def run(context: Context) -> None:
    op = context.op
    shape = (op["rows"], op["depth"])
    x = context.tensor(shape).astype(np.int64) - op["input_zero"]
    scales = [inverse_square_root(int(n)) for n in (x * x).sum(1)]
    multiplier, shift = (np.array(part, np.int64)[:, None] for part in zip(*scales, strict=True))
    context.tensor(shape, "output")[:] = np.clip(rescale(x, multiplier, shift + 7), -128, 127)
