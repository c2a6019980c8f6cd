"""Writes the `generated:` parts of the portable kernels: names, checks and tables from the definitions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from ..device import detection, rules, spec
from ..device.banks import CORE, Bank
from ..device.definition import HEAD, HEAD_FIELDS, TAIL_FIELDS, Operator
from ..device.layout import Layout
from ..device.registry import OPERATORS
from ..device.rules import Check, Condition, Expr, Rule
from .device_lib import consts

WIDTH = 120
OPPOSITES = {"<=": ">", "==": "!=", ">=": "<"}


def sections(bank: Bank, path: Path) -> dict[str, Callable[[], str]]:
    """The generated parts of a bank's portable module."""
    operators = [op for op in OPERATORS if op.bank is bank]
    checks = _checks(operators)

    def records() -> str:
        return _numbers(operators, path, checks) + "".join(_format(layout) for layout in _layouts(bank, operators))

    return {"records": records, "checks": lambda: checks, "kernels": lambda: _kernels(operators)}


def numbers(bank: Bank, path: Path) -> str:
    """What another module with kernels of a bank names."""
    return _numbers([op for op in OPERATORS if op.bank is bank], path)


def _numbers(operators: list[Operator], path: Path, checks: str = "") -> str:
    written = re.sub(r"(?s)# generated: .*?# generated: end", "", path.read_text())
    used = set(re.findall(r"\b_[A-Z][A-Z0-9_]*\b", written + checks))
    return consts(pair for pair in _names(operators) if f"_{pair[0]}" in used)


def detection_checks() -> str:
    """What the portable twin of midge_detect knows of heads, and its checks of what a file says of them."""
    reasons = {name: code for code, (name, _) in enumerate(spec.REASONS, 1)}
    facts = [(name, reasons[name]) for name in ("BAD_TENSOR", "BAD_PARAMETER")]
    facts += [(name.upper(), number) for name, number in spec.DETECT_MODES.items() if name != "suppress"]
    text = consts([*facts, ("TABLE", spec.DETECT_TABLE)])
    for layout in spec.DETECT_LAYOUTS:
        title = layout.name.upper()
        text += consts([(f"{title}_BYTES", layout.size)]) + f'_{title}_LAYOUT = "{layout.struct.format}"\n'
        if layout is not spec.ANCHOR:
            names = enumerate(field.name for field in layout.fields)
            text += consts((f"{title}_{name}".upper(), i) for i, name in names if name != "reserved")
    functions = [_function(check, layout) for check, layout in detection.CHECKS.items()]
    return text + "\n\n# fmt: off\n" + "\n\n".join(functions) + "# fmt: on\n"


def _layouts(bank: Bank, operators: list[Operator]) -> list[Layout]:
    return list(dict.fromkeys([*([HEAD] if bank is CORE else []), *(op.layout for op in operators)]))


def _format(layout: Layout) -> str:
    """The `struct` format of a record, without what nobody reads."""
    code = layout.struct.format.replace("s", "x")
    return f'_{layout.name.upper()}_LAYOUT = "{code}"\n'


def _names(operators: list[Operator]) -> Iterator[tuple[str, int]]:
    """Every number that kernels and checks may name."""
    yield "RECORD", spec.RECORD_BYTES
    yield "BLOCK_ALIGNMENT", spec.BLOCK_ALIGNMENT
    yield "OVERLAPS", spec.OVERLAPS
    yield "TOGETHER", spec.TOGETHER
    for code, (name, _) in enumerate(spec.REASONS, 1):
        yield name, code
    yield from {op.name: op.code for op in operators}.items()
    yield from {c.name: c.value for op in operators for c in op.constants}.items()
    yield "ELEMENT_AT", spec.TENSOR.offsets["element"]
    yield "FLAGS_AT", spec.TENSOR.offsets["flags"]
    yield "TAKES_NAN", spec.TAKES_NAN
    yield "DTYPE_INT16", next(code for code, name in spec.DTYPES.items() if name == "int16")
    for i, (_, name, _) in enumerate(HEAD_FIELDS):
        yield name.upper(), i
    for i, (_, name, _) in enumerate(TAIL_FIELDS, -len(TAIL_FIELDS)):
        yield name.upper(), i
    common = {name for _, name, _ in HEAD_FIELDS + TAIL_FIELDS}
    for layout in dict.fromkeys(op.layout for op in operators):
        at = 0
        for field in layout.fields:
            if field.code[-1] != "s":
                if field.name not in common:
                    yield f"{layout.name}_{field.name}".upper(), at
                at += int(field.code[:-1] or 1)


def _kernels(operators: list[Operator]) -> str:
    """By code, bank and types of a record: its layout, check and kernel, whether it may have weight blocks, and where
    the sizes of a window are whose rows can be split."""
    lines = ["_KERNELS = {"]
    for op in operators:
        key = op.code | op.bank.number << 8 | op.types << 16
        name = op.layout.name.upper()
        sizes = f"_{name}_IN_H" if op.by_rows else "0"
        row = f"(_{name}_LAYOUT, _check_{op.check.name}, _{op.kernel}, {op.has_blocks}, {sizes})"
        lines.append(f"    0x{key:06X}: {row},  # {op.name}, {op.dtype}")
    return "\n".join([*lines, "}"]) + "\n"


def _checks(operators: list[Operator]) -> str:
    """A function for each check, those that others call first."""
    functions: dict[str, str] = {}
    for op in operators:
        for check in _nested(op.check):
            functions[check.name] = _function(check, op.layout)
    return "# fmt: off\n" + "\n\n".join(functions.values()) + "# fmt: on\n"


