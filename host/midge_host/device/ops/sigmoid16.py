"""LOGISTIC and TANH: functions of int16 values, from a table of the sigmoid that LSTM has in its gates too."""

from __future__ import annotations

import math

import numpy as np

from ...ir.operators import Elementwise
from ..banks import WIDE
from ..definition import Constant, Operand, Operator, fit, record
from ..record import Context, Lowering, Step
from ..rules import Between, Check, Holds, aligned, at_most, equal, parameters, weights
from . import lut
from .quantised import per_tensor

INPUT_POWER = -12  # the functions take 3 / 2^12
TABLE_BYTES = 256 * 2

FUNCTION16 = record(
    "function16",
    "A function of every int16 value; may be in place. The sigmoid's 256 uint16 values are the one weight block.",
    [
        ("B", "shift", "right shift of the product, 0 to 31: on a scale of 2^-12 / 3"),
        ("I", "count", "elements"),
        ("i", "multiplier", "of a value, 0 to 32767"),
    ],
)


def sigmoid_table() -> np.ndarray:
    """TFLM's sigmoid(i / 24) in Q0.16, made for straight lines between its entries: these are raised by half of what
    such a line stays below the curve. The last one is where the function saturates."""
    s = 1 / (1 + np.exp(-np.arange(256) / 24))
    table = np.rint(65536 * (s + s * (1 - s) * (2 * s - 1) / (16 * 24**2))).astype(np.int64)
    table[255] = 65535
    return table


def _sigmoid(table: np.ndarray, x: np.ndarray, bits: int) -> np.ndarray:
    """The sigmoid of x / 24 / 2^bits in Q0.16 with `bits` more."""
    index = np.minimum(x >> bits, 254)
    low, high = table[index], table[index + 1]
    return (low << bits) + (x & (1 << bits) - 1) * (high - low)


def logistic(table: np.ndarray, x: np.ndarray) -> np.ndarray:
    """From a scale of 2^-12 / 3 to one of 2^-15."""
    size = np.abs(x)
    y = np.where(size >= 255 << 9, 0x7FFF << 10, _sigmoid(table, size, 9))
    return np.where(x < 0, (1 << 25) - y + 511, y + 512) >> 10


def tanh(table: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The same; 2 * sigmoid(2 x) - 1."""
    size = np.abs(x)
    y = np.where(size >= 255 << 8, 0xFFFF << 8, _sigmoid(table, size, 8)) - (1 << 23)
    return np.where(x < 0, 127 - y, y + 128) >> 8


def _factor(scale: float, powers: range) -> tuple[int, int]:
    """Multiplier and right shift to the functions' scale: of what is nearly a power of two 3 * 2^n, else 15 bits."""
    power = round(math.log2(scale))
    if abs(math.log2(scale) - power) < 1e-3 and power - INPUT_POWER in powers:
        return 3 << (power - INPUT_POWER), 0
    multiplier, shift = scale * 3 * 2.0**-INPUT_POWER, 0
    while multiplier <= 32767 / 2 and shift <= 30:
        multiplier, shift = multiplier * 2, shift + 1
    return int(multiplier), shift


def _beside(int8: Lowering, operator: str, powers: range) -> Lowering:
    """A table for int8 tensors. `powers`: above INPUT_POWER, those of scales that TFLM takes for powers of two."""

    def lower(node: Elementwise) -> list[Step]:
        source, output = node.source, node.output
        if source.dtype == "int8":
            return int8(node)
        scale, _ = per_tensor(node, source, ("int16",))
        if abs(per_tensor(node, output, ("int16",))[0] * 32768 - 1) > 1e-3:
            raise node.refuse("its output is not quantised to 1/32768", "export the model again")
        multiplier, shift = _factor(float(scale), powers)
        if multiplier > 32767:
            raise node.refuse(f"its input scale {scale} is too large", "export the model again")
        fields = {"count": output.size, "multiplier": multiplier, "shift": shift}
        table = sigmoid_table().astype(np.uint16).tobytes()
        return [Step(operator, node.name, [source], output, fields, [table], dtype="int16")]

    return lower


lower_logistic = _beside(lut.lower_logistic, "LOGISTIC", range(1))
lower_tanh = _beside(lut.lower_tanh, "TANH", range(2))


def _run(context: Context) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The table, its argument, and where the results go."""
    op = context.op
    shape = (op["count"],)
    half = 1 << op["shift"] >> 1
    x = (context.tensor(shape, "input", np.int16).astype(np.int64) * op["multiplier"] + half) >> op["shift"]
    return (
        context.block(0)[:TABLE_BYTES].view(np.uint16).astype(np.int64),
        x,
        context.tensor(shape, "output", np.int16),
    )


def run_logistic(context: Context) -> None:
    table, x, out = _run(context)
    out[:] = logistic(table, x).astype(np.int16)


def run_tanh(context: Context) -> None:
    table, x, out = _run(context)
    out[:] = tanh(table, x).astype(np.int16)


_TENSORS = (Operand("input", ("count",), 2), Operand("output", ("count",), 2))

CHECK = Check(
    "sigmoid16",
    (
        parameters(Between("multiplier", 0, 32767), at_most("shift", 31), aligned(2, "input", "output")),
        weights(equal("blocks", 1), Holds(TABLE_BYTES)),
        fit(*_TENSORS),
    ),
)

DEFINITIONS = tuple(
    Operator(
        code,
        name,
        WIDE,
        FUNCTION16,
        "sigmoid16",
        CHECK,
        _TENSORS,
        run,
        dtype="int16",
        has_blocks=True,
        in_place=True,
        constants=(Constant("SIGMOID_BYTES", TABLE_BYTES, "the sigmoid's table"),),
    )
    for code, name, run in ((15, "LOGISTIC", run_logistic), (16, "TANH", run_tanh))
)
