"""The operators of the device, and what their definitions say of a step or a record."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from . import ops, rules
from .definition import Operator
from .layout import Layout
from .record import Step

# Those modules of ops/ that define an operator, not only how others become one.
_MODULES = [import_module(f"{ops.__name__}.{module.name}") for module in iter_modules(ops.__path__)]

OPERATORS: list[Operator] = sorted(
    (op for module in _MODULES for op in getattr(module, "DEFINITIONS", ())),
    key=lambda op: (op.bank.number, op.code, op.types),
)
BY_TYPES = {(op.code, op.types): op for op in OPERATORS}
BY_NAME = {(op.name, op.dtype): op for op in OPERATORS}
NAMES = {op.name: op.code for op in OPERATORS}
LAYOUTS: list[Layout] = list(dict.fromkeys(op.layout for op in OPERATORS))


def of_step(step: Step) -> Operator:
    return BY_NAME[step.operator, step.dtype]


def of_record(record: dict[str, Any]) -> Operator:
    """Of a record's fields."""
    return BY_TYPES[record["code"], record["types"]]


def of_bytes(raw: bytes) -> Operator | None:
    """Of a record as a file holds it; None for one that this midge does not know."""
    return BY_TYPES.get((raw[0], raw[2]))


def fields(step: Step) -> dict[str, Any]:
    """The fields of a step's record, but for those that plan and blocks set."""
    operator = of_step(step)
    # The self-test sums an output when it is whole.
    summed = 0 if step.partial else step.output.bytes
    head = {"code": operator.code, "bank": operator.bank.number, "types": operator.types}
    return {"flags": 0, **step.fields, **head, "output_bytes": summed}


def record_shapes(record: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Input and output shape of a record's fields."""
    operator = of_record(record)
    return operator.shape("input", record), operator.shape("output", record)


def macs(record: dict[str, Any]) -> int:
    """Multiply-accumulates of an operator that multiplies by weights or matrices; 0 for others."""
    return rules.evaluate(of_record(record).macs, record)


def parameter_bytes(record: dict[str, Any]) -> int:
    """A record's weights as int8 and biases as int32 (int64 beside int16), as a .tflite file holds them."""
    return rules.evaluate(of_record(record).parameters, record)