def _nested(check: Check) -> Iterator[Check]:
    for rule in check.rules:
        if isinstance(rule, Check):
            yield from _nested(rule)
    yield check


def _function(check: Check, layout: Layout) -> str:
    writer = _Writer(layout)
    lines = [f"def _check_{check.name}(op, arena_bytes):"]
    for rule in check.rules:
        lines += writer.rule(rule, "    ")
    return "\n".join([*lines, "    return _OK", ""])


class _Writer:
    """Prints rules on a record of a layout as Python."""

    def __init__(self, layout: Layout):
        self.layout = layout

    def rule(self, rule: Rule, indent: str) -> list[str]:
        if isinstance(rule, Check):
            call = f"{indent}reason = _check_{rule.name}(op, arena_bytes)"
            return [call, f"{indent}if reason:", f"{indent}    return reason"]
        if isinstance(rule, rules.Require):
            return self.refusal(rule.conditions, rule.reason, indent)
        if isinstance(rule, rules.Each):
            inner = self.refusal(rule.conditions, rule.reason, indent + "    ")
            return [f"{indent}for i in range({rule.count}):", *inner]
        lines = [f"{indent}if {self.condition(rule.condition)}:"]
        for inner_rule in rule.then:
            lines += self.rule(inner_rule, indent + "    ")
        if rule.otherwise:
            lines.append(f"{indent}else:")
            for inner_rule in rule.otherwise:
                lines += self.rule(inner_rule, indent + "    ")
        return lines

    def refusal(self, conditions: tuple[Condition, ...], reason: str, indent: str) -> list[str]:
        """A statement that returns the reason when one of the conditions does not hold."""
        faults = [fault for c in conditions for fault in self.faults(c)]
        line = f"{indent}if {' or '.join(faults)}:"
        lines = [line]
        if len(line) > WIDTH:
            lines = [f"{indent}if (", f"{indent}    {faults[0]}"]
            lines += [f"{indent}    or {fault}" for fault in faults[1:]]
            lines.append(f"{indent}):")
        return [*lines, f"{indent}    return _{reason}"]

    def condition(self, c: Condition) -> str:
        """A condition that chooses."""
        if isinstance(c, rules.HasFlag):
            return f"op[_FLAGS] & {c.bit}"
        if isinstance(c, rules.HasCode):
            return f"op[_CODE] == _{c.name}"
        if isinstance(c, rules.IsWide):
            return "op[_TYPES] & 15 != 1"
        if isinstance(c, rules.NonZero):
            return " and ".join(map(self.expr, c.values))
        raise TypeError(c)

    def faults(self, c: Condition) -> list[str]:
        """Of which one is true where a condition does not hold."""
        return [f"not {self.expr(v)}" for v in c.values] if isinstance(c, rules.NonZero) else [self.fault(c)]

    def fault(self, c: Condition) -> str:
        """The opposite of a condition."""
        e = self.expr
        if isinstance(c, rules.Compare):
            return f"{e(c.left)} {OPPOSITES[c.sign]} {e(c.right)}"
        if isinstance(c, rules.Between):
            return f"not {e(c.low)} <= {e(c.value)} <= {e(c.high)}"
        if isinstance(c, rules.OneOf):
            return f"{e(c.value)} not in {c.choices}"
        if isinstance(c, rules.MultipleOf):
            return f"{e(c.value)} % {e(c.unit)}"
        if isinstance(c, rules.IsRescale):
            return f"not _is_rescale({e(c.multiplier)}, {e(c.shift)})"
        if isinstance(c, rules.Aligned):
            offsets = " | ".join(map(e, c.fields))
            return f"({offsets}) % {e(c.unit)}" if len(c.fields) > 1 else f"{offsets} % {e(c.unit)}"
        if isinstance(c, rules.Fits):
            return f"{e(c.field)} + {e(c.bytes)} > arena_bytes"
        if isinstance(c, rules.Holds):
            both = e(c.head) if c.rest == 0 else f"{e(c.head)} + {e(c.rest)}"
            return f"op[_BLOCK_BYTES] < {both}"
        if isinstance(c, rules.Custom):
            return f"not _{c.name}(op, arena_bytes)"
        return f"not {self.condition(c)}"

    def expr(self, x: Expr) -> str:
        if isinstance(x, int):
            return str(x)
        if isinstance(x, str):
            return f"op[{self.index(x)}]"
        if isinstance(x, rules.Item):
            return f"op[{self.index(x.field)} + i]"
        if isinstance(x, rules.Product):
            return " * ".join(map(self.expr, x.factors))
        if isinstance(x, rules.Sum):
            return "(" + " + ".join(map(self.expr, x.terms)) + ")"
        if isinstance(x, rules.Ceil):
            return f"(({self.expr(x.value)} + {x.unit - 1}) // {x.unit})"
        if isinstance(x, rules.Elements):
            field = next(f for f in self.layout.fields if f.name == x.field)
            repeat = f", op[{self.index(x.repeat)}]" if x.repeat else ""
            return f"_elements(op, {self.index(x.field)}, {field.code[:-1]}{repeat})"
        return f"({self.expr(x.then)} if {self.condition(x.when)} else {self.expr(x.otherwise)})"

    def index(self, field: str) -> str:
        own = field not in {name for _, name, _ in HEAD_FIELDS + TAIL_FIELDS}
        return f"_{self.layout.name}_{field}".upper() if own else f"_{field.upper()}"
