"""Checks of records in C, from the rules in operators' definitions (device/rules.py)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod

from ..device import rules
from ..device.definition import Operator
from ..device.layout import Layout
from ..device.rules import Check, Choice, Condition, Expr, Rule

WIDTH = 99
UINT32_MAX = (1 << 32) - 1


@dataclass
class Checks:
    """Functions of a bank: their text, their names by check, and the hand-written functions that they call."""

    lines: list[str] = field(default_factory=list)
    names: dict[Check, str] = field(default_factory=dict)
    customs: list[str] = field(default_factory=list)


def check_functions(operators: Sequence[Operator]) -> Checks:
    """Of the operators of one bank: each check once, those that others call first."""
    done = Checks()
    bank = operators[0].bank.name
    for op in operators:
        for check in _all_checks(op.check):
            if check not in done.names:
                users = [other for other in operators if check in _all_checks(other.check)]
                done.names[check] = f"{bank}_{check.name}_check"
                (layout,) = dict.fromkeys(op.layout for op in users)
                done.lines += [*_Printer(done, layout, {op.dtype for op in users}).function(check), ""]
    return done


def check_function(check: Check, layout: Layout) -> list[str]:
    """Of a layout that is no operator's record."""
    done = Checks(names={check: f"midge_{check.name}_check"})
    head, *body = _Printer(done, layout, set()).function(check)
    unused = [] if any("arena_bytes" in line for line in body) else ["    (void)arena_bytes;"]
    return [head, *unused, *body]


def _all_checks(check: Check) -> list[Check]:
    """A check after those that it calls."""
    found = [inner for rule in check.rules if isinstance(rule, Check) for inner in _all_checks(rule)]
    return [*found, check]


