"""ARITHMETIC: ADD, SUB, MUL, MAXIMUM, MINIMUM and PRELU of two tensors, one of which may be repeated or constant."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir.operators import Activation, Add, Binary, Clamped, Maximum, Minimum, PRelu, Sub
from .. import rules, spec
from ..banks import TENSOR, WIDE
from ..definition import Constant, Operand, Operator, fit, record
from ..numerics import clamp_limits, quantize_multiplier, rescale, wrap32
from ..record import Context, Step, repeated
from ..rules import UNIT, Check, Choice, Elements, IsRescale, aligned, at_least, at_most, nonzero, product
from . import lut
from .constant import computed
from .quantised import per_tensor

DIMS = 5
KINDS = ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU")

ARITHMETIC = record(
    "arithmetic",
    "Two inputs element by element, each repeated along the dimensions in which it has one element. flags: "
    + ", ".join(f"{i} {kind}" for i, kind in enumerate(KINDS))
    + ". The inputs of a sum are shifted left first: by 20 bits, those of int16 by 15.",
    [
        ("b", "shift1", "of the first input"),
        ("b", "shift2", "of the second input"),
        ("b", "shift", "of the result"),
        ("b", "zero1", "zero point of the first input"),
        ("b", "zero2", "zero point of the second input"),
        ("b", "output_zero", "zero point of the output"),
        ("B", "repeat1", "a bit for each dimension, from the first, along which the first input is repeated"),
        ("B", "repeat2", "of the second input"),
        ("h", "clamp_min", "least output value"),
        ("h", "clamp_max", "largest output value"),
        (f"{DIMS}H", "shape", "dimensions of the output, unused ones 1"),
        ("I", "input2", "arena offset of the second input"),
        ("i", "multiplier1", "of the first input"),
        ("i", "multiplier2", "of the second input"),
        ("i", "multiplier", "of the result"),
    ],
)

# Both inputs of a sum are shifted left by so many bits first: TFLM's kLeftShift.
LEFT_SHIFTS = {"int8": 20, "int16": 15}


def lower(node: Binary) -> list[Step]:
    steps: list[Step] = []
    output = node.output
    fields = {"flags": KINDS.index(type(node).__name__.upper()), **parameters(node)}
    table = _table(node, fields)
    if table is not None:
        return table
    first, second = (computed(tensor, steps) for tensor in (node.first, node.second))
    shape, repeats = _broadcast(node)
    fields |= {"shape": shape, "repeat1": repeats[0], "repeat2": repeats[1]}
    steps.append(Step("ARITHMETIC", node.name, [first, second], output, fields, dtype=output.dtype))
    return steps


def _table(node: Binary, fields: dict[str, Any]) -> list[Step] | None:
    """With a constant of one value, a function of the other input."""
    output = node.output
    for i, (tensor, source) in enumerate([(node.first, node.second), (node.second, node.first)]):
        if tensor.data is None or source.data is not None or len(np.unique(tensor.data)) != 1:
            continue
        if output.dtype == "int8" and source.shape == output.shape:
            values = [np.arange(-128, 128), tensor.data.astype(np.int64).reshape(-1)[:1]]
            table = combine(fields, "int8", *(values if i == 1 else values[::-1])).astype(np.int8)
            return lut.step(node, source, table)
    return None


def parameters(node: Binary) -> dict[str, Any]:
    """The fields of a record that scales and zero points set."""
    output = node.output
    dtypes = ("int8",) if isinstance(node, PRelu) else ("int8", "int16")
    pairs = [per_tensor(node, t, dtypes) for t in (node.first, node.second, output)]
    (scale1, zero1), (scale2, zero2), (scale, zero) = ((float(s), z) for s, z in pairs)
    low, high = clamp_limits(node.activation if isinstance(node, Clamped) else Activation.NONE, *pairs[2], output.dtype)
    fields: dict[str, Any] = {"clamp_min": low, "clamp_max": high}
    if isinstance(node, Maximum | Minimum):
        return fields  # TFLM compares the values as they are
    fields |= {"zero1": zero1, "zero2": zero2, "output_zero": zero}
    reals = {"": scale1 * scale2 / scale}
    if isinstance(node, Add | Sub):
        shift = LEFT_SHIFTS[output.dtype]
        twice_max = 2 * max(scale1, scale2)
        reals = {"1": scale1 / twice_max, "2": scale2 / twice_max, "": twice_max / ((1 << shift) * scale)}
    elif isinstance(node, PRelu):
        reals = {"1": scale1 / scale, "2": scale1 * scale2 / scale}
    for which, real in reals.items():
        fields[f"multiplier{which}"], fields[f"shift{which}"] = quantize_multiplier(real)
    return fields


def _broadcast(node: Binary) -> tuple[tuple[int, ...], tuple[int, int]]:
    """The output's shape with neighbours in one dimension where they can be, and the inputs' repeat bits."""
    whole = node.output.shape
    shapes = [(1,) * (len(whole) - len(t.shape)) + t.shape for t in (node.first, node.second)]
    dims: list[tuple[int, tuple[bool, bool]]] = []
    for n, own in zip(whole, zip(*shapes, strict=True), strict=True):
        repeats = (own[0] < n, own[1] < n)
        if n == 1:
            continue
        if dims and dims[-1][1] == repeats and dims[-1][0] * n <= spec.MAX_DIM:
            dims[-1] = (dims[-1][0] * n, repeats)
        else:
            dims.append((n, repeats))
    if len(dims) > DIMS:
        raise node.refuse(f"it repeats its inputs along {len(dims)} dimensions", "reshape before it")
    dims = [(1, (False, False))] * (DIMS - len(dims)) + dims
    first, second = (sum(repeats[i] << d for d, (_, repeats) in enumerate(dims)) for i in (0, 1))
    return tuple(n for n, _ in dims), (first, second)


def combine(op: dict[str, Any], dtype: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The outputs for arrays of int64 that hold the inputs' values. op: a record's fields."""
    kind = KINDS[op["flags"]]
    if kind in ("MAXIMUM", "MINIMUM"):
        chosen = np.maximum(a, b) if kind == "MAXIMUM" else np.minimum(a, b)
        return np.clip(chosen, op["clamp_min"], op["clamp_max"])
    a, b = a - op["zero1"], b - op["zero2"]

    def scaled(x: np.ndarray, which: str = "") -> np.ndarray:
        return rescale(wrap32(x), np.int64(op[f"multiplier{which}"]), np.int64(op[f"shift{which}"]))

    if kind == "MUL":
        result = scaled(a * b)
    elif kind == "PRELU":
        result = np.where(a < 0, scaled(a * b, "2"), scaled(a, "1"))
    else:
        left, right = scaled(a << LEFT_SHIFTS[dtype], "1"), scaled(b << LEFT_SHIFTS[dtype], "2")
        result = scaled(left - right if kind == "SUB" else left + right)
    return np.clip(wrap32(result + op["output_zero"]), op["clamp_min"], op["clamp_max"])


