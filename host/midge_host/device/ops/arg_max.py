"""ARG_MAX along one axis: the index of the first of the largest elements, as int32. ARG_MIN: of the smallest."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from ...ir.operators import ArgMax, ArgMin
from ..banks import MATH
from ..definition import Operand, Operator, fit
from ..record import Context, Step
from ..rules import Check, aligned, nonzero, parameters
from . import lut
from .mean import REDUCE


def lower(node: ArgMax) -> list[Step]:
    source, output, axis = node.source, node.output, node.axis
    if source.dtype != "int8" or output.dtype != "int32":
        raise node.refuse(f"it makes {output.dtype} of {source.dtype}", "let it take int8 and give int32")
    outer, reduce, inner = prod(source.shape[:axis]), source.shape[axis], prod(source.shape[axis + 1 :])
    fields = {"outer": outer, "reduce": reduce, "inner": inner}
    return [Step("ARG_MAX", node.name, [source], output, fields)]


def lower_min(node: ArgMin) -> list[Step]:
    """ARG_MAX of -1 - q."""
    source = replace(node.source, name=f"{node.source.name}_turned")
    largest = lower(ArgMax(name=node.name, kind=node.kind, source=source, output=node.output, axis=node.axis))
    return [lut.turned(node.name, node.source, source), *largest]


def run(context: Context) -> None:
    op = context.op
    x = context.tensor((op["outer"], op["reduce"], op["inner"]))
    context.tensor((op["outer"], op["inner"]), "output", np.int32)[:] = x.argmax(1)


_TENSORS = (Operand("input", ("outer", "reduce", "inner")), Operand("output", ("outer", "inner"), 4))

CHECK = Check("arg_max", (parameters(nonzero("outer", "reduce", "inner"), aligned(4, "output")), fit(*_TENSORS)))

DEFINITIONS = (Operator(20, "ARG_MAX", MATH, REDUCE, "arg_max", CHECK, _TENSORS, run),)
