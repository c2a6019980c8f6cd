"""ARITHMETIC: of two tensors element by element, one of which may be repeated or constant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...ir import operators as ir
from ...ir.graph import Node, Tensor
from ...ir.operators import Activation
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
KINDS = (
    *("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU"),
    *("SQUARED_DIFFERENCE", "EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL"),
)
_COMPARISONS = KINDS[-4:]
_KIND_OF: dict[type[ir.Binary], str] = {
    ir.SquaredDifference: "SQUARED_DIFFERENCE",
    ir.NotEqual: "NOT_EQUAL",
    ir.GreaterEqual: "GREATER_EQUAL",
    ir.LogicalAnd: "MINIMUM",  # of 0 and 1
    ir.LogicalOr: "MAXIMUM",
}
_MIRRORED: dict[type[ir.Binary], type[ir.Binary]] = {ir.Less: ir.Greater, ir.LessEqual: ir.GreaterEqual}
_INT16 = (ir.Add, ir.Sub, ir.Mul, ir.Maximum, ir.Minimum, ir.PRelu, ir.SquaredDifference)

ARITHMETIC = record(
    "arithmetic",
    "Two inputs element by element, each repeated along the dimensions in which it has one element. flags: "
    + ", ".join(f"{i} {kind}" for i, kind in enumerate(KINDS))
    + ". The inputs of a sum are shifted left first: by 20 bits, those of int16 by 15; of a squared difference by 7, "
    "those of int16 not at all; of a comparison, which gives 0 or 1, by 8.",
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

# Both inputs of a sum, of a squared difference and of a comparison are shifted left by so many bits first.
LEFT_SHIFTS = {"int8": 20, "int16": 15}
SQUARED_SHIFTS = {"int8": 7, "int16": 0}
COMPARED_SHIFT = 8


def lower(node: ir.Binary) -> list[Step]:
    if type(node) in _MIRRORED:
        swapped = _MIRRORED[type(node)]
        node = swapped(name=node.name, kind=node.kind, first=node.second, second=node.first, output=node.output)
    fields = {"flags": KINDS.index(_kind(node)), **parameters(node)}
    return lower_as("ARITHMETIC", node, fields, lambda dtype, a, b: combine(fields, dtype, a, b))


def _second(node: ir.Binary) -> Tensor:
    """The second input in the output's type: PRELU's slope is int8 also beside int16."""
    second, output = node.second, node.output
    if not isinstance(node, ir.PRelu) or output.dtype != "int16":
        return second
    if second.data is None:
        raise node.refuse("its slope is computed by the model", "use a constant slope")
    return replace(second, dtype="int16", data=second.data.astype(np.int16))


def lower_as(
    operator: str,
    node: ir.Binary,
    fields: dict[str, Any],
    function: Callable[[str, np.ndarray, np.ndarray], np.ndarray],
) -> list[Step]:
    """A step of `operator`, which has an ARITHMETIC record; or a table of `function`, which gives the outputs for a
    type and two arrays of inputs, where one of them is a constant of one value."""
    output, inputs = node.output, [node.first, _second(node)]
    for i, (tensor, source) in enumerate([inputs, inputs[::-1]]):
        if tensor.data is None or source.data is not None or len(np.unique(tensor.data)) != 1:
            continue
        if output.dtype == source.dtype == "int8" and source.shape == output.shape:
            values = [tensor.data.astype(np.int64).reshape(-1)[:1], np.arange(-128, 128)]
            return lut.step(node, source, function("int8", *values[:: 1 - 2 * i]).astype(np.int8))
    steps: list[Step] = []
    first, second = (computed(tensor, steps) for tensor in inputs)
    shape, (repeat1, repeat2) = broadcast(node, inputs, output)
    fields = {**fields, "shape": shape, "repeat1": repeat1, "repeat2": repeat2}
    return [*steps, Step(operator, node.name, [first, second], output, fields, dtype=node.first.dtype)]


def _kind(node: ir.Binary) -> str:
    return _KIND_OF.get(type(node), type(node).__name__.upper())


def parameters(node: ir.Binary) -> dict[str, Any]:
    """The fields of a record that scales and zero points set."""
    output, kind = node.output, _kind(node)
    dtypes = ("int8", "int16") if isinstance(node, _INT16) else ("int8",)
    seconds = ("int8",) if isinstance(node, ir.PRelu) else dtypes
    pairs = [per_tensor(node, t, d) for t, d in ((node.first, dtypes), (node.second, seconds), (output, dtypes))]
    (scale1, zero1), (scale2, zero2), (scale, zero) = ((float(s), z) for s, z in pairs)
    activation = node.activation if isinstance(node, ir.Clamped) else Activation.NONE
    low, high = clamp_limits(activation, *pairs[2], output.dtype)
    fields: dict[str, Any] = {"clamp_min": low, "clamp_max": high}
    if kind in ("MAXIMUM", "MINIMUM"):
        return fields  # TFLM compares the values as they are
    fields |= {"zero1": zero1, "zero2": zero2, "output_zero": zero}
    twice_max = 2 * max(scale1, scale2)
    reals = {"": scale1 * scale2 / scale}
    if kind in ("ADD", "SUB"):
        shift = LEFT_SHIFTS[output.dtype]
        reals = {"1": scale1 / twice_max, "2": scale2 / twice_max, "": twice_max / ((1 << shift) * scale)}
    elif kind == "PRELU":
        reals = {"1": scale1 / scale, "2": scale1 * scale2 / scale}
    elif kind == "SQUARED_DIFFERENCE":
        divisor = float(np.float32(1 << 2 * SQUARED_SHIFTS[output.dtype]) * pairs[2][0])
        reals = {"1": scale1 / twice_max, "2": scale2 / twice_max, "": twice_max * twice_max / divisor}
    elif kind in _COMPARISONS:
        reals = {"1": scale1, "2": scale2}
    for which, real in reals.items():
        fields[f"multiplier{which}"], fields[f"shift{which}"] = quantize_multiplier(real)
    return fields


def broadcast(node: Node, inputs: Sequence[Tensor], output: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The output's shape with neighbours in one dimension where they can be, and the inputs' repeat bits."""
    whole = output.shape
    shapes = [(1,) * (len(whole) - len(t.shape)) + t.shape for t in inputs]
    dims: list[tuple[int, tuple[bool, ...]]] = []
    for n, own in zip(whole, zip(*shapes, strict=True), strict=True):
        repeats = tuple(size < n for size in own)
        if n == 1:
            continue
        if dims and dims[-1][1] == repeats and dims[-1][0] * n <= spec.MAX_DIM:
            dims[-1] = (dims[-1][0] * n, repeats)
        else:
            dims.append((n, repeats))
    if len(dims) > DIMS:
        raise node.refuse(f"it repeats its inputs along {len(dims)} dimensions", "reshape before it")
    dims = [(1, (False,) * len(inputs))] * (DIMS - len(dims)) + dims
    bits = (sum(repeats[i] << d for d, (_, repeats) in enumerate(dims)) for i in range(len(inputs)))
    return tuple(n for n, _ in dims), tuple(bits)


