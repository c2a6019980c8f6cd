"""What the device runs: steps in execution order, before they are laid out in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from ..ir.graph import Graph, Node, Tensor
from . import spec


@dataclass
class Rows:
    """The weights of a convolution and its channel parameters, before they become blocks.

    weights: (out_c, kernel_h, kernel_w, in_c, or 1 if depthwise) int8. bias: (out_c,) int64 that holds int32, with
    the input's zero point folded in. multiplier, shift: (out_c,) int64.
    """

    weights: np.ndarray
    bias: np.ndarray
    multiplier: np.ndarray
    shift: np.ndarray


@dataclass(eq=False)
class Step:
    """One operator record to be. `fields` are those of its layout that plan and blocks do not set.

    `inputs`: the record's input, input2, ... `rows`: of a convolution; other operators may have `blocks`.
    `in_place`: the output may take the memory of an input that nobody reads later.
    `partial`: it writes a part of the output, which a later step completes.
    """

    operator: str
    name: str
    inputs: list[Tensor]
    output: Tensor
    fields: dict[str, Any]
    blocks: list[bytes] = field(default_factory=list)
    rows: Rows | None = None
    in_place: bool = False
    partial: bool = False

    @property
    def record(self) -> dict[str, Any]:
        """The record's fields, but for those that plan and blocks set."""
        # The self-test sums an output when it is whole.
        summed = 0 if self.partial else self.output.bytes
        return {**self.fields, "code": spec.BY_NAME[self.operator].code, "output_bytes": summed}


# From a node to its steps.
Lowering = Callable[[Graph, Node], list[Step]]


@dataclass
class Context:
    """A record to execute with NumPy: its fields, the arena (int8) and the weight section (uint8)."""

    op: dict[str, Any]
    arena: np.ndarray
    weights: np.ndarray

    def tensor(self, shape: tuple[int, ...], offset_field: str = "input", dtype: Any = np.int8) -> np.ndarray:
        """A view of the arena."""
        offset = self.op[offset_field]
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return self.arena[offset : offset + size].view(dtype).reshape(shape)

    def block(self, index: int) -> np.ndarray:
        start = self.op["weights"] + index * self.op["block_bytes"]
        return self.weights[start : start + self.op["block_bytes"]]


def record_shapes(record: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Input and output shape of a record's fields."""
    layout = spec.BY_CODE[record["code"]].layout
    if layout in (spec.WINDOW, spec.WINDOW16):
        return [record[f"in_{a}"] for a in "hwc"], [record[f"out_{a}"] for a in "hwc"]
    if layout is spec.REDUCE:
        return [record["outer"], record["reduce"], record["inner"]], [record["outer"], record["inner"]]
    if layout in (spec.SOFTMAX, spec.NORMALIZE):
        return [record["rows"], record["depth"]], [record["rows"], record["depth"]]
    if layout is spec.PAD:
        return list(record["in_shape"]), list(record["out_shape"])
    if layout is spec.COPY:
        shape = _without_ones([*record["shape"], record["run"]])
        return shape, shape
    if layout is spec.ARITHMETIC:
        return _without_ones(repeated(record["shape"], record["repeat1"])), _without_ones(record["shape"])
    if layout is spec.LSTM:
        order = [record["batch"], record["steps"]][:: -1 if record["flags"] & 2 else 1]
        return [*order, record["depth"]], [*order, record["cells"]]
    if layout is spec.SVDF:
        return [record["batch"], record["depth"]], [record["batch"], record["units"]]
    if layout is spec.RESIZE:
        images = [[record["batch"], record[f"{end}_h"], record[f"{end}_w"], record["in_c"]] for end in ("in", "out")]
        return images[0], images[1]
    if layout is spec.MATMUL:
        batch, rows = record["batch"], record["rows"]
        return [*repeated(batch, record["repeat1"]), rows, record["depth"]], [*batch, rows, record["columns"]]
    return [record["count"]], [record["count"]]


def _without_ones(shape: Sequence[int]) -> list[int]:
    return [n for n in shape if n > 1] or [1]


def repeated(shape: Sequence[int], bits: int) -> list[int]:
    """The shape of an input that ARITHMETIC repeats along the dimensions with a bit."""
    return [1 if bits >> d & 1 else n for d, n in enumerate(shape)]


def macs(record: dict[str, Any]) -> int:
    """Multiply-accumulates of an operator that multiplies by weights or matrices; 0 for others."""
    name = spec.BY_CODE[record["code"]].name.removesuffix("_16")
    if name == "LSTM":
        return record["batch"] * record["steps"] * 4 * record["cells"] * (record["depth"] + record["cells"])
    if name == "SVDF":
        return record["batch"] * record["units"] * record["rank"] * (record["depth"] + record["memory"])
    if name == "BATCH_MATMUL":
        return prod(record_shapes(record)[1]) * record["depth"]
    if name not in ("CONV_2D", "FULLY_CONNECTED", "DEPTHWISE_CONV_2D"):
        return 0
    depth = 1 if name == "DEPTHWISE_CONV_2D" else record["in_c"]
    return prod(record_shapes(record)[1]) * record["kernel_h"] * record["kernel_w"] * depth


# Executes one record as docs/NUMERICS.md says.
Reference = Callable[[Context], None]