class _Printer:
    """Prints a check of a layout, for the operators of some dtypes."""

    def __init__(self, checks: Checks, layout: Layout, dtypes: set[str]):
        self.layout = layout
        self.dtypes = dtypes
        self.checks = checks

    def function(self, check: Check) -> list[str]:
        body = [line for rule in check.rules for line in self.rule(rule)]
        body.append("return MIDGE_OK;")
        name = self.checks.names[check]
        return [
            f"static uint32_t {name}(const void *record, uint32_t arena_bytes) {{",
            f"    const midge_{self.layout.name}_t *op = record;",
            *(f"    {line}" for line in body),
            "}",
        ]

    def rule(self, rule: Rule) -> list[str]:
        if isinstance(rule, Check):
            name = self.checks.names[rule]
            called = f"const uint32_t {rule.name} = {name}(op, arena_bytes);"
            return [called, f"if ({rule.name}) {{", f"    return {rule.name};", "}"]
        if isinstance(rule, rules.Require):
            return self.refusal(rule.reason, rule.conditions)
        if isinstance(rule, rules.Each):
            inner = self.refusal(rule.reason, rule.conditions)
            return [f"for (int i = 0; i < {rule.count}; i++) {{", *_indent(inner), "}"] if inner else []
        then = [line for inner in rule.then for line in self.rule(inner)]
        otherwise = [line for inner in rule.otherwise for line in self.rule(inner)]
        out = [f"if ({self.holds(rule.condition)}) {{", *_indent(then)]
        return [*out, *(["} else {", *_indent(otherwise)] if otherwise else []), "}"]

    def refusal(self, reason: str, conditions: Iterable[Condition]) -> list[str]:
        """Returns the reason if a condition does not hold."""
        broken = [text for condition in conditions for text in self.breaks(condition)]
        if not broken:
            return []
        return [*_condition(broken), f"    return MIDGE_{reason};", "}"]

    def breaks(self, condition: Condition) -> list[str]:
        """Conditions of which a record that breaks the rule meets one; none if no record can."""
        if isinstance(condition, rules.NonZero):
            return [f"{self.value(value)} == 0" for value in condition.values]
        if isinstance(condition, rules.Compare):
            low, high = self.bounds(condition.left)
            limit_low, limit_high = self.bounds(condition.right)
            if (condition.sign == "<=" and high <= limit_low) or (condition.sign == ">=" and low >= limit_high):
                return []
            sign = {"<=": ">", ">=": "<", "==": "!="}[condition.sign]
            left, right = self.value(condition.left), self.value(condition.right)
            if isinstance(condition.right, rules.Sum) and "(uint32_t)" in left and "(uint32_t)" not in right:
                right = f"(uint32_t){right}"
            return [f"{left} {sign} {right}"]
        if isinstance(condition, rules.Between):
            at_least = rules.Compare(condition.value, ">=", condition.low)
            return self.breaks(at_least) + self.breaks(rules.Compare(condition.value, "<=", condition.high))
        if isinstance(condition, rules.OneOf):
            value = self.value(condition.value)
            return [f"({' && '.join(f'{value} != {choice}' for choice in condition.choices)})"]
        if isinstance(condition, rules.MultipleOf):
            value, unit = self.value(condition.value), self.value(condition.unit)
            return [f"midge_divide({value}, {unit}) * {unit} != {value}"]
        if isinstance(condition, rules.IsRescale):
            return [f"!midge_is_rescale({self.value(condition.multiplier)}, {self.value(condition.shift)})"]
        if isinstance(condition, rules.Aligned):
            alignment = self.folded(condition.unit)
            if alignment == 1:
                return []
            fields = " | ".join(f"op->{name}" for name in condition.fields)
            fields = f"({fields})" if len(condition.fields) > 1 else fields
            mask = str(alignment - 1) if isinstance(alignment, int) else f"({self.value(alignment)} - 1)"
            return [f"({fields} & {mask})"]
        if isinstance(condition, rules.Fits):
            return [f"!midge_fits(op->{condition.field}, {self.value(condition.bytes)}, arena_bytes)"]
        if isinstance(condition, rules.Holds):
            head = self.value(condition.head)
            if condition.rest == 0:
                return [f"op->block_bytes < {head}"]
            return [f"!midge_fits({head}, {self.value(condition.rest)}, op->block_bytes)"]
        if isinstance(condition, rules.Custom):
            if condition.name not in self.checks.customs:
                self.checks.customs.append(condition.name)
            return [f"!midge_{condition.name}(op, arena_bytes)"]
        return [f"!({self.holds(condition)})"]

    def holds(self, condition: Condition) -> str:
        """The C expression of a condition on a record."""
        if isinstance(condition, rules.HasFlag):
            return f"op->flags & {condition.bit}"
        if isinstance(condition, rules.HasCode):
            return f"op->code == MIDGE_{condition.name}"
        if isinstance(condition, rules.IsWide):
            return "op->types == MIDGE_DTYPE_INT16"
        if isinstance(condition, rules.NonZero):
            return " && ".join(f"{self.value(value)} != 0" for value in condition.values)
        return f"!({' || '.join(self.breaks(condition))})"

    def folded(self, expr: Expr) -> Expr:
        """The same without a choice that the types of all users make."""
        if isinstance(expr, Choice):
            if isinstance(expr.when, rules.IsWide) and len(self.dtypes) == 1:
                return self.folded(expr.otherwise if self.dtypes == {"int8"} else expr.then)
            return Choice(expr.when, self.folded(expr.then), self.folded(expr.otherwise))
        if isinstance(expr, rules.Product):
            return rules.product(*map(self.folded, expr.factors))
        return expr

    def value(self, expr: Expr) -> str:
        expr = self.folded(expr)
        if isinstance(expr, int):
            return str(expr)
        if isinstance(expr, str):
            return f"op->{expr}"
        if isinstance(expr, rules.Item):
            return f"op->{expr.field}[i]"
        if isinstance(expr, rules.Elements):
            count = next(int(f.code[:-1]) for f in self.layout.fields if f.name == expr.field)
            return f"midge_elements(op->{expr.field}, {count}, {f'op->{expr.repeat}' if expr.repeat else 0})"
        if isinstance(expr, rules.Sum):
            return f"({' + '.join(map(self.value, expr.terms))})"
        if isinstance(expr, rules.Ceil):
            return f"(({self.value(expr.value)} + {expr.unit - 1}) / {expr.unit})"
        if isinstance(expr, Choice):
            return f"({self.holds(expr.when)} ? {self.value(expr.then)} : {self.value(expr.otherwise)})"
        return self.product(expr)

    def product(self, expr: rules.Product) -> str:
        """With midge_times, which ends at UINT32_MAX, for what may be more than 32 bits."""
        text, most = "", 1
        for factor in expr.factors:
            value, largest = self.value(factor), self.bounds(factor)[1]
            if not text:
                text = value
            elif most * largest <= UINT32_MAX:
                text = f"{'' if '(uint32_t)' in text else '(uint32_t)'}{text} * {value}"
            else:
                text = f"midge_times({text}, {value})"
            most = min(most * largest, UINT32_MAX)
        return text

    def bounds(self, expr: Expr) -> tuple[int, int]:
        """The least and the most that an expression can be."""
        expr = self.folded(expr)
        if isinstance(expr, (str, rules.Item)):
            name = expr if isinstance(expr, str) else expr.field
            code = next(f for f in self.layout.fields if f.name == name).code[-1]
            return (-rules.LIMITS[code] - 1 if code.islower() else 0, rules.LIMITS[code])
        if isinstance(expr, int):
            return expr, expr
        if isinstance(expr, Choice):
            pairs = [self.bounds(expr.then), self.bounds(expr.otherwise)]
            return min(low for low, _ in pairs), max(high for _, high in pairs)
        if isinstance(expr, rules.Product):
            return 0, prod(self.bounds(factor)[1] for factor in expr.factors)
        return 0, rules.largest(expr, self.layout)


def _condition(alternatives: Iterable[str]) -> list[str]:
    """`if (one || another) {` on lines that are not too long: rather before than within an alternative."""
    lines: list[str] = []
    for text in alternatives:
        text = f"|| {text}" if lines else f"if ({text}"
        if lines and len(lines[-1]) + 1 + len(text) <= WIDTH - 8:
            lines[-1] += f" {text}"
        else:
            indent = "    " if lines else ""
            lines += textwrap.wrap(text, WIDTH - 8, initial_indent=indent, subsequent_indent="        ")
    return [*lines[:-1], f"{lines[-1]}) {{"]


def _indent(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]
