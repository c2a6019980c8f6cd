"""The definition of an operator of the device: checks, tables and limits are generated from it.

Its record, which rules it must obey, where its tensors lie, how much it computes. Only what it does is written by
hand: `run` in NumPy, and a function of the name `kernel` in C (midge_NAME) and in the device library (_NAME).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import rules, spec
from .banks import Bank
from .layout import Layout
from .rules import Check, Expr

# Small fields stand first in a record: the load and store instructions of small cores reach them without detours.
HEAD_FIELDS = [
    ("B", "code", "operator code"),
    ("B", "bank", "number of the native module that has it"),
    ("B", "types", "low four bits: type of activations, 1 int8, 4 int16; high four bits: of weights, 0 int8"),
    ("B", "flags", "the operator's own; 128: the output lies over the input"),
    ("H", "blocks", "number of weight blocks; 0 for an operator without weights"),
]
TAIL_FIELDS = [
    ("I", "input", "arena offset of the input"),
    ("I", "output", "arena offset of the output"),
    ("I", "output_bytes", "its length: what the self-test sums; kernels work from the fields above"),
    ("I", "weights", "offset of the first weight block in the weight section"),
    ("I", "block_bytes", "bytes of a weight block"),
    ("I", "scratch", "arena offset of memory that the operator may overwrite while it runs"),
    ("I", "scratch_bytes", "its length; tuned kernels need some, the plain core none"),
]


def _size(fields: list[tuple[str, str, str]]) -> int:
    return struct.calcsize("<" + "".join(f[0] for f in fields))


FIELDS_BYTES = spec.RECORD_BYTES - _size(HEAD_FIELDS) - _size(TAIL_FIELDS)


def record(name: str, text: str, fields: list[tuple[str, str, str]]) -> Layout:
    """A record's layout. Words stand at the end of the operator's fields, where they are aligned."""
    spare = FIELDS_BYTES - _size(fields)
    words = next((i for i, f in enumerate(fields) if f[0][-1] in "iI"), len(fields))
    gap = [(f"{spare}s", "spare", "0")] if spare else []
    return Layout(name, text, [*HEAD_FIELDS, *fields[:words], *gap, *fields[words:], *TAIL_FIELDS])


HEAD = record("head", "The fields that records have in common.", [(f"{FIELDS_BYTES}s", "fields", "of the operator")])


@dataclass(frozen=True)
class Operand:
    """A tensor in the arena: the record's field with its offset, its dimensions and the bytes of an element."""

    field: str
    shape: tuple[Expr, ...]
    unit: Expr = 1

    @property
    def bytes(self) -> Expr:
        return rules.product(*self.shape, self.unit)


def fit(*operands: Operand) -> rules.Require:
    """The rule that tensors lie within the arena."""
    return rules.Require("BAD_TENSOR", tuple(rules.Fits(t.field, t.bytes) for t in operands))


@dataclass(frozen=True)
class Constant:
    """A number that kernels in C and Python know by the same name: a flag, or bytes of a weight block's part."""

    name: str
    value: int
    text: str


@dataclass(frozen=True)
class Operator:
    """An operator of the device for one type of activations."""

    code: int
    name: str
    bank: Bank
    layout: Layout
    kernel: str
    check: Check
    operands: tuple[Operand, ...]
    run: Callable[[Any], None]  # of a record.Context
    dtype: str = "int8"  # of activations
    has_blocks: bool = False  # may have weight blocks
    by_rows: bool = False  # several cores can share the rows of its output
    elementwise: bool = False  # of several inputs, each of the output's shape or repeated to it
    any_type: bool = False  # moves elements of whatever type, as bytes
    in_place: bool = False  # the output may take the memory of an input of its size
    # A channel of the output depends on the same channel of its one input only. (That of ADD depends on those of two,
    # which would have to be dead both: MLPerf Tiny's ResNet gains nothing by it.)
    channelwise: bool = False
    macs: Expr = 0  # multiply-accumulates
    parameters: Expr = 0  # bytes of weights and biases as a .tflite file holds them
    constants: tuple[Constant, ...] = ()

    @property
    def types(self) -> int:
        """The record's field: the weights of all are int8."""
        return next(code for code, name in spec.DTYPES.items() if name == self.dtype)

    def shape(self, field: str, record: dict[str, Any]) -> list[int]:
        """Dimensions of the tensor whose offset is in `field`."""
        operand = next((o for o in self.operands if o.field == field), self.operands[-1])
        return [n for expr in operand.shape for n in rules.dimensions(expr, record)] or [1]
