"""SELECT: of two tensors, element by element, the one that a third chooses; any of them may be repeated."""

from __future__ import annotations

import numpy as np

from ...ir.operators import Select
from ..banks import TENSOR
from ..definition import Operand, Operator, fit, record
from ..record import Context, Step, repeated
from ..rules import UNIT, Check, Elements, aligned, nonzero, parameters, product
from .arithmetic import DIMS, broadcast
from .constant import computed

SELECT = record(
    "select",
    "The elements of input2 where that of the input, a byte, is not 0, of input3 elsewhere; each repeated along the "
    "dimensions in which it has one element.",
    [
        (f"{DIMS}H", "shape", "dimensions of the output, unused ones 1"),
        ("B", "repeat1", "a bit for each dimension, from the first, along which the input is repeated"),
        ("B", "repeat2", "of the second input"),
        ("B", "repeat3", "of the third input"),
        ("I", "input2", "arena offset of the second input"),
        ("I", "input3", "arena offset of the third input"),
    ],
)


def lower(node: Select) -> list[Step]:
    output, inputs = node.output, [node.condition, node.first, node.second]
    if output.dtype not in ("int8", "int16"):
        raise node.refuse(f"it selects {output.dtype}", "quantise the whole model to int8")
    # As TFLM, which does not look at scales.
    steps: list[Step] = []
    shape, repeats = broadcast(node, inputs, output)
    fields = {"shape": shape, **{f"repeat{i}": bits for i, bits in enumerate(repeats, 1)}}
    sources = [computed(tensor, steps) for tensor in inputs]
    return [*steps, Step("SELECT", node.name, sources, output, fields, dtype=output.dtype)]


def run(context: Context) -> None:
    op = context.op
    shapes = [repeated(op["shape"], op[f"repeat{i}"]) for i in (1, 2, 3)]
    condition = context.tensor(shapes[0])
    first, second = (context.tensor(shapes[i], f"input{i + 1}", context.dtype) for i in (1, 2))
    context.tensor(op["shape"], "output", context.dtype)[:] = np.where(condition != 0, first, second)


_TENSORS = (
    Operand("input", (Elements("shape", "repeat1"),)),
    Operand("input2", (Elements("shape", "repeat2"),), UNIT),
    Operand("input3", (Elements("shape", "repeat3"),), UNIT),
    Operand("output", (Elements("shape"),), UNIT),
)

CHECK = Check(
    "select",
    (parameters(nonzero(product(Elements("shape"))), aligned(UNIT, "input2", "input3", "output")), fit(*_TENSORS)),
)

DEFINITIONS = tuple(
    Operator(27, "SELECT", TENSOR, SELECT, "select", CHECK, _TENSORS, run, dtype=dtype, elementwise=True)
    for dtype in ("int8", "int16")
)
