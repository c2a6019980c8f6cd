"""One value of a layer's output, from the inputs that it is made of to its byte: docs/NUMERICS.md with numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..device import registry
from ..device.numerics import exp_on_negative, high_mul, reciprocal, rounding_shift, wrap32
from ..device.ops import conv
from ..device.record import Context


@dataclass(frozen=True)
class Scale:
    """What a tensor's integers q stand for: scale * (q - zero_point)."""

    scale: float
    zero_point: int

    def real(self, q: int) -> float:
        return self.scale * (q - self.zero_point)


Scales = dict[str, Scale]  # of tensors, where they are known, by the record's field


@dataclass(frozen=True)
class Term:
    """An input of the value. where: in the input, or "padding", which holds the zero point. weight, product: what it
    is multiplied by, less its zero point, and what that gives; of a softmax its distance from the largest, and the
    exponential. real, real_weight: what input and weight stand for, where that is known."""

    where: str
    value: int
    weight: int | None = None
    product: int | None = None
    real: float | None = None
    real_weight: float | None = None


@dataclass(frozen=True)
class Line:
    """A step of the arithmetic and the integer that it gives. exact: the same before it is rounded. real: what the
    integer stands for, where that is known."""

    what: str
    value: int
    exact: float | None = None
    real: float | None = None


@dataclass
class Trace:
    """terms: what goes in. lines: what is done with it. columns: what the numbers of a term are called."""

    terms: list[Term] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    columns: tuple[str, str, str] = ("input", "", "")

    @property
    def value(self) -> int:
        """The byte, or the integer of more bytes, at which it ends."""
        return self.lines[-1].value

    def add(self, what: str, value: int, exact: float | None = None, real: float | None = None) -> int:
        self.lines.append(Line(what, int(value), exact, real))
        return int(value)


def follow(context: Context, at: int, scales: Scales) -> Trace | None:
    """How a record makes element `at` of its output. context: the arena before the record runs. None for an operator
    that is not traced."""
    operator = registry.of_record(context.op)
    function = _FUNCTIONS.get(operator.name) if operator.dtype == "int8" else None
    return function(context, at, scales) if function else None


def _real(scales: Scales, field: str, q: int) -> float | None:
    return scales[field].real(q) if field in scales else None


def _rescale(trace: Trace, x: int, multiplier: int, shift: int, real: float | None = None) -> int:
    """numerics.rescale, line by line."""
    if shift > 0:
        x = trace.add(f"shifted left by {shift}", wrap32(x << shift))
    product = x * multiplier
    x = trace.add(f"times the multiplier {multiplier:,} / 2^31, halves up", high_mul(x, multiplier), product / 2**31)
    if shift < 0:
        exact = x / 2**-shift
        x = trace.add(f"shifted right by {-shift}, halves away from 0", rounding_shift(x, -shift), exact)
    return x


def _finish(trace: Trace, x: int, op: dict[str, Any], scales: Scales) -> Trace:
    """The zero point of the output, and its limits."""
    x = trace.add(f"plus the output's zero point {op['output_zero']}", wrap32(x + op["output_zero"]))
    return _clamp(trace, x, op, scales)


def _clamp(trace: Trace, x: int, op: dict[str, Any], scales: Scales) -> Trace:
    low, high = op["clamp_min"], op["clamp_max"]
    x = min(max(x, low), high)
    trace.add(f"kept within {low}..{high}", x, real=_real(scales, "output", x))
    return trace


def _place(op: dict[str, Any], at: int) -> tuple[int, int, int]:
    y, x, c = np.unravel_index(at, (op["out_h"], op["out_w"], op["out_c"]))
    return int(y), int(x), int(c)


def _taps(op: dict[str, Any], y: int, x: int) -> list[tuple[int, int, int, int, bool]]:
    """The window of an output: (ky, kx, row, column, whether that is in the image)."""
    found = []
    for ky in range(op["kernel_h"]):
        row = y * op["stride_h"] + ky * op["dilation_h"] - op["pad_top"]
        for kx in range(op["kernel_w"]):
            column = x * op["stride_w"] + kx * op["dilation_w"] - op["pad_left"]
            found.append((ky, kx, row, column, 0 <= row < op["in_h"] and 0 <= column < op["in_w"]))
    return found


