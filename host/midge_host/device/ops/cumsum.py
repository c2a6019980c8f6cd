"""CUMSUM along one axis; ADD_N: the sum of several tensors, as that of their stack."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from ...ir.graph import Tensor
from ...ir.operators import AddN, CumSum, Stack
from ..banks import MATH
from ..definition import Constant, Operand, Operator, fit, record
from ..numerics import quantize_multiplier, rescale, wrap32
from ..record import Context, Step
from ..rules import Between, Check, Choice, HasFlag, IsRescale, at_most, nonzero, parameters
from . import copy
from .quantised import per_tensor

EXCLUSIVE, REVERSE, TOTAL = 1, 2, 4
MAX_SHIFT = 19

SUMS = record(
    "sums",
    "Sums along the middle axis of [outer, reduce, inner]. flags 1: without the element itself; 2: from the last "
    "element on; 4: the last sum only.",
    [
        ("b", "input_zero", "zero point of the input"),
        ("b", "output_zero", "zero point of the output"),
        ("b", "left_shift", "of every sum before it is rescaled"),
        ("b", "shift", "of the result"),
        ("h", "start", "to which the elements are added"),
        ("I", "outer", "elements before the axis"),
        ("I", "reduce", "elements along it"),
        ("I", "inner", "elements behind it"),
        ("i", "multiplier", "of the result"),
    ],
)


def lower(node: CumSum) -> list[Step]:
    shape, axis = node.source.shape, node.axis
    sizes = {"outer": prod(shape[:axis]), "reduce": shape[axis], "inner": prod(shape[axis + 1 :])}
    flags = EXCLUSIVE * node.exclusive | REVERSE * node.reverse
    fields = _fields(node, node.source, shape[axis])
    return [Step("CUMSUM", node.name, [node.source], node.output, {**sizes, **fields, "flags": flags})]


def lower_add_n(node: AddN) -> list[Step]:
    sources, output = node.sources, node.output
    if not all(t.has_scale_of(sources[0]) for t in sources):
        raise node.refuse("its inputs have different scales", "export the model again, or use Add layers")
    stack = replace(sources[0], name=f"{node.name}_stack", shape=(len(sources), *output.shape), data=None)
    steps = copy.lower_pack(Stack(name=node.name, kind=node.kind, sources=sources, output=stack, axis=0))
    fields = {"outer": 1, "reduce": len(sources), "inner": output.size, "flags": TOTAL}
    return [*steps, Step("CUMSUM", node.name, [stack], output, {**fields, **_fields(node, stack, len(sources))})]


def _fields(node: CumSum | AddN, source: Tensor, count: int) -> dict[str, Any]:
    (scale, zero), (out_scale, out_zero) = (per_tensor(node, t) for t in (source, node.output))
    left = MAX_SHIFT
    if node.is_real:  # as large as the sums allow
        left = min(left, 31 - (255 * (count + 1)).bit_length())
    multiplier, shift = quantize_multiplier(float(scale) / ((1 << left) * float(out_scale)))
    if shift > 0 or left < 0:
        raise node.refuse("its scales are too far apart, or its sums too long", "export the model again")
    start = 0 if node.is_real else -zero
    return {
        **{"input_zero": zero, "output_zero": out_zero, "left_shift": left},
        **{"start": start, "multiplier": multiplier, "shift": shift},
    }


def run(context: Context) -> None:
    op = context.op
    x = context.tensor((op["outer"], op["reduce"], op["inner"])).astype(np.int64) - op["input_zero"]
    x = x[:, ::-1] if op["flags"] & REVERSE else x
    sums = op["start"] + x.cumsum(1)
    if op["flags"] & EXCLUSIVE:
        sums = sums - x
    if op["flags"] & TOTAL:
        sums = sums[:, -1:]
    elif op["flags"] & REVERSE:
        sums = sums[:, ::-1]
    scaled = rescale(wrap32(sums << op["left_shift"]), np.int64(op["multiplier"]), np.int64(op["shift"]))
    context.tensor(sums.shape, "output")[:] = np.clip(wrap32(scaled + op["output_zero"]), -128, 127)


_TENSORS = (
    Operand("input", ("outer", "reduce", "inner")),
    Operand("output", ("outer", Choice(HasFlag(TOTAL), 1, "reduce"), "inner")),
)

CHECK = Check(
    "cumsum",
    (
        parameters(
            at_most("flags", EXCLUSIVE | REVERSE | TOTAL),
            nonzero("outer", "reduce", "inner"),
            Between("left_shift", 0, MAX_SHIFT),
            IsRescale("multiplier", "shift"),
        ),
        fit(*_TENSORS),
    ),
)

DEFINITIONS = (
    Operator(
        29,
        "CUMSUM",
        MATH,
        SUMS,
        "cumsum",
        CHECK,
        _TENSORS,
        run,
        in_place=True,
        constants=(
            Constant("EXCLUSIVE", EXCLUSIVE, "flag of CUMSUM"),
            Constant("REVERSE", REVERSE, "flag of CUMSUM"),
            Constant("TOTAL", TOTAL, "flag of CUMSUM"),
        ),
    ),
)
