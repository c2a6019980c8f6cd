"""LUT: functions of one int8 value, tabulated."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ...ir import operators as ir
from ...ir.graph import Tensor
from .. import numerics
from ..banks import CORE
from ..definition import Operand, Operator, fit, record
from ..record import Context, Lowering, Step
from ..rules import Check, Holds, equal, weights
from .quantised import per_tensor

LUT = record(
    "lut",
    "q becomes table[q + 128]; may be in place. The 256-byte table is the operator's one weight block.",
    [("I", "count", "elements")],
)


def step(node: ir.Elementwise | ir.Binary | ir.Dense, source: Tensor, table: np.ndarray) -> list[Step]:
    """The step that makes table[q + 128] of every q in `source`."""
    output = node.output
    return [Step("LUT", node.name, [source], output, {"count": output.size}, [table.tobytes()])]


def turned(name: str, source: Tensor, output: Tensor) -> Step:
    """The step that makes -1 - q of every q: the order the other way around."""
    table = np.arange(127, -129, -1, dtype=np.int8)
    return Step("LUT", name, [source], output, {"count": output.size}, [table.tobytes()])


def _fixed(table: Callable[[np.float32, int], np.ndarray], denominator: int, zero_point: int) -> Lowering:
    """Functions whose output has one quantisation: scale 1 / denominator."""

    def lower(node: ir.Elementwise) -> list[Step]:
        if per_tensor(node, node.output) != (np.float32(1 / denominator), zero_point):
            reason = f"its output is not quantised to 1/{denominator} with zero point {zero_point}"
            raise node.refuse(reason, "export the model again")
        return step(node, node.source, table(*per_tensor(node, node.source)))

    return lower


def _free(table: Callable[[np.float32, int, np.float32, int], np.ndarray | None]) -> Lowering:
    """Functions whose output may have any quantisation."""

    def lower(node: ir.Elementwise) -> list[Step]:
        values = table(*per_tensor(node, node.source), *per_tensor(node, node.output))
        if values is None:
            raise node.refuse("its scales are too far apart", "export the model again")
        return step(node, node.source, values)

    return lower


lower_logistic = _fixed(numerics.logistic_table, 256, -128)
lower_tanh = _fixed(numerics.tanh_table, 128, 0)
lower_relu = _free(partial(numerics.relu_table, 0.0, None))
lower_relu_n1_to_1 = _free(partial(numerics.relu_table, -1.0, 1.0))
lower_hard_swish = _free(numerics.hard_swish_table)
lower_elu = _free(numerics.elu_table)
lower_abs = _free(numerics.abs_table)
lower_requantize = _free(numerics.requantize_table)


def lower_relu6(node: ir.Relu6) -> list[Step]:
    per_tensor(node, node.output)
    return step(node, node.source, numerics.relu6_table(*per_tensor(node, node.source)))


def lower_leaky_relu(node: ir.LeakyRelu) -> list[Step]:
    return _free(partial(numerics.leaky_relu_table, node.alpha))(node)


def lower_dequantize(node: ir.Dequantize) -> list[Step]:
    raise node.refuse("it makes float32 values in the middle of the model", "quantise it whole, to int8")


def lower_function(node: ir.Elementwise) -> list[Step]:
    """A function of floats that TFLM does not have for int8."""
    return _free(partial(numerics.function_table, node))(node)


def lower_table(node: ir.Table) -> list[Step]:
    return step(node, node.source, node.table)


def lower_logical_not(node: ir.LogicalNot) -> list[Step]:
    return step(node, node.source, (np.arange(-128, 128) == 0).astype(np.int8))


def lower_rsqrt(node: ir.Rsqrt) -> list[Step]:
    scale, zero_point = per_tensor(node, node.source)
    if zero_point != -128:
        raise node.refuse("its input may be negative", "put a RELU before it")
    return step(node, node.source, numerics.rsqrt_table(scale, *per_tensor(node, node.output)))


def run(context: Context) -> None:
    table = context.block(0)[:256].view(np.int8)
    shape = (context.op["count"],)
    context.tensor(shape, "output")[:] = table[context.tensor(shape).astype(np.int64) + 128]


_TENSORS = (Operand("input", ("count",)), Operand("output", ("count",)))

CHECK = Check("lut", (weights(equal("blocks", 1), Holds(256)), fit(*_TENSORS)))

DEFINITIONS = (
    Operator(9, "LUT", CORE, LUT, "lut", CHECK, _TENSORS, run, has_blocks=True, in_place=True, channelwise=True),
)