def combine(op: dict[str, Any], dtype: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The outputs for arrays of int64 that hold the inputs' values. op: a record's fields."""
    kind = KINDS[op["flags"]]
    if kind in ("MAXIMUM", "MINIMUM"):
        chosen = np.maximum(a, b) if kind == "MAXIMUM" else np.minimum(a, b)
        return np.clip(chosen, op["clamp_min"], op["clamp_max"])
    a, b = a - op["zero1"], b - op["zero2"]

    def scaled(x: np.ndarray, which: str = "") -> np.ndarray:
        return rescale(wrap32(x), np.int64(op[f"multiplier{which}"]), np.int64(op[f"shift{which}"]))

    def both(shift: int) -> tuple[np.ndarray, np.ndarray]:
        return scaled(a << shift, "1"), scaled(b << shift, "2")

    if kind == "MUL":
        result = scaled(a * b)
    elif kind == "PRELU":
        result = np.where(a < 0, scaled(a * b, "2"), scaled(a, "1"))
    elif kind in _COMPARISONS:
        holds = _COMPARE[kind](*both(COMPARED_SHIFT))
        return np.clip(holds.astype(np.int64), op["clamp_min"], op["clamp_max"])
    elif kind == "SQUARED_DIFFERENCE":
        left, right = both(SQUARED_SHIFTS[dtype])
        result = scaled(wrap32(left - right) ** 2)
    else:
        left, right = both(LEFT_SHIFTS[dtype])
        result = scaled(left - right if kind == "SUB" else left + right)
    return np.clip(wrap32(result + op["output_zero"]), op["clamp_min"], op["clamp_max"])


_COMPARE: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "EQUAL": np.equal,
    "NOT_EQUAL": np.not_equal,
    "GREATER": np.greater,
    "GREATER_EQUAL": np.greater_equal,
}


def run(context: Context) -> None:
    op = context.op
    dtype, shape = context.dtype, op["shape"]
    a = context.tensor(repeated(shape, op["repeat1"]), "input", dtype).astype(np.int64)
    b = context.tensor(repeated(shape, op["repeat2"]), "input2", dtype).astype(np.int64)
    context.tensor(shape, "output", dtype)[:] = combine(op, dtype.name, a, b)


TENSORS = (
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
        fit(*TENSORS),
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
        TENSORS,
        run,
        dtype=dtype,
        elementwise=True,
        in_place=True,
        constants=(
            *(Constant(f"KIND_{name}", i, "flags of ARITHMETIC: what it computes") for i, name in enumerate(KINDS)),
            Constant("LEFT_SHIFT", LEFT_SHIFTS["int8"], "of both inputs of a sum of int8"),
            Constant("LEFT_SHIFT16", LEFT_SHIFTS["int16"], "of both inputs of a sum of int16"),
            Constant("SQUARED_SHIFT", SQUARED_SHIFTS["int8"], "of both inputs of a squared difference of int8"),
            Constant("COMPARED_SHIFT", COMPARED_SHIFT, "of both inputs of a comparison"),
        ),
    )
    for bank, dtype in ((TENSOR, "int8"), (WIDE, "int16"))
)
