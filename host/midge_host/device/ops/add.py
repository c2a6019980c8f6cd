"""ADD of two int8 tensors of one shape; others are ARITHMETIC's."""

from __future__ import annotations

import numpy as np

from ...ir.graph import Graph, Node
from ..numerics import rescale, wrap32
from ..record import Context, Step
from . import arithmetic


def lower(graph: Graph, node: Node) -> list[Step]:
    first, second, output = node.inputs[0], node.inputs[1], node.outputs[0]
    if output.dtype != "int8" or any(t.data is not None or t.shape != output.shape for t in (first, second)):
        return arithmetic.lower(graph, node)
    fields = {"count": output.size, **arithmetic.parameters(node)}
    return [Step("ADD", node.name, [first, second], output, fields, in_place=True)]


def run(context: Context) -> None:
    op = context.op
    shape = (op["count"],)

    def scaled(field: str, n: int) -> np.ndarray:
        x = (context.tensor(shape, field).astype(np.int64) - op[f"zero{n}"]) << op["left_shift"]
        return rescale(x, np.int64(op[f"multiplier{n}"]), np.int64(op[f"shift{n}"]))

    total = wrap32(scaled("input", 1) + scaled("input2", 2))
    out = wrap32(rescale(total, np.int64(op["multiplier"]), np.int64(op["shift"])) + op["output_zero"])
    context.tensor(shape, "output")[:] = np.clip(out, op["clamp_min"], op["clamp_max"])
