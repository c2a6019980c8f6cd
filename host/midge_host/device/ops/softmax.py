"""SOFTMAX over the last axis."""

from __future__ import annotations

import numpy as np

from ...ir.operators import LogSoftmax, Softmax
from ..banks import CORE
from ..definition import Operand, Operator, fit, record
from ..numerics import exp_on_negative, high_mul, reciprocal, rescale, rounding_shift, softmax_parameters
from ..record import Context, Step
from ..rules import Between, Check, at_least, at_most, parameters
from .quantised import per_tensor

MAX_DEPTH = 4095  # an exponential is at most 2^19 in Q12.19, so that so many of them stay below 2^31

SOFTMAX = record(
    "softmax",
    "Over the last axis; may be in place. flags 1, of SOFTMAX to int16: the input is int8.",
    [
        ("I", "rows", "number of rows"),
        ("I", "depth", "elements of a row"),
        ("i", "multiplier", "beta * scale as Q5.26"),
        ("i", "shift", "left shift of a difference"),
        ("i", "diff_min", "differences below this count as 0"),
    ],
)
ROWS = (Operand("input", ("rows", "depth")), Operand("output", ("rows", "depth")))
EXPONENTIALS = (at_least("multiplier", 0), Between("shift", 0, 30), at_most("diff_min", 0))
ROWS_CHECK = Check("rows", (parameters(Between("depth", 1, MAX_DEPTH), *EXPONENTIALS), fit(*ROWS)))


def row_sizes(node: Softmax | LogSoftmax) -> dict[str, int]:
    """Rows and elements of a row."""
    source = node.source
    depth = source.shape[-1] if source.shape else 1
    if depth > MAX_DEPTH:
        raise node.refuse(f"it has {depth} classes, the limit is {MAX_DEPTH}", "take it off the model")
    return {"rows": source.size // depth, "depth": depth}


def row_fields(node: Softmax | LogSoftmax, beta: float) -> dict[str, int]:
    """The record's fields, for exponentials of a row times `beta`."""
    scale, _ = per_tensor(node, node.source)
    multiplier, shift, diff_min = softmax_parameters(beta, scale)
    if shift < 0:
        raise node.refuse(f"its input scale {scale} is too small", "export the model again")
    return {**row_sizes(node), "multiplier": multiplier, "shift": shift, "diff_min": diff_min}


def lower(node: Softmax) -> list[Step]:
    output, fields = node.output, row_fields(node, node.beta)
    if per_tensor(node, output) != (np.float32(1 / 256), -128):
        raise node.refuse("its output is not quantised to 1/256 with zero point -128", "export the model again")
    return [Step("SOFTMAX", node.name, [node.source], output, fields)]


def exponentials(context: Context) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """By row: which elements count, their differences from the largest in Q5.26, exp of these, and its sum."""
    op = context.op
    x = context.tensor((op["rows"], op["depth"])).astype(np.int64)
    diff = x - x.max(1, keepdims=True)
    counts = diff >= op["diff_min"]
    q5 = rescale(np.where(counts, diff, 0), np.int64(op["multiplier"]), np.int64(op["shift"]))
    exp = exp_on_negative(q5, 5)
    return counts, q5, exp, np.where(counts, rounding_shift(exp, np.int64(12)), 0).sum(1, keepdims=True)


def shares(context: Context, bits: int) -> np.ndarray:
    """Each exponential's share of its row's sum as an unsigned number of `bits` bits, which 1.0 exceeds by one."""
    counts, _, exp, total = exponentials(context)
    headroom = 31 - np.floor(np.log2(total)).astype(np.int64)
    scale = reciprocal((total << headroom) - (1 << 31))
    exponent = 12 - headroom + 31 - bits
    share = rounding_shift(high_mul(scale, exp), np.minimum(exponent, 31))
    return np.where(counts & (exponent <= 31), share, 0)


def run(context: Context) -> None:
    share = shares(context, 8)
    context.tensor(share.shape, "output")[:] = np.minimum(share - 128, 127)


DEFINITIONS = (Operator(8, "SOFTMAX", CORE, SOFTMAX, "softmax", ROWS_CHECK, ROWS, run, in_place=True),)
