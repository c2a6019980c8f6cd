"""ARG_MAX along one axis: the index of the first of the largest elements, as int32."""

from __future__ import annotations

from math import prod

import numpy as np

from ...ir.graph import Graph, Node
from ..record import Context, Step


def lower(graph: Graph, node: Node) -> list[Step]:
    source, output = node.inputs[0], node.outputs[0]
    axes = node.constant(1, "axis is", "use a constant axis")
    if axes.size != 1:
        raise node.refuse(f"it has {axes.size} axes", "export the model again")
    if source.dtype != "int8" or output.dtype != "int32":
        raise node.refuse(f"it makes {output.dtype} of {source.dtype}", "let it take int8 and give int32")
    axis = int(axes[0]) % len(source.shape)
    outer, reduce, inner = prod(source.shape[:axis]), source.shape[axis], prod(source.shape[axis + 1 :])
    if output.size != outer * inner:
        raise node.refuse(f"it makes {output.shape} of {source.shape}", "export the model again")
    fields = {"outer": outer, "reduce": reduce, "inner": inner}
    return [Step("ARG_MAX", node.name, [source], output, fields)]


def run(context: Context) -> None:
    op = context.op
    x = context.tensor((op["outer"], op["reduce"], op["inner"]))
    context.tensor((op["outer"], op["inner"]), "output", np.int32)[:] = x.argmax(1)
