"""The program of a device: steps in execution order, before they are laid out in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..ir.graph import Tensor
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
    `dtype`: of the activations, which chooses among an operator's definitions.
    `partial`: it writes a part of the output, which a later step completes.
    """

    operator: str
    name: str
    inputs: list[Tensor]
    output: Tensor
    fields: dict[str, Any]
    blocks: list[bytes] = field(default_factory=list)
    rows: Rows | None = None
    partial: bool = False
    dtype: str = "int8"


# From a node, of the class that the lowering is for, to its steps.
Lowering = Callable[[Any], list[Step]]


@dataclass
class Context:
    """A record to execute with NumPy: its fields, the arena (int8) and the weight section (uint8)."""

    op: dict[str, Any]
    arena: np.ndarray
    weights: np.ndarray

    @property
    def dtype(self) -> np.dtype:
        """Of the activations."""
        return np.dtype(spec.DTYPES[self.op["types"] & 15])

    def tensor(self, shape: tuple[int, ...], offset_field: str = "input", dtype: Any = np.int8) -> np.ndarray:
        """A view of the arena."""
        offset = self.op[offset_field]
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return self.arena[offset : offset + size].view(dtype).reshape(shape)

    def block(self, index: int) -> np.ndarray:
        start = self.op["weights"] + index * self.op["block_bytes"]
        return self.weights[start : start + self.op["block_bytes"]]


def repeated(shape: Sequence[int], bits: int) -> tuple[int, ...]:
    """The shape of an input that is repeated along the dimensions with a bit."""
    return tuple(1 if bits >> d & 1 else n for d, n in enumerate(shape))
