"""LUT: functions of one int8 value, tabulated."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ...ir.graph import Graph, Node, Tensor
from .. import numerics
from ..record import Context, Lowering, Step


def step(node: Node, source: Tensor, table: np.ndarray) -> list[Step]:
    """The step that makes table[q + 128] of every q in `source`."""
    output = node.outputs[0]
    return [Step("LUT", node.name, [source], output, {"count": output.size}, [table.tobytes()], in_place=True)]


def _fixed(table: Callable[[np.float32, int], np.ndarray], denominator: int, zero_point: int) -> Lowering:
    """Functions whose output has one quantisation: scale 1 / denominator."""

    def lower(graph: Graph, node: Node) -> list[Step]:
        if node.per_tensor(node.outputs[0]) != (np.float32(1 / denominator), zero_point):
            reason = f"its output is not quantised to 1/{denominator} with zero point {zero_point}"
            raise node.refuse(reason, "export the model again")
        return step(node, node.inputs[0], table(*node.per_tensor(node.inputs[0])))

    return lower


def _free(table: Callable[[np.float32, int, np.float32, int], np.ndarray | None]) -> Lowering:
    """Functions whose output may have any quantisation."""

    def lower(graph: Graph, node: Node) -> list[Step]:
        values = table(*node.per_tensor(node.inputs[0]), *node.per_tensor(node.outputs[0]))
        if values is None:
            raise node.refuse("its scales are too far apart", "export the model again")
        return step(node, node.inputs[0], values)

    return lower


lower_logistic = _fixed(numerics.logistic_table, 256, -128)
lower_tanh = _fixed(numerics.tanh_table, 128, 0)
lower_relu = _free(partial(numerics.relu_table, 0.0, None))
lower_hard_swish = _free(numerics.hard_swish_table)
lower_elu = _free(numerics.elu_table)
lower_abs = _free(numerics.abs_table)
lower_requantize = _free(numerics.requantize_table)


def lower_relu6(graph: Graph, node: Node) -> list[Step]:
    node.per_tensor(node.outputs[0])
    return step(node, node.inputs[0], numerics.relu6_table(*node.per_tensor(node.inputs[0])))


def lower_leaky_relu(graph: Graph, node: Node) -> list[Step]:
    return _free(partial(numerics.leaky_relu_table, node.options["alpha"]))(graph, node)


def lower_dequantize(graph: Graph, node: Node) -> list[Step]:
    """With the functions of floats behind it and QUANTIZE, as passes.tabulate_floats leaves it."""
    functions = node.options.get("functions")
    if functions is None:
        raise node.refuse("it makes float32 values in the middle of the model", "quantise it whole, to int8")
    return _free(partial(numerics.float_table, functions))(graph, node)


def lower_rsqrt(graph: Graph, node: Node) -> list[Step]:
    scale, zero_point = node.per_tensor(node.inputs[0])
    if zero_point != -128:
        raise node.refuse("its input may be negative", "put a RELU before it")
    return step(node, node.inputs[0], numerics.rsqrt_table(scale, *node.per_tensor(node.outputs[0])))


def run(context: Context) -> None:
    table = context.block(0)[:256].view(np.int8)
    shape = (context.op["count"],)
    context.tensor(shape, "output")[:] = table[context.tensor(shape).astype(np.int64) + 128]
