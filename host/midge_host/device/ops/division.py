"""DIV: the quotients of two tensors, one of which may be repeated or constant."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir.operators import Div
from ..banks import MATH
from ..definition import Operator, fit
from ..numerics import clamp_limits, high_mul, quantize_multiplier, reciprocal, rounding_shift, wrap32
from ..record import Context, Step, repeated
from ..rules import Check, Elements, IsRescale, at_least, at_most, nonzero, parameters, product
from .arithmetic import ARITHMETIC, TENSORS, lower_as
from .quantised import per_tensor

MAX_SHIFT = 22  # of the factor: TFLM's shifts have no meaning beyond it


def lower(node: Div) -> list[Step]:
    (scale1, zero1), (scale2, zero2), (scale, zero) = (
        per_tensor(node, t) for t in (node.first, node.second, node.output)
    )
    multiplier, shift = quantize_multiplier(float(scale1) / (float(scale2) * float(scale)))
    if shift > MAX_SHIFT:
        raise node.refuse("its scales are too far apart", "export the model again")
    low, high = clamp_limits(node.activation, scale, zero)
    fields = {"clamp_min": low, "clamp_max": high, "zero1": zero1, "zero2": zero2, "output_zero": zero}
    fields |= {"multiplier": multiplier, "shift": shift}
    return lower_as("DIV", node, fields, lambda dtype, a, b: divide(fields, a, b))


def _bits(x: np.ndarray) -> np.ndarray:
    """Binary digits of what is not negative."""
    return np.frexp(x.astype(np.float64))[1].astype(np.int64)


def divide(op: dict[str, Any], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The outputs for arrays of int64 that hold the inputs' values. op: a record's fields."""
    a, b = np.broadcast_arrays(a - op["zero1"], b - op["zero2"])
    a, b = np.where(b < 0, -a, a), np.abs(b)
    digits = _bits(b)
    inverse = reciprocal((b << (32 - digits)) - (1 << 31))
    headroom = 31 - _bits(np.where(a < 0, -a - 1, a))
    quotient = high_mul(a << headroom, inverse)
    right = digits - 1 + headroom - op["shift"]
    scaled = rounding_shift(high_mul(quotient, np.int64(op["multiplier"])), np.minimum(right, 31))
    result = np.where(right > 31, 0, scaled)
    result = np.where(b == 0, np.sign(a) << 16, np.where(a == 0, 0, result))
    return np.clip(wrap32(result + op["output_zero"]), op["clamp_min"], op["clamp_max"])


def run(context: Context) -> None:
    op = context.op
    a, b = (
        context.tensor(repeated(op["shape"], op[f"repeat{i}"]), field).astype(np.int64)
        for i, field in ((1, "input"), (2, "input2"))
    )
    context.tensor(op["shape"], "output")[:] = divide(op, a, b)


CHECK = Check(
    "div",
    (
        parameters(
            nonzero(product(Elements("shape"))),
            IsRescale("multiplier", "shift"),
            at_most("shift", MAX_SHIFT),
            at_most("clamp_min", "clamp_max"),
            at_least("clamp_min", -128),
            at_most("clamp_max", 127),
        ),
        fit(*TENSORS),
    ),
)

DEFINITIONS = (Operator(28, "DIV", MATH, ARITHMETIC, "div", CHECK, TENSORS, run, elementwise=True, in_place=True),)
