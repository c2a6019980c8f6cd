"""LOG_SOFTMAX over the last axis."""

from __future__ import annotations

import numpy as np

from ...ir.graph import Graph, Node
from ..numerics import log_of_sum, rounding_shift
from ..record import Context, Step
from .softmax import exponentials, row_fields


def lower(graph: Graph, node: Node) -> list[Step]:
    if node.per_tensor(node.outputs[0]) != (np.float32(1 / 16), 127):
        raise node.refuse("its output is not quantised to 1/16 with zero point 127", "export the model again")
    fields = row_fields(node, 1.0)
    return [Step("LOG_SOFTMAX", node.name, [node.inputs[0]], node.outputs[0], fields, in_place=True)]


def run(context: Context) -> None:
    counts, q5, _, total = exponentials(context)
    out = rounding_shift(q5 - log_of_sum(total), np.int64(22)) + 127
    context.tensor(out.shape, "output")[:] = np.clip(np.where(counts, out, -128), -128, 127)
