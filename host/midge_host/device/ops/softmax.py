"""SOFTMAX over the last axis."""

from __future__ import annotations

import numpy as np

from ...ir.graph import Graph, Node
from .. import spec
from ..numerics import exp_on_negative, high_mul, reciprocal, rescale, rounding_shift, softmax_parameters
from ..record import Context, Step
from . import softmax_from16

MAX_DEPTH = 4095


def row_sizes(node: Node) -> dict[str, int]:
    """Rows and elements of a row."""
    source = node.inputs[0]
    depth = source.shape[-1] if source.shape else 1
    if depth > MAX_DEPTH:
        raise node.refuse(f"it has {depth} classes, the limit is {MAX_DEPTH}", "take it off the model")
    return {"rows": source.size // depth, "depth": depth}


def row_fields(node: Node, beta: float) -> dict[str, int]:
    """The record's fields, for exponentials of a row times `beta`."""
    scale, _ = node.per_tensor(node.inputs[0])
    multiplier, shift, diff_min = softmax_parameters(beta, scale)
    if shift < 0:
        raise node.refuse(f"its input scale {scale} is too small", "export the model again")
    return {**row_sizes(node), "multiplier": multiplier, "shift": shift, "diff_min": diff_min}


def lower(graph: Graph, node: Node) -> list[Step]:
    if node.inputs[0].dtype == "int16":
        return softmax_from16.step(node, row_sizes(node))
    output, fields = node.outputs[0], row_fields(node, node.options["beta"])
    if output.dtype == "int16":
        if not np.isclose(output.scale, 1 / 65536, rtol=1e-3).all() or not (output.zero_point == -32768).all():
            raise node.refuse("its output is not quantised to 1/65536 with zero point -32768", "export the model again")
        return [Step("SOFTMAX_16", node.name, [node.inputs[0]], output, fields)]
    if node.per_tensor(output) != (np.float32(1 / 256), -128):
        raise node.refuse("its output is not quantised to 1/256 with zero point -128", "export the model again")
    return [Step("SOFTMAX", node.name, [node.inputs[0]], output, fields, in_place=True)]


def exponentials(context: Context) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """By row: which elements count, their differences from the largest in Q5.26, exp of these, and its sum."""
    op = context.op
    x = context.tensor((op["rows"], op["depth"])).astype(np.int64)
    diff = x - x.max(1, keepdims=True)
    counts = diff >= op["diff_min"]
    q5 = rescale(np.where(counts, diff, 0), np.int64(op["multiplier"]), np.int64(op["shift"]))
    exp = exp_on_negative(q5, 5)
    return counts, q5, exp, np.where(counts, rounding_shift(exp, np.int64(12)), 0).sum(1, keepdims=True)


def run(context: Context) -> None:
    counts, _, exp, total = exponentials(context)
    headroom = 31 - np.floor(np.log2(total)).astype(np.int64)
    scale = reciprocal((total << headroom) - (1 << 31))
    is_wide = context.op["code"] == spec.BY_NAME["SOFTMAX_16"].code
    dtype, bits = (np.int16, 16) if is_wide else (np.int8, 8)
    exponent = 12 - headroom + 31 - bits
    share = rounding_shift(high_mul(scale, exp), np.minimum(exponent, 31))
    share = np.where(counts & (exponent <= 31), share, 0) + np.iinfo(dtype).min
    context.tensor(share.shape, "output", dtype)[:] = np.minimum(share, np.iinfo(dtype).max)
