"""PAD and PADV2, where a convolution did not take them in."""

from __future__ import annotations

from dataclasses import replace
from operator import itemgetter

import numpy as np

from ...ir.graph import Tensor
from ...ir.operators import Pad
from .. import spec
from ..banks import TENSOR
from ..definition import Operand, Operator, fit, record
from ..record import Context, Step
from ..rules import Check, Each, Elements, Item, at_most, nonzero, total
from . import copy
from .constant import computed

DIMS = 4

PAD = record(
    "pad",
    "Copies a 4-D tensor into a larger one filled with a value. Works on bytes: types is int8 for every tensor.",
    [
        (f"{DIMS}H", "in_shape", "input dimensions"),
        (f"{DIMS}H", "before", "elements of padding before each dimension"),
        (f"{DIMS}H", "out_shape", "output dimensions"),
        ("b", "value", "what the padding holds"),
    ],
)


def lower(node: Pad) -> list[Step]:
    source, output = node.source, node.output
    if source.dtype not in spec.ELEMENT_BYTES:
        raise node.refuse(f"it pads {source.dtype}", "quantise the whole model to int8")
    filling = np.full((1,) * len(output.shape), _value(node), output.dtype)
    raw = filling.tobytes()
    if raw != raw[:1] * len(raw):
        return _filled(node, filling)
    value = int(np.frombuffer(raw, np.int8)[0])
    dims = [(n, *pair) for n, pair in zip(source.shape, node.paddings, strict=True)]
    dims.append((spec.ELEMENT_BYTES[source.dtype], 0, 0))
    axes = range(len(dims))
    if len(_merged(dims)) <= DIMS:
        return [_step(node, source, output, dims, value)]
    # In two steps: the first pads the first axes, the second the others.
    half = len(dims) // 2
    first = [dims[i] if i < half else (dims[i][0], 0, 0) for i in axes]
    second = [(sum(dims[i]), 0, 0) if i < half else dims[i] for i in axes]
    if max(len(_merged(first)), len(_merged(second))) > DIMS:
        raise node.refuse(f"it pads {len(source.shape)} dimensions", "reshape before it")
    between = replace(output, name=f"{output.name}_half", shape=tuple(sum(dim) for dim in first[:-1]))
    return [_step(node, source, between, first, value), _step(node, between, output, second, value)]


def _value(node: Pad) -> int:
    """What the padding holds."""
    if node.value is not None:
        return int(node.value)
    zero_point = node.output.zero_point
    return int(zero_point[0]) if zero_point.size else 0


def _filled(node: Pad, filling: np.ndarray) -> list[Step]:
    """A value whose bytes differ is copied over the whole output first, the input into its middle after it."""
    source, output = node.source, node.output
    steps: list[Step] = []
    one = computed(Tensor(f"{output.name}_value", filling.shape, output.dtype, filling), steps)
    fill = copy.gather(node, one, output, lambda x: np.broadcast_to(x, output.shape))
    fill.partial = True
    inside = tuple(slice(pair[0], pair[0] + n) for n, pair in zip(source.shape, node.paddings, strict=True))
    return [*steps, fill, copy.scatter(node, source, output, itemgetter(inside), False)]


def _merged(dims: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """(size, before, after) of dimensions, one that is not padded together with the one before it."""
    merged = dims[:1]
    for n, before, after in dims[1:]:
        if before == after == 0 and sum(merged[-1]) * n <= spec.MAX_DIM:
            size, left, right = merged[-1]
            merged[-1] = (size * n, left * n, right * n)
        elif merged[-1] == (1, 0, 0):
            merged[-1] = (n, before, after)
        else:
            merged.append((n, before, after))
    return merged


def _step(node: Pad, source: Tensor, output: Tensor, dims: list[tuple[int, int, int]], value: int) -> Step:
    dims = _merged(dims)
    dims = [(1, 0, 0)] * (DIMS - len(dims)) + dims
    fields = {
        "in_shape": tuple(n for n, _, _ in dims),
        "before": tuple(before for _, before, _ in dims),
        "out_shape": tuple(sum(dim) for dim in dims),
        "value": value,
    }
    return Step("PAD", node.name, [source], output, fields)


def run(context: Context) -> None:
    op = context.op
    out = context.tensor(op["out_shape"], "output")
    out[:] = op["value"]
    inside = tuple(slice(b, b + n) for b, n in zip(op["before"], op["in_shape"], strict=True))
    out[inside] = context.tensor(op["in_shape"])


_TENSORS = (Operand("input", (Elements("in_shape"),)), Operand("output", (Elements("out_shape"),)))

CHECK = Check(
    "pad",
    (
        Each(
            DIMS,
            "BAD_PARAMETER",
            (nonzero(Item("in_shape")), at_most(total(Item("before"), Item("in_shape")), Item("out_shape"))),
        ),
        fit(*_TENSORS),
    ),
)

DEFINITIONS = (Operator(10, "PAD", TENSOR, PAD, "pad", CHECK, _TENSORS, run, any_type=True),)