def _convolution(context: Context, at: int, scales: Scales) -> Trace:
    op, source, output = context.op, scales.get("input"), scales.get("output")
    y, x, c = _place(op, at)
    rows, biases, multipliers, shifts = conv.load_rows(context)
    image = context.tensor((op["in_h"], op["in_w"], op["in_c"]))
    multiplier, shift = int(multipliers[c]), int(shifts[c])
    depthwise = op["code"] == conv.DEPTHWISE.code
    inputs = [c // (op["out_c"] // op["in_c"])] if depthwise else range(op["in_c"])
    weight_scale = None
    if source and output:
        weight_scale = multiplier / 2**31 * 2.0**shift * output.scale / source.scale
    trace, zero = Trace(columns=("input", "weight", "product")), op["input_zero"]
    bias = int(biases[c])  # from which the zero point's part is taken when a model is converted
    for ky, kx, row, column, inside in _taps(op, y, x):
        for i, channel in enumerate(inputs):
            value, weight = int(image[row, column, channel]) if inside else zero, int(rows[c, ky, kx, i])
            bias += zero * weight
            trace.terms.append(
                Term(
                    f"{row},{column},{channel}" if inside else "padding",
                    value,
                    weight,
                    (value - zero) * weight,
                    _real(scales, "input", value),
                    None if weight_scale is None else weight_scale * weight,
                )
            )
    unit = source.scale * weight_scale if source and weight_scale is not None else None
    total = sum(term.product or 0 for term in trace.terms)
    what = f"sum of {len(trace.terms):,} products, (input - zero point {zero}) x weight"
    trace.add(what, total, real=None if unit is None else unit * total)
    bias = int(wrap32(bias))
    trace.add("bias", bias, real=None if unit is None else unit * bias)
    x = int(wrap32(total + bias))
    trace.add("sum of both", x, real=None if unit is None else unit * x)
    return _finish(trace, _rescale(trace, x, multiplier, shift), op, scales)


def _pool(context: Context, at: int, scales: Scales) -> Trace:
    op = context.op
    y, x, c = _place(op, at)
    image = context.tensor((op["in_h"], op["in_w"], op["in_c"]))
    trace = Trace()
    for _, _, row, column, inside in _taps(op, y, x):
        if inside:
            value = int(image[row, column, c])
            trace.terms.append(Term(f"{row},{column},{c}", value, real=_real(scales, "input", value)))
    values = [term.value for term in trace.terms]
    if registry.of_record(op).name == "MAX_POOL_2D":
        low = int(np.iinfo(np.int8).min)
        return _clamp(trace, trace.add("largest of them", max(values, default=low)), op, scales)
    total, count = trace.add("sum of them", sum(values)), max(len(values), 1)
    mean = (abs(total) + count // 2) // count * (1 if total >= 0 else -1)
    return _clamp(trace, trace.add(f"divided by {count}, halves away from 0", mean, total / count), op, scales)


def _mean(context: Context, at: int, scales: Scales) -> Trace:
    op = context.op
    outer, inner = divmod(at, op["inner"])
    values = context.tensor((op["outer"], op["reduce"], op["inner"]))[outer, :, inner]
    trace = Trace()
    for i, value in enumerate(values.tolist()):
        where = (outer * op["reduce"] + i) * op["inner"] + inner
        trace.terms.append(Term(str(where), value, real=_real(scales, "input", value)))
    total = trace.add("sum of them", sum(values.tolist()))
    less = op["reduce"] * op["input_zero"]
    x = trace.add(f"less {op['reduce']} times the input's zero point {op['input_zero']}", total - less)
    return _finish(trace, _rescale(trace, x, op["multiplier"], op["shift"]), op, scales)


def _add(context: Context, at: int, scales: Scales) -> Trace:
    op, trace, parts = context.op, Trace(), list[int]()
    for n, name, order in ((1, "input", "first"), (2, "input2", "second")):
        value = int(context.tensor((op["count"],), name)[at])
        trace.terms.append(Term(f"{order}: {at}", value, real=_real(scales, name, value)))
        x = trace.add(f"the {order} less its zero point {op[f'zero{n}']}", value - op[f"zero{n}"])
        x = trace.add(f"shifted left by {op['left_shift']}, for precision", x << op["left_shift"])
        parts.append(_rescale(trace, x, op[f"multiplier{n}"], op[f"shift{n}"]))
    x = trace.add("sum of both", wrap32(sum(parts)))
    return _finish(trace, _rescale(trace, x, op["multiplier"], op["shift"]), op, scales)


def _softmax(context: Context, at: int, scales: Scales) -> Trace:
    op = context.op
    row, column = divmod(at, op["depth"])
    values = context.tensor((op["rows"], op["depth"]))[row].tolist()
    most, trace = max(values), Trace(columns=("input", "less the largest", "exponential / 2^19"))
    total = exponential = 0
    for i, value in enumerate(values):
        share = 0
        if value - most >= op["diff_min"]:
            q5 = _rescale(Trace(), value - most, op["multiplier"], op["shift"])
            exp = int(exp_on_negative(np.int64(q5), 5))
            share = int(rounding_shift(exp, 12))
            exponential = exp if i == column else exponential
        total += share
        trace.terms.append(Term(f"{row},{i}", value, value - most, share, _real(scales, "input", value)))
    difference = values[column] - most
    trace.add(f"{values[column]} less the largest of the row, {most}", difference)
    if difference < op["diff_min"]:
        trace.add(f"below {op['diff_min']}: counts as nothing", 0)
        return _ended(trace, -128, scales)
    q5 = _rescale(trace, difference, op["multiplier"], op["shift"])
    trace.lines[-1] = Line(f"{trace.lines[-1].what}: as Q5.26", q5, trace.lines[-1].exact, q5 / 2**26)
    trace.add("its exponential, as Q0.31", exponential, float(np.exp(q5 / 2**26)) * 2**31, exponential / 2**31)
    trace.add("sum of the row's exponentials, each shifted right by 12, as Q12.19", total, real=total / 2**19)
    headroom = 31 - int(np.floor(np.log2(total)))
    inverse = int(reciprocal(np.int64((total << headroom) - (1 << 31))))
    one = total * 2.0**headroom / 2**31
    trace.add(f"1 over that sum, shifted left by {headroom}, as Q0.31", inverse, 2**31 / one, inverse / 2**31)
    product = trace.add(
        "times the exponential, halves up", high_mul(inverse, exponential), inverse * exponential / 2**31
    )
    exponent = 12 - headroom + 23
    exact = product / 2**exponent
    share = int(rounding_shift(product, exponent)) if exponent <= 31 else 0
    trace.add(f"shifted right by {exponent}, halves away from 0: in 1/256", share, exact, share / 256)
    return _ended(trace, share - 128, scales)


def _ended(trace: Trace, x: int, scales: Scales) -> Trace:
    x = min(x, 127)
    trace.add("less 128, and 127 at most", x, real=_real(scales, "output", x))
    return trace


def _table(context: Context, at: int, scales: Scales) -> Trace:
    value = int(context.tensor((context.op["count"],))[at])
    trace = Trace([Term(str(at), value, real=_real(scales, "input", value))])
    made = int(context.block(0).view(np.int8)[value + 128])
    trace.add(f"entry {value + 128} of the layer's table", made, real=_real(scales, "output", made))
    return trace


_FUNCTIONS: dict[str, Callable[[Context, int, Scales], Trace]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "FULLY_CONNECTED": _convolution,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "MEAN": _mean,
    "ADD": _add,
    "SOFTMAX": _softmax,
    "LUT": _table,
}
TRACED = tuple(_FUNCTIONS)  # operators, of int8
