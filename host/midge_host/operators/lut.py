"""LUT: functions of one int8 value, tabulated. LOGISTIC, RELU and RELU6 become tables."""

from __future__ import annotations

import numpy as np

from ..graph import Graph, Node
from ..numerics import logistic_table, relu6_table, relu_table
from ..program import Context, Step


def _step(node: Node, table: np.ndarray) -> list[Step]:
    source, output = node.inputs[0], node.outputs[0]
    return [Step("LUT", node.name, [source], output, {"count": output.size}, [table.tobytes()], in_place=True)]


def lower_logistic(graph: Graph, node: Node) -> list[Step]:
    if node.per_tensor(node.outputs[0]) != (np.float32(1 / 256), -128):
        raise node.refuse("its output is not quantised to 1/256 with zero point -128", "export the model again")
    return _step(node, logistic_table(*node.per_tensor(node.inputs[0])))


def lower_relu(graph: Graph, node: Node) -> list[Step]:
    source, output = node.per_tensor(node.inputs[0]), node.per_tensor(node.outputs[0])
    return _step(node, relu_table(0.0, None, *source, *output))


def lower_relu6(graph: Graph, node: Node) -> list[Step]:
    node.per_tensor(node.outputs[0])
    return _step(node, relu6_table(*node.per_tensor(node.inputs[0])))


def run(context: Context) -> None:
    table = context.block(0)[:256].view(np.int8)
    shape = (context.op["count"],)
    context.tensor(shape, "output")[:] = table[context.tensor(shape).astype(np.int64) + 128]
