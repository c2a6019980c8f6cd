"""BATCH_MATMUL: products of two tensors' matrices; also FULLY_CONNECTED with weights that the model computes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...ir.graph import Node, Tensor
from ...ir.operators import Dense, MatMul
from .. import rules, spec
from ..banks import MATH, WIDE
from ..definition import Constant, Operand, Operator, fit, record
from ..numerics import clamp_limits, quantize_multiplier, rescale, rescale_wide, wrap32
from ..record import Context, Step, repeated
from ..rules import (
    UNIT,
    Between,
    Check,
    Choice,
    Elements,
    Holds,
    IsRescale,
    When,
    aligned,
    at_most,
    equal,
    nonzero,
    parameters,
    product,
)
from . import lut
from .constant import computed
from .quantised import per_tensor

MAX_DEPTH = 33025  # products of 255 * 255 that int32 holds
MAX_SHIFT = 7  # of TFLM's 64-bit requantisation, for int16
BATCH_DIMS = 3
FIRST_TRANSPOSED, SECOND_TRANSPOSED = 1, 2

MATMUL = record(
    "matmul",
    "Matrices [rows, depth] times matrices [depth, columns]. flags 1: the first is stored as [depth, rows]; 2: the "
    "second as [columns, depth]; 3: both. A weight block, if there is one, holds an int32 for each column, which its "
    "sums of int8 begin with.",
    [
        ("b", "shift", "of a sum"),
        ("b", "zero1", "zero point of the first input"),
        ("b", "zero2", "zero point of the second input"),
        ("b", "output_zero", "zero point of the output"),
        ("B", "repeat1", "a bit for each dimension of batch, from the first, along which the first input is repeated"),
        ("B", "repeat2", "of the second input"),
        (f"{BATCH_DIMS}H", "batch", "dimensions of the output before its last two, unused ones 1"),
        ("H", "rows", "rows of the output"),
        ("H", "depth", "products in a sum"),
        ("H", "columns", "columns of the output"),
        ("I", "input2", "arena offset of the second input"),
        ("i", "multiplier", "of a sum"),
    ],
)


def lower(node: MatMul) -> list[Step]:
    batches = node.first.shape[:-2], node.second.shape[:-2]
    rows, depth = node.first.shape[-2:][::-1] if node.transpose_first else node.first.shape[-2:]
    columns = node.second.shape[-2 if node.transpose_second else -1]
    batch = np.broadcast_shapes(*batches)
    if len(batch) > BATCH_DIMS:
        raise node.refuse(f"it has {len(batch)} batch dimensions, the limit is {BATCH_DIMS}", "split the layer")
    batch = (1,) * (BATCH_DIMS - len(batch)) + batch
    fields = {
        "flags": FIRST_TRANSPOSED * node.transpose_first + SECOND_TRANSPOSED * node.transpose_second,
        "batch": batch,
        "rows": rows,
        "depth": depth,
        "columns": columns,
        "repeat1": _repeats(batches[0], batch),
        "repeat2": _repeats(batches[1], batch),
    }
    return _steps(node, (node.first, node.second), fields, ("int8", "int16"))


def lower_dense(node: Dense) -> list[Step]:
    """Of computed weights. An activation is a LUT behind it."""
    columns, depth = node.weights.shape
    fields = {
        "flags": SECOND_TRANSPOSED,
        "batch": (1,) * BATCH_DIMS,
        "rows": node.source.size // depth,
        "depth": depth,
        "columns": columns,
        "repeat1": 0,
        "repeat2": 0,
    }
    steps = _steps(node, (node.source, node.weights), fields, ("int8",))
    bias, output = node.bias, node.output
    if bias is not None:
        if bias.data is None or bias.dtype != "int32":
            raise node.refuse(f"its bias is {bias.dtype} {bias.shape}, not constants of int32", "use a constant bias")
        steps[-1].blocks = [bias.data.astype("<i4").tobytes()]
    low, high = clamp_limits(node.activation, *per_tensor(node, output))
    if (low, high) != (-128, 127):
        table = np.clip(np.arange(-128, 128), low, high).astype(np.int8)
        made = replace(output, name=f"{output.name}_sums")
        steps[-1].output = made
        steps += lut.step(node, made, table)
    return steps


def _steps(node: Node, factors: tuple[Tensor, Tensor], fields: dict[str, Any], dtypes: tuple[str, ...]) -> list[Step]:
    """The step of a record with these sizes, and what makes its constants."""
    steps: list[Step] = []
    first, second = (computed(tensor, steps) for tensor in factors)
    output = node.outputs[0]
    if not first.dtype == second.dtype == output.dtype:
        raise node.refuse(f"it makes {output.dtype} of {first.dtype} and {second.dtype}", "export the model again")
    (scale1, zero1), (scale2, zero2), (scale, zero) = (per_tensor(node, t, dtypes) for t in (first, second, output))
    wide = output.dtype == "int16"
    most = spec.MAX_DIM if wide else MAX_DEPTH
    if fields["depth"] > most or max(fields["rows"], fields["columns"]) > spec.MAX_DIM:
        sizes = f"{fields['rows']} x {fields['columns']} sums of {fields['depth']} products"
        raise node.refuse(f"it makes {sizes}, the limits are {spec.MAX_DIM} and {most}", "split the layer")
    multiplier, shift = quantize_multiplier(float(scale1) * float(scale2) / float(scale))
    if wide and shift > MAX_SHIFT:
        raise node.refuse(f"its scales multiply a sum by more than {1 << MAX_SHIFT}", "export the model again")
    fields = {
        **fields,
        "multiplier": multiplier,
        "shift": shift,
        "zero1": zero1,
        "zero2": zero2,
        "output_zero": zero,
    }
    return [*steps, Step("BATCH_MATMUL", node.name, [first, second], output, fields, dtype=output.dtype)]


def _repeats(own: tuple[int, ...], batch: tuple[int, ...]) -> int:
    """A bit for each dimension of `batch` along which a tensor with batch dimensions `own` is repeated."""
    own = (1,) * (len(batch) - len(own)) + own
    return sum(1 << d for d, (n, whole) in enumerate(zip(own, batch, strict=True)) if n != whole)


def run(context: Context) -> None:
    op, dtype = context.op, context.dtype

    def factor(field: str, n: int, shape: tuple[int, int]) -> np.ndarray:
        transposed = op["flags"] & n
        own = (*repeated(op["batch"], op[f"repeat{n}"]), *(shape[::-1] if transposed else shape))
        x = context.tensor(own, field, dtype).astype(np.int64) - op[f"zero{n}"]
        return x.swapaxes(-1, -2) if transposed else x

    total = factor("input", 1, (op["rows"], op["depth"])) @ factor("input2", 2, (op["depth"], op["columns"]))
    if op["blocks"]:
        total += context.block(0)[: 4 * op["columns"]].view("<i4")
    factors = np.int64(op["multiplier"]), np.int64(op["shift"])
    out = rescale_wide(total, *factors) if dtype == np.int16 else rescale(wrap32(total), *factors)
    limits = np.iinfo(dtype)
    context.tensor(out.shape, "output", dtype)[:] = np.clip(wrap32(out + op["output_zero"]), limits.min, limits.max)


_TENSORS = (
    Operand("input", (Elements("batch", "repeat1"), "rows", "depth"), UNIT),
    Operand("input2", (Elements("batch", "repeat2"), "depth", "columns"), UNIT),
    Operand("output", (Elements("batch"), "rows", "columns"), UNIT),
)

CHECK = Check(
    "batch_matmul",
    (
        parameters(
            at_most("flags", FIRST_TRANSPOSED | SECOND_TRANSPOSED),
            Between("depth", 1, Choice(rules.WIDE, spec.MAX_DIM, MAX_DEPTH)),
            nonzero(Elements("batch"), "rows", "columns"),
            IsRescale("multiplier", "shift"),
            at_most("shift", Choice(rules.WIDE, MAX_SHIFT, 30)),
            aligned(UNIT, "input", "input2", "output"),
        ),
        When(nonzero("blocks"), (rules.weights(equal("blocks", 1), Holds(product(4, "columns"))),)),
        fit(*_TENSORS),
    ),
)

DEFINITIONS = tuple(
    Operator(
        24,
        "BATCH_MATMUL",
        bank,
        MATMUL,
        "batch_matmul",
        CHECK,
        _TENSORS,
        run,
        dtype=dtype,
        has_blocks=dtype == "int8",
        macs=product(Elements("batch"), "rows", "columns", "depth"),
        constants=(
            Constant("FIRST_TRANSPOSED", FIRST_TRANSPOSED, "flag of BATCH_MATMUL"),
            Constant("SECOND_TRANSPOSED", SECOND_TRANSPOSED, "flag of BATCH_MATMUL"),
        ),
    )
    for bank, dtype in ((MATH, "int8"), (WIDE, "int16"))
)
