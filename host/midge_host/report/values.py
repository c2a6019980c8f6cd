"""Histograms of the integers that a model holds, weights and activations, against what their type can hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..backends.machine import Machine
from ..backends.numpy import encode
from ..device import rules
from ..device.model_file import ModelFile
from ..device.ops import conv, conv16
from ..device.record import Context
from ..quantize.layers import remembered

BINS = 64
DTYPES = {1: "int8", 2: "int16"}  # by an element's bytes: wider ones are no quantised values
ROWS = {"int8": conv.load_rows, "int16": conv16.load_rows}  # by type of activations
WITH_ROWS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


class Histogram:
    """counts: (BINS,) of values from the least to the greatest of the type. low, high: of the values. scale,
    zero_point: of what is real, where it is known."""

    def __init__(self, dtype: str, scale: float | None = None, zero_point: int = 0) -> None:
        self.dtype, self.scale, self.zero_point = dtype, scale, zero_point
        limits = np.iinfo(dtype)
        self.limits = int(limits.min), int(limits.max)
        self.counts = np.zeros(BINS, np.int64)
        self.low, self.high = self.limits[1], self.limits[0]
        self._ends = [0, 0]

    def add(self, values: np.ndarray) -> None:
        """Integers of the type."""
        if not values.size:
            return
        lowest, highest = self.limits
        width = (highest - lowest + 1) // BINS
        places = (values.reshape(-1).astype(np.int64) - lowest) // width
        self.counts += np.bincount(places, minlength=BINS)
        self.low, self.high = min(self.low, int(values.min())), max(self.high, int(values.max()))
        self._ends[0] += int((values == lowest).sum())
        self._ends[1] += int((values == highest).sum())

    @property
    def ends(self) -> tuple[float, float]:
        """The shares of the type's least and greatest value."""
        total = max(int(self.counts.sum()), 1)
        return self._ends[0] / total, self._ends[1] / total

    @property
    def real(self) -> tuple[float, float] | None:
        """What the type's least and greatest value stand for."""
        if self.scale is None:
            return None
        low, high = ((limit - self.zero_point) * self.scale for limit in self.limits)
        return low, high


def weights(model: ModelFile) -> dict[int, Histogram]:
    """By the number of a record with rows of int8 weights. (A scale belongs to a channel.)"""
    found = {}
    arena, section = np.zeros(0, np.int8), np.frombuffer(model.weights, np.uint8)
    for i, record in enumerate(model.records):
        operator = model.operator(i)
        if operator.name in WITH_ROWS:
            found[i] = Histogram("int8")
            found[i].add(ROWS[operator.dtype](Context(record, arena, section))[0].astype(np.int8))
    return found


def activations(
    model: ModelFile, readings: Sequence[np.ndarray]
) -> tuple[list[Histogram | None], dict[int, Histogram]]:
    """Of inputs, and by the number of a record of outputs, while the model runs over readings (N, *shape) of each
    input; None for what is no int8 or int16."""
    scales = {layer.record: (layer.scale, layer.zero_point) for layer in remembered(model)}
    inputs = [
        Histogram(t.element, None if t.channel_scales else t.scale, t.zero_point)
        if t.element in DTYPES.values() and not model.sound
        else None
        for t in model.inputs
    ]
    found: dict[int, Histogram] = {}
    for i in model.predict:
        unit = element_bytes(model, i)
        if model.records[i]["output_bytes"] and unit in DTYPES:
            found[i] = Histogram(DTYPES[unit], *scales.get(i, ()))
    machine = Machine(model)
    for row in range(len(readings[0])):
        reading = [x[row] for x in readings]
        for histogram, tensor, values in zip(inputs, model.inputs, reading, strict=True):
            if histogram:
                histogram.add(encode(tensor, values.reshape(tensor.shape)))
        for _ in machine.each(reading):
            for i in machine.steps():
                if i in found:
                    start = model.records[i]["output"]
                    end = start + model.records[i]["output_bytes"]
                    found[i].add(np.frombuffer(machine.arena[start:end].tobytes(), found[i].dtype))
    return inputs, found


def element_bytes(model: ModelFile, index: int) -> int:
    """Bytes of an element of a record's output."""
    output = next(operand for operand in model.operator(index).operands if operand.field == "output")
    return rules.evaluate(output.unit, model.records[index])
