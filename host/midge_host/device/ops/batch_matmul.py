"""BATCH_MATMUL: products of two tensors' matrices."""

from __future__ import annotations

import numpy as np

from ...ir.operators import MatMul
from ..banks import MATH
from ..definition import Constant, Operand, Operator, fit, record
from ..numerics import quantize_multiplier, rescale, wrap32
from ..record import Context, Step, repeated
from ..rules import Between, Check, Elements, IsRescale, at_most, nonzero, parameters, product
from .constant import computed
from .quantised import per_tensor

MAX_DEPTH = 33025  # products of 255 * 255 that int32 holds
BATCH_DIMS = 3
FIRST_TRANSPOSED, SECOND_TRANSPOSED = 1, 2

MATMUL = record(
    "matmul",
    "Matrices [rows, depth] times matrices [depth, columns]. flags 1: the first is stored as [depth, rows]; 2: the "
    "second as [columns, depth]; 3: both.",
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
    steps: list[Step] = []
    first, second, output = computed(node.first, steps), computed(node.second, steps), node.output
    (scale1, zero1), (scale2, zero2), (scale, zero) = (per_tensor(node, t) for t in (first, second, output))
    batch1, batch2 = first.shape[:-2], second.shape[:-2]
    rows, depth = first.shape[-2:][::-1] if node.transpose_first else first.shape[-2:]
    columns = second.shape[-2 if node.transpose_second else -1]
    batch = np.broadcast_shapes(batch1, batch2)
    if len(batch) > BATCH_DIMS or depth > MAX_DEPTH:
        reason = f"it has {len(batch)} batch dimensions and sums {depth} products"
        raise node.refuse(f"{reason}, the limits are {BATCH_DIMS} and {MAX_DEPTH}", "split the layer")
    multiplier, shift = quantize_multiplier(float(scale1) * float(scale2) / float(scale))
    batch = (1,) * (BATCH_DIMS - len(batch)) + batch
    fields = {
        "flags": FIRST_TRANSPOSED * node.transpose_first + SECOND_TRANSPOSED * node.transpose_second,
        "batch": batch,
        "rows": rows,
        "depth": depth,
        "columns": columns,
        "repeat1": _repeats(batch1, batch),
        "repeat2": _repeats(batch2, batch),
        "multiplier": multiplier,
        "shift": shift,
        "zero1": zero1,
        "zero2": zero2,
        "output_zero": zero,
    }
    return [*steps, Step("BATCH_MATMUL", node.name, [first, second], output, fields)]


def _repeats(own: tuple[int, ...], batch: tuple[int, ...]) -> int:
    """A bit for each dimension of `batch` along which a tensor with batch dimensions `own` is repeated."""
    own = (1,) * (len(batch) - len(own)) + own
    return sum(1 << d for d, (n, whole) in enumerate(zip(own, batch, strict=True)) if n != whole)


def run(context: Context) -> None:
    op = context.op

    def factor(field: str, n: int, shape: tuple[int, int]) -> np.ndarray:
        transposed = op["flags"] & n
        own = (*repeated(op["batch"], op[f"repeat{n}"]), *(shape[::-1] if transposed else shape))
        x = context.tensor(own, field).astype(np.int64) - op[f"zero{n}"]
        return x.swapaxes(-1, -2) if transposed else x

    total = factor("input", 1, (op["rows"], op["depth"])) @ factor("input2", 2, (op["depth"], op["columns"]))
    out = wrap32(rescale(wrap32(total), np.int64(op["multiplier"]), np.int64(op["shift"])) + op["output_zero"])
    context.tensor(out.shape, "output")[:] = np.clip(out, -128, 127)


_TENSORS = (
    Operand("input", (Elements("batch", "repeat1"), "rows", "depth")),
    Operand("input2", (Elements("batch", "repeat2"), "depth", "columns")),
    Operand("output", (Elements("batch"), "rows", "columns")),
)

CHECK = Check(
    "batch_matmul",
    (
        parameters(
            at_most("flags", FIRST_TRANSPOSED | SECOND_TRANSPOSED),
            Between("depth", 1, MAX_DEPTH),
            nonzero(Elements("batch"), "rows", "columns"),
            IsRescale("multiplier", "shift"),
        ),
        fit(*_TENSORS),
    ),
)

DEFINITIONS = (
    Operator(
        24,
        "BATCH_MATMUL",
        MATH,
        MATMUL,
        "batch_matmul",
        CHECK,
        _TENSORS,
        run,
        macs=product(Elements("batch"), "rows", "columns", "depth"),
        constants=(
            Constant("FIRST_TRANSPOSED", FIRST_TRANSPOSED, "flag of BATCH_MATMUL"),
            Constant("SECOND_TRANSPOSED", SECOND_TRANSPOSED, "flag of BATCH_MATMUL"),
        ),
    ),
)
