"""ADD of two int8 tensors of one shape; others are ARITHMETIC's."""

from __future__ import annotations

import numpy as np

from ...ir.operators import Add
from ..banks import CORE
from ..definition import Operand, Operator, fit, record
from ..numerics import rescale, wrap32
from ..record import Context, Step
from ..rules import Between, Check, IsRescale, at_most, parameters
from . import arithmetic

ADD = record(
    "add",
    "Element by element; the output may be in the place of either input.",
    [
        ("b", "shift1", "of the first input"),
        ("b", "shift2", "of the second input"),
        ("b", "shift", "of the sum"),
        ("b", "left_shift", "applied to both inputs first"),
        ("b", "zero1", "zero point of the first input"),
        ("b", "zero2", "zero point of the second input"),
        ("b", "output_zero", "zero point of the output"),
        ("b", "clamp_min", "least output value"),
        ("b", "clamp_max", "largest output value"),
        ("I", "input2", "arena offset of the second input"),
        ("I", "count", "elements"),
        ("i", "multiplier1", "of the first input"),
        ("i", "multiplier2", "of the second input"),
        ("i", "multiplier", "of the sum"),
    ],
)


def lower(node: Add) -> list[Step]:
    first, second, output = node.first, node.second, node.output
    if output.dtype != "int8" or any(t.data is not None or t.shape != output.shape for t in (first, second)):
        return arithmetic.lower(node)
    fields = {"count": output.size, **arithmetic.parameters(node), "left_shift": arithmetic.LEFT_SHIFTS["int8"]}
    return [Step("ADD", node.name, [first, second], output, fields)]


def scaled(context: Context, field: str, n: int) -> np.ndarray:
    """Input `n` without its zero point, on the scale of both."""
    op = context.op
    x = (context.tensor((op["count"],), field).astype(np.int64) - op[f"zero{n}"]) << op["left_shift"]
    return rescale(x, np.int64(op[f"multiplier{n}"]), np.int64(op[f"shift{n}"]))


def run(context: Context) -> None:
    op = context.op
    total = wrap32(scaled(context, "input", 1) + scaled(context, "input2", 2))
    out = wrap32(rescale(total, np.int64(op["multiplier"]), np.int64(op["shift"])) + op["output_zero"])
    context.tensor((op["count"],), "output")[:] = np.clip(out, op["clamp_min"], op["clamp_max"])


TENSORS = tuple(Operand(field, ("count",)) for field in ("input", "input2", "output"))

CHECK = Check(
    "add",
    (
        parameters(
            IsRescale("multiplier1", "shift1"),
            IsRescale("multiplier2", "shift2"),
            IsRescale("multiplier", "shift"),
            Between("left_shift", 0, 22),
            at_most("clamp_min", "clamp_max"),
        ),
        fit(*TENSORS),
    ),
)

DEFINITIONS = (Operator(7, "ADD", CORE, ADD, "add", CHECK, TENSORS, run, elementwise=True, in_place=True),)
