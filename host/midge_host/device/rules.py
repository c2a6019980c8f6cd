"""The rules that a record must obey before a kernel may trust it, as data.

They are written once, in an operator's definition. generate/c_header.py prints them as C, generate/device_lib.py as
Python: both say no to the same records, for the same reason. The first rule that a record breaks gives the reason.

An expression is a number, the name of a record's field, or one of the classes below. All are whole numbers and, but
for fields that have a sign, not negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from .layout import Layout

LIMITS = {"B": 255, "H": 65535, "I": 2**32 - 1, "b": 127, "h": 32767, "i": 2**31 - 1}  # of a field, by its type code


@dataclass(frozen=True)
class Product:
    """Factors; UINT32_MAX in C when it is more, so that no memory holds it."""

    factors: tuple[Expr, ...]


@dataclass(frozen=True)
class Sum:
    """Terms that stay below 2^32, whatever a record says."""

    terms: tuple[Expr, ...]


@dataclass(frozen=True)
class Ceil:
    """value / unit, rounded up."""

    value: Expr
    unit: int


@dataclass(frozen=True)
class Elements:
    """The product of an array field's dimensions, without those that have a bit in the field `repeat`."""

    field: str
    repeat: str = ""


@dataclass(frozen=True)
class Item:
    """The element of an array field that `Each` is at."""

    field: str


@dataclass(frozen=True)
class Choice:
    """One of two expressions."""

    when: HasFlag | HasCode | IsWide
    then: Expr
    otherwise: Expr


Expr = int | str | Product | Sum | Ceil | Elements | Item | Choice


@dataclass(frozen=True)
class HasFlag:
    """A bit in the record's `flags`."""

    bit: int


@dataclass(frozen=True)
class HasCode:
    """The record's operator, where several share a check."""

    code: int
    name: str


@dataclass(frozen=True)
class IsWide:
    """The record's activations are int16, not int8."""


@dataclass(frozen=True)
class NonZero:
    """None of the values is 0."""

    values: tuple[Expr, ...]


@dataclass(frozen=True)
class Compare:
    """left sign right; the sign is <=, ==, or >=. Where a field has a sign, so have both sides."""

    left: Expr
    sign: str
    right: Expr


@dataclass(frozen=True)
class Between:
    """low <= value <= high"""

    value: Expr
    low: Expr
    high: Expr


@dataclass(frozen=True)
class OneOf:
    """The value is one of these."""

    value: Expr
    choices: tuple[int, ...]


@dataclass(frozen=True)
class MultipleOf:
    """value is a multiple of unit, which is not 0."""

    value: Expr
    unit: Expr


@dataclass(frozen=True)
class IsRescale:
    """A multiplier and a shift that NUMERICS.md's rescale takes: from 0 on, and -31 to 30."""

    multiplier: Expr
    shift: Expr


@dataclass(frozen=True)
class Aligned:
    """Arena offsets that are multiples of `unit`, a power of two."""

    fields: tuple[str, ...]
    unit: Expr


@dataclass(frozen=True)
class Fits:
    """`bytes` bytes from the offset in `field` lie within the arena."""

    field: str
    bytes: Expr


@dataclass(frozen=True)
class Holds:
    """A weight block has room for `head` bytes and `rest` bytes behind them."""

    head: Expr
    rest: Expr = 0


@dataclass(frozen=True)
class Custom:
    """A check beyond the rules: a function of that name in C and in Python, of the record and the arena's bytes."""

    name: str


Condition = (
    HasFlag
    | HasCode
    | IsWide
    | NonZero
    | Compare
    | Between
    | OneOf
    | MultipleOf
    | IsRescale
    | Aligned
    | Fits
    | Holds
    | Custom
)


