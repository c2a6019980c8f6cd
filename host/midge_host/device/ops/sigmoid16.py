"""LOGISTIC_16 and TANH_16: functions of int16 values, from a table of the sigmoid that LSTM has in its gates too."""

from __future__ import annotations

import math

import numpy as np

from ...ir.graph import Graph, Node
from .. import spec
from ..record import Context, Lowering, Step
from . import lut

INPUT_POWER = -12  # the functions take 3 / 2^12


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


def _beside(int8: Lowering, powers: range) -> Lowering:
    """A table for int8 tensors. `powers`: above INPUT_POWER, those of scales that TFLM takes for powers of two."""

    def lower(graph: Graph, node: Node) -> list[Step]:
        source, output = node.inputs[0], node.outputs[0]
        if source.dtype == "int8":
            return int8(graph, node)
        scale, _ = node.per_tensor(source, ("int16",))
        if abs(node.per_tensor(output, ("int16",))[0] * 32768 - 1) > 1e-3:
            raise node.refuse("its output is not quantised to 1/32768", "export the model again")
        multiplier, shift = _factor(float(scale), powers)
        if multiplier > 32767:
            raise node.refuse(f"its input scale {scale} is too large", "export the model again")
        fields = {"count": output.size, "multiplier": multiplier, "shift": shift}
        table = sigmoid_table().astype(np.uint16).tobytes()
        return [Step(f"{node.kind}_16", node.name, [source], output, fields, [table], in_place=True)]

    return lower


lower_logistic = _beside(lut.lower_logistic, range(1))
lower_tanh = _beside(lut.lower_tanh, range(2))


def _run(context: Context) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The table, its argument, and where the results go."""
    op = context.op
    shape = (op["count"],)
    half = 1 << op["shift"] >> 1
    x = (context.tensor(shape, "input", np.int16).astype(np.int64) * op["multiplier"] + half) >> op["shift"]
    return (
        context.block(0)[: spec.PART_BYTES["SIGMOID_BYTES"]].view(np.uint16).astype(np.int64),
        x,
        context.tensor(shape, "output", np.int16),
    )


def run_logistic(context: Context) -> None:
    table, x, out = _run(context)
    out[:] = logistic(table, x).astype(np.int16)


def run_tanh(context: Context) -> None:
    table, x, out = _run(context)
    out[:] = tanh(table, x).astype(np.int16)
