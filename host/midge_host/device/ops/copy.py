"""COPY: operators that move elements and compute nothing. NumPy's views tell where they lie.

TFLM copies without a look at scales, and so does midge; only those of CONCATENATION must be one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...ir.graph import Graph, Node, Tensor
from .. import spec
from ..record import Context, Step
from .constant import computed

DIMS = 5
OUTPUT_HAS_STRIDES = 1


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
    if view.shape != shape:
        raise node.refuse(f"its parameters make {view.shape}, not {shape}", "export the model again")
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


def _constant(node: Node, index: int) -> np.ndarray:
    return node.constant(index, "parameters are", "use constant shapes, positions and axes")


def _cut(axis: int, start: int, stop: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: x[(*[slice(None)] * (axis % x.ndim), slice(start, stop))]


def _item(axis: int, index: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.moveaxis(x, axis, 0)[index, ...]


def _join(node: Node, places: list[Callable[[np.ndarray], np.ndarray]]) -> list[Step]:
    """Steps that put each input at its place in the output."""
    steps: list[Step] = []
    last = len(places) - 1
    for i, (source, place) in enumerate(zip(node.inputs, places, strict=True)):
        steps.append(scatter(node, computed(source, steps), node.outputs[0], place, i < last))
    return steps


def lower_concatenation(graph: Graph, node: Node) -> list[Step]:
    if node.options["activation"] != "NONE":
        raise node.refuse("it has an activation", "put the activation into a layer of its own")
    axis, output = node.options["axis"], node.outputs[0]
    places, start = [], 0
    for source in node.inputs:
        same = np.array_equal(source.scale, output.scale) and np.array_equal(source.zero_point, output.zero_point)
        if not same:
            raise node.refuse("its inputs have other scales than its output", "export the model again")
        places.append(_cut(axis, start, start + source.shape[axis]))
        start += source.shape[axis]
    return _join(node, places)


def lower_pack(graph: Graph, node: Node) -> list[Step]:
    return _join(node, [_item(node.options["axis"], i) for i in range(len(node.inputs))])


def lower_unpack(graph: Graph, node: Node) -> list[Step]:
    axis = node.options["axis"]
    return [gather(node, node.inputs[0], output, _item(axis, i)) for i, output in enumerate(node.outputs)]


def _split(node: Node, source: Tensor, axis: int) -> list[Step]:
    steps, start = [], 0
    for output in node.outputs:
        stop = start + output.shape[axis]
        steps.append(gather(node, source, output, _cut(axis, start, stop)))
        start = stop
    return steps


def lower_split(graph: Graph, node: Node) -> list[Step]:
    return _split(node, node.inputs[1], int(_constant(node, 0)[0]))


def lower_split_v(graph: Graph, node: Node) -> list[Step]:
    return _split(node, node.inputs[0], int(_constant(node, 2)[0]))


def slices(node: Node) -> tuple[slice, ...]:
    """The index that a SLICE is."""
    pairs = zip(_constant(node, 1), _constant(node, 2), strict=True)
    return tuple(slice(int(b), None if n == -1 else int(b + n)) for b, n in pairs)


def lower_slice(graph: Graph, node: Node) -> list[Step]:
    cuts = slices(node)
    return [gather(node, node.inputs[0], node.outputs[0], lambda x: x[cuts])]


def strided_slice(node: Node) -> tuple[Any, ...]:
    """The index that a STRIDED_SLICE is."""
    index: list[Any] = []
    masks = {name: node.options[f"{name}_mask"] for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    for i, (begin, end, stride) in enumerate(zip(*(_constant(node, k) for k in (1, 2, 3)), strict=True)):
        has = {name for name, mask in masks.items() if mask >> i & 1}
        if "ellipsis" in has:
            index.append(Ellipsis)
        elif "new_axis" in has:
            index.append(None)
        elif "shrink_axis" in has:
            index.append(int(begin))
        else:
            index.append(
                slice(*(None if n in has else int(v) for n, v in (("begin", begin), ("end", end))), int(stride))
            )
    return tuple(index) if Ellipsis in index else (*index, Ellipsis)  # a view also where no dimension is left


def lower_strided_slice(graph: Graph, node: Node) -> list[Step]:
    index = strided_slice(node)
    return [gather(node, node.inputs[0], node.outputs[0], lambda x: x[index])]


def lower_transpose(graph: Graph, node: Node) -> list[Step]:
    axes = tuple(int(a) for a in _constant(node, 1))
    return [gather(node, node.inputs[0], node.outputs[0], lambda x: x.transpose(axes))]


def lower_assign(graph: Graph, node: Node) -> list[Step]:
    steps: list[Step] = []
    source = computed(node.inputs[0], steps)
    return [*steps, gather(node, source, node.outputs[0], lambda x: x)]


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