@dataclass(frozen=True)
class Require:
    """All conditions hold, or the record is refused for this reason (a name of spec.REASONS)."""

    reason: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class When:
    """Rules for records of which a condition is true, and for the others."""

    condition: Condition
    then: tuple[Rule, ...]
    otherwise: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Each:
    """Conditions on every `Item` of array fields of `count` elements."""

    count: int
    reason: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Check:
    """Rules in order, one function in C and in Python. Within another check's rules: a call of that function."""

    name: str
    rules: tuple[Rule, ...]


Rule = Require | When | Each | Check

WIDE = IsWide()
UNIT = Choice(WIDE, 2, 1)  # bytes of an activation


def product(*factors: Expr) -> Expr:
    rest = tuple(f for f in factors if f != 1)
    return rest[0] if len(rest) == 1 else Product(rest) if rest else 1


def total(*terms: Expr) -> Sum:
    return Sum(terms)


def nonzero(*values: Expr) -> NonZero:
    return NonZero(values)


def at_most(value: Expr, limit: Expr) -> Compare:
    return Compare(value, "<=", limit)


def at_least(value: Expr, limit: Expr) -> Compare:
    return Compare(value, ">=", limit)


def equal(left: Expr, right: Expr) -> Compare:
    return Compare(left, "==", right)


def aligned(unit: Expr, *fields: str) -> Aligned:
    return Aligned(fields, unit)


def parameters(*conditions: Condition) -> Require:
    return Require("BAD_PARAMETER", conditions)


def weights(*conditions: Condition) -> Require:
    return Require("BAD_WEIGHTS", conditions)


def largest(expr: Expr, layout: Layout) -> int:
    """The most that an expression can be, if products do not end at UINT32_MAX: C needs no care below that."""
    if isinstance(expr, int):
        return expr
    if isinstance(expr, (str, Item)):
        name = expr if isinstance(expr, str) else expr.field
        return LIMITS[next(f for f in layout.fields if f.name == name).code[-1]]
    if isinstance(expr, Product):
        return prod(largest(e, layout) for e in expr.factors)
    if isinstance(expr, Sum):
        return sum(largest(e, layout) for e in expr.terms)
    if isinstance(expr, Ceil):
        return -(-largest(expr.value, layout) // expr.unit)
    if isinstance(expr, Elements):
        field = next(f for f in layout.fields if f.name == expr.field)
        return LIMITS[field.code[-1]] ** int(field.code[:-1])
    return max(largest(expr.then, layout), largest(expr.otherwise, layout))


def is_true(condition: HasFlag | HasCode | IsWide, record: dict[str, Any]) -> bool:
    """Of a record's fields."""
    if isinstance(condition, HasFlag):
        return bool(record["flags"] & condition.bit)
    if isinstance(condition, HasCode):
        return bool(record["code"] == condition.code)
    return record["types"] & 15 != 1


def dimensions(expr: Expr, record: dict[str, Any]) -> list[int]:
    """One number; of `Elements`, its dimensions, without unused ones in front."""
    if not isinstance(expr, Elements):
        return [evaluate(expr, record)]
    bits = record[expr.repeat] if expr.repeat else 0
    dims = [1 if bits >> i & 1 else n for i, n in enumerate(record[expr.field])]
    used = next((i for i, n in enumerate(record[expr.field]) if n != 1), len(dims))
    return dims[used:]


def evaluate(expr: Expr, record: dict[str, Any]) -> int:
    """Of a record's fields. Exact: products do not end at UINT32_MAX."""
    if isinstance(expr, int):
        return expr
    if isinstance(expr, str):
        return int(record[expr])
    if isinstance(expr, Product):
        return prod(evaluate(e, record) for e in expr.factors)
    if isinstance(expr, Sum):
        return sum(evaluate(e, record) for e in expr.terms)
    if isinstance(expr, Ceil):
        return -(-evaluate(expr.value, record) // expr.unit)
    if isinstance(expr, Elements):
        return prod(dimensions(expr, record))
    if isinstance(expr, Choice):
        return evaluate(expr.then if is_true(expr.when, record) else expr.otherwise, record)
    raise TypeError(f"{expr} has no value outside of Each")
