"""COPY: operators that move elements and compute nothing. NumPy's views tell where they lie.

TFLM copies without a look at scales, and so does midge; only those of CONCATENATION must be one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...ir import operators as ir
from ...ir.graph import Node, Tensor
from .. import spec
from ..banks import TENSOR
from ..definition import Constant, Operand, Operator, record
from ..record import Context, Step
from ..rules import Check, Custom, Elements, Require, at_most, nonzero, parameters, product
from .constant import computed

DIMS = 5
OUTPUT_HAS_STRIDES = 1

COPY = record(
    "copy",
    "Copies runs of bytes between a dense tensor and one with strides. flags 0: the input has strides; 1: the output. "
    "types is int8 for every tensor.",
    [
        (f"{DIMS}H", "shape", "dimensions, unused ones 1"),
        ("H", "run", "bytes that lie together on both sides"),
        (f"{DIMS}i", "strides", "bytes between neighbours along each dimension, on the side that has strides"),
        ("I", "at", "where the first run lies within the tensor that has strides"),
    ],
)


def gather(node: Node, source: Tensor, output: Tensor, select: Callable[[np.ndarray], np.ndarray]) -> Step:
    """The step that copies a view of `source` to the dense `output`."""
    return _step(node, source, output, source, select, output.shape, 0)


def scatter(
    node: Node, source: Tensor, output: Tensor, select: Callable[[np.ndarray], np.ndarray], partial: bool
) -> Step:
    """The step that copies the dense `source` to a view of `output`. partial: other steps write the rest."""
    step = _step(node, source, output, output, select, source.shape, OUTPUT_HAS_STRIDES)
    step.partial = partial
    return step


def _step(
    node: Node,
    source: Tensor,
    output: Tensor,
    strided: Tensor,
    select: Callable[[np.ndarray], np.ndarray],
    shape: tuple[int, ...],
    flags: int,
) -> Step:
    if source.dtype != output.dtype or source.dtype not in spec.ELEMENT_BYTES:
        raise node.refuse(f"it makes {output.dtype} of {source.dtype}", "export the model again, quantised to int8")
    whole = np.empty(strided.shape, strided.dtype)
    view = select(whole)
    at = view.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    dims, run = _merged(list(zip(view.shape, view.strides, strict=True)), whole.itemsize)
    if len(dims) > DIMS:
        raise node.refuse(f"it moves elements along {len(dims)} dimensions, the limit is {DIMS}", "split the layer")
    dims = [(1, 0)] * (DIMS - len(dims)) + dims
    fields = {
        "shape": tuple(n for n, _ in dims),
        "strides": tuple(stride for _, stride in dims),
        "at": at,
        "run": run,
    }
    return Step("COPY", node.name, [source], output, {**fields, "flags": flags})


def _merged(dims: list[tuple[int, int]], run: int) -> tuple[list[tuple[int, int]], int]:
    """(size, stride) of dimensions with neighbours in one where they can be, and the bytes that lie together."""
    merged: list[tuple[int, int]] = []
    for n, stride in reversed([d for d in dims if d[0] != 1]):
        if not merged and stride == run and n * run <= spec.MAX_DIM:
            run *= n
        elif merged and stride == merged[-1][0] * merged[-1][1] and n * merged[-1][0] <= spec.MAX_DIM:
            merged[-1] = (n * merged[-1][0], merged[-1][1])
        else:
            merged.append((n, stride))
    return merged[::-1], run


def _cut(axis: int, start: int, stop: int) -> Callable[[np.ndarray], np.ndarray]:
    place = (*[slice(None)] * axis, slice(start, stop))
    return lambda x: x[place]


def _item(axis: int, index: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.moveaxis(x, axis, 0)[index, ...]


def _join(node: ir.Concatenate | ir.Stack, places: list[Callable[[np.ndarray], np.ndarray]]) -> list[Step]:
    """Steps that put each input at its place in the output."""
    steps: list[Step] = []
    last = len(places) - 1
    for i, (source, place) in enumerate(zip(node.sources, places, strict=True)):
        steps.append(scatter(node, computed(source, steps), node.output, place, i < last))
    return steps


def lower_concatenation(node: ir.Concatenate) -> list[Step]:
    if node.activation is not ir.Activation.NONE:
        raise node.refuse("it has an activation", "put the activation into a layer of its own")
    places, start = [], 0
    for source in node.sources:
        places.append(_cut(node.axis, start, start + source.shape[node.axis]))
        start += source.shape[node.axis]
    return _join(node, places)


def lower_pack(node: ir.Stack) -> list[Step]:
    return _join(node, [_item(node.axis, i) for i in range(len(node.sources))])


def lower_unpack(node: ir.Unstack) -> list[Step]:
    return [gather(node, node.source, part, _item(node.axis, i)) for i, part in enumerate(node.parts)]


def lower_split(node: ir.Split) -> list[Step]:
    steps, start = [], 0
    for part in node.parts:
        stop = start + part.shape[node.axis]
        steps.append(gather(node, node.source, part, _cut(node.axis, start, stop)))
        start = stop
    return steps


def lower_slice(node: ir.Slice) -> list[Step]:
    # With an ellipsis it is a view also where no dimension is left.
    index = node.index if Ellipsis in node.index else (*node.index, Ellipsis)
    return [gather(node, node.source, node.output, lambda x: x[index])]


def lower_transpose(node: ir.Transpose) -> list[Step]:
    return [gather(node, node.source, node.output, lambda x: x.transpose(node.axes))]


def lower_reverse(node: ir.Reverse) -> list[Step]:
    return [gather(node, node.source, node.output, lambda x: np.flip(x, node.axes))]


def lower_broadcast(node: ir.Broadcast) -> list[Step]:
    return [gather(node, node.source, node.output, lambda x: np.broadcast_to(x, node.output.shape))]


def lower_tile(node: ir.Tile) -> list[Step]:
    shape = node.source.shape
    times = [whole // n for whole, n in zip(node.output.shape, shape, strict=True)]
    each, all_of = ([m for pair in zip(a, shape, strict=True) for m in pair] for a in ([1] * len(shape), times))
    return [gather(node, node.source, node.output, lambda x: np.broadcast_to(x.reshape(each), all_of))]


def lower_depth_to_space(node: ir.DepthToSpace) -> list[Step]:
    n, h, w, c = node.source.shape
    split = (n, h, w, node.block, node.block, c // node.block**2)
    return [gather(node, node.source, node.output, lambda x: x.reshape(split).transpose(0, 1, 3, 2, 4, 5))]


def lower_space_to_depth(node: ir.SpaceToDepth) -> list[Step]:
    n, h, w, c = node.output.shape
    split = (n, h, node.block, w, node.block, c // node.block**2)
    return [gather(node, node.source, node.output, lambda x: x.reshape(split).transpose(0, 1, 3, 2, 4, 5))]


def lower_copy(node: ir.Copy) -> list[Step]:
    steps: list[Step] = []
    source = computed(node.source, steps)
    return [*steps, gather(node, source, node.output, lambda x: x)]


def run(context: Context) -> None:
    op = context.op
    strided, dense = ("output", "input") if op["flags"] & OUTPUT_HAS_STRIDES else ("input", "output")
    shape = (*op["shape"], op["run"])
    offsets = np.full(shape, op[strided] + op["at"], np.int64)
    for axis, (n, stride) in enumerate(zip(shape, (*op["strides"], 1), strict=True)):
        offsets += (np.arange(n, dtype=np.int64) * stride).reshape(n, *[1] * (len(shape) - 1 - axis))
    values = context.tensor(shape, dense)
    if strided == "output":
        context.arena[offsets] = values
    else:
        values[:] = context.arena[offsets]


_RUNS = (Elements("shape"), "run")
_TENSORS = (Operand("input", _RUNS), Operand("output", _RUNS))

CHECK = Check(
    "copy",
    (
        parameters(at_most("flags", OUTPUT_HAS_STRIDES), nonzero(product(*_RUNS))),
        # The dense tensor, and how far the strides reach.
        Require("BAD_TENSOR", (Custom("copy_reaches"),)),
    ),
)

DEFINITIONS = (
    Operator(
        11,
        "COPY",
        TENSOR,
        COPY,
        "copy",
        CHECK,
        _TENSORS,
        run,
        any_type=True,
        constants=(Constant("OUTPUT_HAS_STRIDES", OUTPUT_HAS_STRIDES, "flag of COPY; else the input has them"),),
    ),
)
