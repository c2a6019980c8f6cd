"""L2_NORMALIZATION over the last axis."""

from __future__ import annotations

import numpy as np

from ...ir.operators import Activation, L2Normalize
from ..banks import MATH
from ..definition import Operand, Operator, fit, record
from ..numerics import inverse_square_root, rescale
from ..record import Context, Step
from ..rules import Between, Check, parameters
from .quantised import per_tensor

MAX_DEPTH = 33025  # squares of 255 that int32 holds

NORMALIZE = record(
    "normalize",
    "Over the last axis; may be in place.",
    [
        ("b", "input_zero", "zero point of the input"),
        ("I", "rows", "number of rows"),
        ("I", "depth", "elements of a row"),
    ],
)


def lower(node: L2Normalize) -> list[Step]:
    source, output = node.source, node.output
    _, zero_point = per_tensor(node, source)
    depth = source.shape[-1] if source.shape else 1
    if node.activation is not Activation.NONE or source.shape != output.shape:
        raise node.refuse("it has an activation or another shape", "put the activation into a layer of its own")
    if per_tensor(node, output) != (np.float32(1 / 128), 0):
        raise node.refuse("its output is not quantised to 1/128 with zero point 0", "export the model again")
    if depth > MAX_DEPTH:
        raise node.refuse(f"it sums {depth} squares, the limit is {MAX_DEPTH}", "take it off the model")
    fields = {"rows": source.size // depth, "depth": depth, "input_zero": zero_point}
    return [Step("L2_NORMALIZATION", node.name, [source], output, fields)]


def run(context: Context) -> None:
    op = context.op
    shape = (op["rows"], op["depth"])
    x = context.tensor(shape).astype(np.int64) - op["input_zero"]
    scales = [inverse_square_root(int(n)) for n in (x * x).sum(1)]
    multiplier, shift = (np.array(part, np.int64)[:, None] for part in zip(*scales, strict=True))
    context.tensor(shape, "output")[:] = np.clip(rescale(x, multiplier, shift + 7), -128, 127)


_TENSORS = (Operand("input", ("rows", "depth")), Operand("output", ("rows", "depth")))

CHECK = Check("l2_normalization", (parameters(Between("depth", 1, MAX_DEPTH)), fit(*_TENSORS)))

DEFINITIONS = (
    Operator(23, "L2_NORMALIZATION", MATH, NORMALIZE, "l2_normalization", CHECK, _TENSORS, run, in_place=True),
)
