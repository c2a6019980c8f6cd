"""GATHER and MIRROR_PAD: operators that take elements along an axis by their indices.

Constant indices in equal steps are a COPY, others tables of rows and columns, as `resize` has them for the nearest
pixels. The device operator GATHER is for indices that the model computes; what it takes from may be its weights.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from ...ir import operators as ir
from ...ir.graph import Node, Tensor
from .. import rules, spec
from ..banks import MATH
from ..definition import Constant, Operand, Operator, fit, record
from ..record import Context, Step
from ..rules import Check, Choice, HasFlag, Holds, When, aligned, at_least, at_most, equal, nonzero, parameters, product
from . import copy, resize
from .constant import computed

TABLE = 1

GATHER = record(
    "gather",
    "Takes elements along the middle dimension of [outer, size, inner], by indices of int32; any other index counts as "
    "that of the last. Works on bytes: types is int8 for every tensor. flags 1: it takes them from its weight blocks, "
    "with outer 1.",
    [
        ("H", "outer", "what lies before the dimension"),
        ("H", "size", "how many elements there are"),
        ("H", "inner", "bytes of an element"),
        ("H", "block_rows", "elements in a weight block, of which the last may be longer than needed"),
        ("I", "count", "indices"),
        ("I", "input2", "arena offset of what it takes from"),
    ],
)


def lower(node: ir.Gather) -> list[Step]:
    shape = node.source.shape
    batch, outer = prod(shape[: node.batch_dims]), prod(shape[node.batch_dims : node.axis])
    size, inner = shape[node.axis], prod(shape[node.axis + 1 :])
    if node.indexes.data is None:
        if batch > 1:
            raise node.refuse("its indices are computed by the model, others for each batch", "use batch size 1")
        return _look_up(node, (outer, size, inner))
    steps: list[Step] = []
    source = computed(node.source, steps)
    table = node.indexes.data.astype(np.int64).reshape(batch, 1, -1)
    if batch > 1:  # indices of its own for each batch: one table of all rows before the axis
        table = table + size * np.arange(batch * outer).reshape(batch, outer, 1)
        outer, size = 1, batch * outer * size
    return [*steps, _take(node, source, node.output, (outer, size, inner), table.reshape(-1))]


def _look_up(node: ir.Gather, shape: tuple[int, int, int]) -> list[Step]:
    """GATHER by computed indices, of `source` seen in `shape`."""
    source, indexes, output = node.source, node.indexes, node.output
    if source.dtype != output.dtype or source.dtype not in spec.ELEMENT_BYTES or indexes.dtype != "int32":
        made = f"{output.dtype} of {source.dtype} by {indexes.dtype}"
        raise node.refuse(f"it makes {made}", "export the model again, quantised to int8, with indices of int32")
    outer, size, inner = shape[0], shape[1], shape[2] * spec.ELEMENT_BYTES[source.dtype]
    if max(outer, size, inner) > spec.MAX_DIM:
        raise node.refuse(f"it takes from {outer} x {size} x {inner} bytes, the limit is {spec.MAX_DIM}", "split it")
    fields = {"outer": outer, "size": size, "inner": inner, "count": indexes.size, "block_rows": 0}
    steps: list[Step] = []
    if source.data is None or outer > 1:
        inputs = [indexes, computed(source, steps)]
        return [*steps, Step("GATHER", node.name, inputs, output, {**fields, "flags": 0})]
    rows = min(max(spec.BLOCK_TARGET_BYTES // inner, 1), size)
    raw = source.data.tobytes()
    blocks = [raw[at : at + rows * inner] for at in range(0, len(raw), rows * inner)]
    length = spec.align(rows * inner, spec.BLOCK_ALIGNMENT)
    blocks = [block.ljust(length, b"\0") for block in blocks]
    fields |= {"block_rows": rows, "flags": TABLE, "input2": 0}
    return [Step("GATHER", node.name, [indexes], output, fields, blocks)]


def _take(node: Node, source: Tensor, output: Tensor, shape: tuple[int, int, int], table: np.ndarray) -> Step:
    """The step that takes the elements `table` along the middle axis of `source`, seen in `shape`."""
    step = int(table[1] - table[0]) if len(table) > 1 else 0
    if np.all(np.diff(table) == step):

        def select(x: np.ndarray) -> np.ndarray:
            first = x.reshape(shape)[:, table[0] :]
            strides = (first.strides[0], step * first.strides[1], first.strides[2])
            return np.lib.stride_tricks.as_strided(first, (shape[0], len(table), shape[2]), strides)

        return copy.gather(node, source, output, select)
    outer, size, inner = shape
    return resize.take(node, source, output, (outer, 1, size, inner), np.zeros(1, np.int64), table)


def lower_mirror_pad(node: ir.MirrorPad) -> list[Step]:
    """Two neighbouring axes at a time."""
    source, output = node.source, node.output
    tables = {axis: _mirrored(source.shape[axis], pair, node) for axis, pair in enumerate(node.paddings) if any(pair)}
    if not tables:
        return [copy.gather(node, source, output, lambda x: x)]
    steps: list[Step] = []
    while tables:
        axis = min(tables)
        rows, columns = tables.pop(axis), tables.pop(axis + 1, None)
        shape = list(source.shape)
        before, behind, size = prod(shape[:axis]), prod(shape[axis + 1 :]), shape[axis]
        shape[axis] = len(rows)
        if columns is None:
            image, rows, columns = (before, 1, size, behind), np.zeros(1, np.int64), rows
        else:
            image = (before, size, shape[axis + 1], behind // shape[axis + 1])
            shape[axis + 1] = len(columns)
        made = replace(source, name=f"{output.name}_{axis}", shape=tuple(shape)) if tables else output
        steps.append(resize.take(node, source, made, image, rows, columns))
        source = made
    return steps


def _mirrored(size: int, padding: ir.Pair, node: ir.MirrorPad) -> np.ndarray:
    places = np.arange(size)
    return np.pad(places, padding, "reflect") if node.reflect else np.pad(places, padding, "symmetric")


def run(context: Context) -> None:
    op = context.op
    outer, size, inner = op["outer"], op["size"], op["inner"]
    if op["flags"] & TABLE:
        blocks = [context.block(i)[: op["block_rows"] * inner] for i in range(op["blocks"])]
        source = np.concatenate(blocks)[: size * inner].view(np.int8).reshape(1, size, inner)
    else:
        source = context.tensor((outer, size, inner), "input2")
    indexes = context.tensor((op["count"],), "input", np.uint32).astype(np.int64)
    context.tensor((outer, op["count"], inner), "output")[:] = source[:, np.minimum(indexes, size - 1)]


_HAS_TABLE = HasFlag(TABLE)
_TENSORS = (
    Operand("input", ("count",), 4),
    Operand("input2", (Choice(_HAS_TABLE, 0, "outer"), "size", "inner")),
    Operand("output", ("outer", "count", "inner")),
)

CHECK = Check(
    "gather",
    (
        parameters(at_most("flags", TABLE), nonzero("outer", "size", "inner"), aligned(4, "input")),
        When(
            _HAS_TABLE,
            (
                parameters(equal("outer", 1), nonzero("block_rows")),
                rules.weights(at_least(product("blocks", "block_rows"), "size"), Holds(product("block_rows", "inner"))),
            ),
        ),
        fit(*_TENSORS),
    ),
)

DEFINITIONS = (
    Operator(
        30,
        "GATHER",
        MATH,
        GATHER,
        "gather",
        CHECK,
        _TENSORS,
        run,
        has_blocks=True,
        constants=(Constant("GATHER_TABLE", TABLE, "flag of GATHER: it takes from its weight blocks"),),
    ),
)