def run(context: Context) -> None:
    op = context.op
    dtype, shape = context.dtype, op["shape"]
    a = context.tensor(repeated(shape, op["repeat1"]), "input", dtype).astype(np.int64)
    b = context.tensor(repeated(shape, op["repeat2"]), "input2", dtype).astype(np.int64)
    context.tensor(shape, "output", dtype)[:] = combine(op, dtype.name, a, b)


_TENSORS = (
    Operand("input", (Elements("shape", "repeat1"),), UNIT),
    Operand("input2", (Elements("shape", "repeat2"),), UNIT),
    Operand("output", (Elements("shape"),), UNIT),
)
_LOWEST, _HIGHEST = Choice(rules.WIDE, -32768, -128), Choice(rules.WIDE, 32767, 127)

CHECK = Check(
    "arithmetic",
    (
        rules.parameters(
            at_most("flags", len(KINDS) - 1),
            nonzero(product(Elements("shape"))),
            IsRescale("multiplier1", "shift1"),
            IsRescale("multiplier2", "shift2"),
            IsRescale("multiplier", "shift"),
            at_most("clamp_min", "clamp_max"),
            at_least("clamp_min", _LOWEST),
            at_most("clamp_max", _HIGHEST),
            aligned(UNIT, "input", "input2", "output"),
        ),
        fit(*_TENSORS),
    ),
)

DEFINITIONS = tuple(
    Operator(
        13,
        "ARITHMETIC",
        bank,
        ARITHMETIC,
        "arithmetic",
        CHECK,
        _TENSORS,
        run,
        dtype=dtype,
        in_place=True,
        constants=(
            *(Constant(f"KIND_{name}", i, "flags of ARITHMETIC: what it computes") for i, name in enumerate(KINDS)),
            Constant("LEFT_SHIFT", LEFT_SHIFTS["int8"], "of both inputs of a sum of int8"),
            Constant("LEFT_SHIFT16", LEFT_SHIFTS["int16"], "of both inputs of a sum of int16"),
        ),
    )
    for bank, dtype in ((TENSOR, "int8"), (WIDE, "int16"))
)
