"""REQUANTIZE: QUANTIZE between int8 and int16, and LEAKY_RELU, RELU and RELU6 of int16."""

from __future__ import annotations

import numpy as np

from ...ir.graph import Graph, Node
from ..numerics import clamp_limits, quantize_multiplier, rescale, wrap32
from ..record import Context, Lowering, Step
from . import lut
from .blocks import IDENTITY

DTYPES = ("int8", "int16")
INPUT_INT16, OUTPUT_INT16 = 1, 2
NOTHING = (0, 0)  # rescale to 0


def _step(
    node: Node, factor: tuple[int, int], negative: tuple[int, int], limits: tuple[int, int] | None = None
) -> list[Step]:
    source, output = node.inputs[0], node.outputs[0]
    if output.size != source.size:
        raise node.refuse(f"it makes {output.size} values of {source.size}", "export the model again")
    _, input_zero = node.per_tensor(source, DTYPES)
    out_scale, output_zero = node.per_tensor(output, DTYPES)
    low, high = limits or clamp_limits("NONE", out_scale, output_zero, output.dtype)
    fields = {
        "flags": INPUT_INT16 * (source.dtype == "int16") | OUTPUT_INT16 * (output.dtype == "int16"),
        "count": output.size,
        "multiplier": factor[0],
        "shift": factor[1],
        "negative_multiplier": negative[0],
        "negative_shift": negative[1],
        "clamp_min": low,
        "clamp_max": high,
        "input_zero": input_zero,
        "output_zero": output_zero,
    }
    return [Step("REQUANTIZE", node.name, [source], output, fields, in_place=True)]


def _ratio(node: Node) -> float:
    return float(node.per_tensor(node.inputs[0], DTYPES)[0]) / float(node.per_tensor(node.outputs[0], DTYPES)[0])


def _beside(int8: Lowering, int16: Lowering) -> Lowering:
    """A table for int8 tensors, REQUANTIZE for others."""

    def lower(graph: Graph, node: Node) -> list[Step]:
        return (int8 if node.inputs[0].dtype == node.outputs[0].dtype == "int8" else int16)(graph, node)

    return lower


def _requantize(graph: Graph, node: Node) -> list[Step]:
    factor = quantize_multiplier(_ratio(node))
    return _step(node, factor, factor)


def _leaky_relu(graph: Graph, node: Node) -> list[Step]:
    if node.options["alpha"] < 0:
        raise node.refuse("its slope is negative", "use a slope from 0 on")
    alpha = float(np.float32(node.options["alpha"]))
    return _step(node, quantize_multiplier(_ratio(node)), quantize_multiplier(_ratio(node) * alpha))


def _relu(graph: Graph, node: Node) -> list[Step]:
    return _step(node, quantize_multiplier(_ratio(node)), NOTHING)


def _relu6(graph: Graph, node: Node) -> list[Step]:
    # A clamp on the input's scale; the output's is not looked at.
    return _step(node, IDENTITY, NOTHING, clamp_limits("RELU6", *node.per_tensor(node.inputs[0], DTYPES), "int16"))


lower_quantize = _beside(lut.lower_requantize, _requantize)
lower_leaky_relu = _beside(lut.lower_leaky_relu, _leaky_relu)
lower_relu = _beside(lut.lower_relu, _relu)
lower_relu6 = _beside(lut.lower_relu6, _relu6)


def run(context: Context) -> None:
    op = context.op
    shape = (op["count"],)
    source, output = (np.int16 if op["flags"] & bit else np.int8 for bit in (INPUT_INT16, OUTPUT_INT16))
    x = context.tensor(shape, "input", source).astype(np.int64) - op["input_zero"]
    positive, negative = (
        rescale(x, np.int64(op[f"{prefix}multiplier"]), np.int64(op[f"{prefix}shift"])) for prefix in ("", "negative_")
    )
    out = wrap32(np.where(x < 0, negative, positive) + op["output_zero"])
    context.tensor(shape, "output", output)[:] = np.clip(out, op["clamp_min"], op["clamp_max"])
