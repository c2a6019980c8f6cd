"""ADD of two tensors of one shape."""

from __future__ import annotations

import numpy as np

from ..graph import Graph, Node
from ..numerics import clamp_limits, quantize_multiplier, rescale, wrap32
from ..program import Context, Step

LEFT_SHIFT = 20


def lower(graph: Graph, node: Node) -> Step:
    first, second, output = node.inputs[0], node.inputs[1], node.outputs[0]
    for tensor in (first, second):
        if tensor.data is not None or tensor.shape != output.shape:
            raise node.refuse(
                f"it adds {first.shape} and {second.shape}{' (a constant)' if tensor.data is not None else ''}",
                "only two computed tensors of one shape can be added so far; fold a constant into a bias",
            )
    (scale1, zero1), (scale2, zero2), (scale, zero) = (node.per_tensor(t) for t in (first, second, output))
    twice_max = 2 * float(max(scale1, scale2))
    multiplier1, shift1 = quantize_multiplier(float(scale1) / twice_max)
    multiplier2, shift2 = quantize_multiplier(float(scale2) / twice_max)
    multiplier, shift = quantize_multiplier(twice_max / ((1 << LEFT_SHIFT) * float(scale)))
    clamp = clamp_limits(node.options["activation"], scale, zero)
    fields = {
        "count": output.size,
        "multiplier1": multiplier1,
        "shift1": shift1,
        "multiplier2": multiplier2,
        "shift2": shift2,
        "multiplier": multiplier,
        "shift": shift,
        "left_shift": LEFT_SHIFT,
        "zero1": zero1,
        "zero2": zero2,
        "output_zero": zero,
        "clamp_min": clamp[0],
        "clamp_max": clamp[1],
    }
    return Step("ADD", node.name, [first, second], output, fields, in_place=True)


def run(context: Context) -> None:
    op = context.op
    shape = (op["count"],)

    def scaled(field: str, n: int) -> np.ndarray:
        x = (context.tensor(shape, field).astype(np.int64) - op[f"zero{n}"]) << op["left_shift"]
        return rescale(x, np.int64(op[f"multiplier{n}"]), np.int64(op[f"shift{n}"]))

    total = wrap32(scaled("input", 1) + scaled("input2", 2))
    out = rescale(total, np.int64(op["multiplier"]), np.int64(op["shift"])) + op["output_zero"]
    context.tensor(shape, "output")[:] = np.clip(out, op["clamp_min"], op["clamp_max"])
