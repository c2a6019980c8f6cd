"""ARITHMETIC: ADD, SUB, MUL, MAXIMUM, MINIMUM and PRELU of two tensors, one of which may be repeated or constant."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir.graph import Graph, Node, Tensor
from .. import spec
from ..numerics import clamp_limits, quantize_multiplier, rescale, wrap32
from ..record import Context, Step, repeated
from . import lut
from .constant import computed

DIMS = 5
INT16 = 1
# What both inputs of a sum are shifted by first: TFLM's kLeftShift.
LEFT_SHIFTS = {"int8": 20, "int16": 15}


def lower(graph: Graph, node: Node) -> list[Step]:
    steps: list[Step] = []
    output = node.outputs[0]
    fields = {"kind": spec.ARITHMETIC_KINDS.index(node.kind), **parameters(node)}
    table = _table(node, fields)
    if table is not None:
        return table
    first, second = (computed(tensor, steps) for tensor in node.inputs[:2])
    shape, repeats = _broadcast(node, first, second, output)
    fields |= {"flags": INT16 if output.dtype == "int16" else 0, "shape": shape}
    fields |= {"repeat1": repeats[0], "repeat2": repeats[1]}
    steps.append(Step("ARITHMETIC", node.name, [first, second], output, fields, in_place=True))
    return steps


def _table(node: Node, fields: dict[str, Any]) -> list[Step] | None:
    """With a constant of one value, a function of the other input."""
    output = node.outputs[0]
    for i, tensor in enumerate(node.inputs[:2]):
        source = node.inputs[1 - i]
        uniform = tensor.data is not None and source.data is None and len(np.unique(tensor.data)) == 1
        if uniform and output.dtype == "int8" and source.shape == output.shape:
            values = [np.arange(-128, 128), tensor.data.astype(np.int64).reshape(-1)[:1]]
            table = combine(fields, *(values if i == 1 else values[::-1])).astype(np.int8)
            return lut.step(node, source, table)
    return None


def parameters(node: Node) -> dict[str, Any]:
    """The fields of a record that scales and zero points set."""
    first, second, output = node.inputs[0], node.inputs[1], node.outputs[0]
    dtypes = ("int8",) if node.kind == "PRELU" else ("int8", "int16")
    pairs = [node.per_tensor(t, dtypes) for t in (first, second, output)]
    if not first.dtype == second.dtype == output.dtype:
        raise node.refuse(f"it makes {output.dtype} of {first.dtype} and {second.dtype}", "quantise the whole model")
    (scale1, zero1), (scale2, zero2), (scale, zero) = ((float(s), z) for s, z in pairs)
    low, high = clamp_limits(node.options.get("activation", "NONE"), *pairs[2], output.dtype)
    fields: dict[str, Any] = {"clamp_min": low, "clamp_max": high}
    if node.kind in ("MAXIMUM", "MINIMUM"):
        return fields  # TFLM compares the values as they are
    fields |= {"zero1": zero1, "zero2": zero2, "output_zero": zero}
    reals = {"": scale1 * scale2 / scale}
    if node.kind in ("ADD", "SUB"):
        shift = fields["left_shift"] = LEFT_SHIFTS[output.dtype]
        twice_max = 2 * max(scale1, scale2)
        reals = {"1": scale1 / twice_max, "2": scale2 / twice_max, "": twice_max / ((1 << shift) * scale)}
    elif node.kind == "PRELU":
        reals = {"1": scale1 / scale, "2": scale1 * scale2 / scale}
    for which, real in reals.items():
        fields[f"multiplier{which}"], fields[f"shift{which}"] = quantize_multiplier(real)
    return fields


def _broadcast(node: Node, first: Tensor, second: Tensor, output: Tensor) -> tuple[tuple[int, ...], tuple[int, int]]:
    """The output's shape with neighbours in one dimension where they can be, and the inputs' repeat bits."""
    rank = len(output.shape)
    shapes = [(1,) * (rank - len(t.shape)) + t.shape for t in (first, second)]
    if any(len(s) != rank or any(n not in (1, m) for n, m in zip(s, output.shape, strict=True)) for s in shapes):
        raise node.refuse(f"{first.shape} and {second.shape} do not make {output.shape}", "export the model again")
    dims: list[tuple[int, tuple[bool, bool]]] = []
    for n, own in zip(output.shape, zip(*shapes, strict=True), strict=True):
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
    bits = tuple(sum(repeats[i] << d for d, (_, repeats) in enumerate(dims)) for i in (0, 1))
    return tuple(n for n, _ in dims), bits


def combine(op: dict[str, Any], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The outputs for arrays of int64 that hold the inputs' values. op: a record's fields."""
    kind = spec.ARITHMETIC_KINDS[op["kind"]]
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
        left, right = scaled(a << op["left_shift"], "1"), scaled(b << op["left_shift"], "2")
        result = scaled(left - right if kind == "SUB" else left + right)
    return np.clip(wrap32(result + op["output_zero"]), op["clamp_min"], op["clamp_max"])


def run(context: Context) -> None:
    op = context.op
    dtype = np.int16 if op["flags"] & INT16 else np.int8
    shape = op["shape"]
    a = context.tensor(repeated(shape, op["repeat1"]), "input", dtype).astype(np.int64)
    b = context.tensor(repeated(shape, op["repeat2"]), "input2", dtype).astype(np.int64)
    context.tensor(shape, "output", dtype)[:] = combine(op, a, b)
