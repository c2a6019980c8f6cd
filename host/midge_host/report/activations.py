"""What the layers of a model give for one reading, in the shapes that they have as pictures, and how single values come
about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from ..backends.machine import Machine
from ..device import reference
from ..device.model_file import ModelFile
from ..device.record import Context
from ..errors import MidgeError
from ..quantize.layers import remembered
from .trace import Scale, Scales, Trace, follow
from .values import DTYPES, element_bytes

KEEP_SCALES = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
LARGEST_RANK = 5


@dataclass(frozen=True)
class Shown:
    """What an input or a layer holds. index: of the record, None for what goes in. text: what it is. values: integers,
    or real ones, in its shape. scale: of integers, where it is known."""

    index: int | None
    name: str
    text: str
    values: np.ndarray
    scale: Scale | None

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest value; NaN, which stands for a missing one, is neither."""
        values = self.values[self.values == self.values]
        return (values.min().item(), values.max().item()) if values.size else (0, 0)

    @property
    def real(self) -> tuple[float, float] | None:
        """What these stand for."""
        low, high = self.limits
        return (self.scale.real(int(low)), self.scale.real(int(high))) if self.scale else None

    @property
    def levels(self) -> np.ndarray:
        """The values from 0, the least, to 1, the greatest."""
        low, high = self.limits
        return np.nan_to_num((self.values.astype(np.float64) - low) / max(high - low, 1e-30))

    @property
    def pictures(self) -> list[np.ndarray]:
        """Levels as pictures, (height, width): one for each channel, or (height, width, 3) of what comes in colours; of
        a table one with its rows. What is at least twice as high as wide is turned, down to the right. None of a
        single row of values."""
        levels = self.levels
        levels = levels.reshape([n for n in levels.shape if n != 1])
        if levels.ndim < 2 or levels.ndim > 3:
            return []
        if levels.shape[0] >= 2 * levels.shape[1]:
            levels = levels.swapaxes(0, 1)
        if levels.ndim == 2:
            return [levels]
        if self.index is None and levels.shape[2] == 3:
            return [levels]
        return list(np.moveaxis(levels, 2, 0))


@dataclass(frozen=True)
class Traced:
    """A value of a layer's output. place: its position. made: how it comes about, None for an operator that is not
    traced. core: what the core computed; native: the one in C."""

    index: int
    name: str
    operator: str
    place: tuple[int, ...]
    made: Trace | None
    core: int
    native: bool

    @property
    def agrees(self) -> bool:
        return self.made is not None and self.made.value == self.core


@dataclass
class Watched:
    """A prediction. shown: inputs and layers in their order. traces: those asked for. outputs: real values, or numbers
    of classes."""

    shown: list[Shown] = field(default_factory=list)
    traces: list[Traced] = field(default_factory=list)
    outputs: list[np.ndarray] = field(default_factory=list)


@dataclass(frozen=True)
class _Known:
    """What is known of a tensor in the arena."""

    shape: tuple[int, ...]
    dtype: str
    scale: Scale | None


def watch(machine: Machine, wishes: Sequence[str] = ()) -> Watched:
    """A prediction of what has been entered into the machine. wishes: values to trace, as "LAYER,Y,X,C". MidgeError
    for a wish that no layer fulfils."""
    model, known, found = machine.model, _Tensors(machine.model), Watched()
    wanted = [(wish, *_layer(model, wish)) for wish in wishes]
    found.shown += _entered(model, machine.arena)
    before = machine.arena.copy()
    for index in machine.steps():
        record = model.records[index]
        scales, made = known.scales(record), known.made(index)
        for wish, layer, numbers in wanted:
            if layer == index:
                found.traces.append(_traced(machine, index, before, _place(wish, numbers, made), scales, made))
        known.put(record, made)
        if made.dtype in DTYPES.values() and record["output_bytes"]:
            text = f"{index} {model.operator(index).name}"
            found.shown.append(Shown(index, model.names[index], text, _values(machine.arena, record, made), made.scale))
        before = machine.arena.copy()
    outputs = zip(model.outputs, machine.outputs(), strict=True)
    found.outputs = [tensor.real(values).reshape(-1) for tensor, values in outputs]
    return found


def _entered(model: ModelFile, arena: np.ndarray) -> list[Shown]:
    """The inputs, and of a model that hears the features that were made of them."""
    found = []
    for tensor in model.inputs:
        values = reference.view(arena, tensor).copy()
        scale = None if tensor.channel_scales or model.sound else Scale(tensor.scale, tensor.zero_point)
        found.append(Shown(None, tensor.name, "input", values, scale if tensor.element in DTYPES.values() else None))
    if model.sound:
        last = model.records[model.feed.stop - 1]  # which completes them
        raw = arena[last["output"] : last["output"] + last["output_bytes"]].tobytes()
        values = np.frombuffer(raw, model.operator(model.predict.start).dtype)
        frames = model.sound.first if values.size % model.sound.first == 0 else 1
        text = f"made by the front end {model.sound.front}"
        found.append(Shown(None, "features", text, values.reshape(frames, -1), None))
    return found


def _values(arena: np.ndarray, record: dict[str, Any], made: _Known) -> np.ndarray:
    raw = arena[record["output"] : record["output"] + record["output_bytes"]].tobytes()
    return np.frombuffer(raw, made.dtype).reshape(made.shape)


class _Tensors:
    """Shapes, types and scales of tensors in the arena, as far as a file tells, while its records run."""

    def __init__(self, model: ModelFile) -> None:
        self._model = model
        self._scales = {layer.record: Scale(layer.scale, layer.zero_point) for layer in remembered(model)}
        self._found: dict[int, _Known] = {}
        for tensor in model.inputs:
            scale = None if tensor.channel_scales else Scale(tensor.scale, tensor.zero_point)
            self._found[tensor.offset] = _Known(tensor.shape, tensor.element, scale)

    def of(self, offset: int) -> _Known | None:
        return self._found.get(offset)

    def scales(self, record: dict[str, Any]) -> Scales:
        """Of what a record reads."""
        found = {field: self.of(record[field]) for field in ("input", "input2") if field in record}
        return {field: known.scale for field, known in found.items() if known and known.scale}

    def put(self, record: dict[str, Any], made: _Known) -> None:
        """A record has run."""
        start, end = record["output"], record["output"] + record["output_bytes"]
        self._found = {at: known for at, known in self._found.items() if not start <= at < end}
        if record["output_bytes"]:
            self._found[start] = made

    def made(self, index: int) -> _Known:
        """The output of a record."""
        record, operator = self._model.records[index], self._model.operator(index)
        source = self.of(record["input"])
        dtype = DTYPES.get(element_bytes(self._model, index), "")
        if operator.any_type and source:
            dtype = source.dtype
        scale = self._scales.get(index)
        if scale is None and operator.name in KEEP_SCALES and source:
            scale = source.scale
        for tensor in self._model.outputs:
            if tensor.offset == record["output"] and index == self._model.predict.stop - 1:
                scale = Scale(tensor.scale, tensor.zero_point)
        return _Known(self._shape(index, source, np.dtype(dtype).itemsize if dtype else 1), dtype, scale)

    def _shape(self, index: int, source: _Known | None, unit: int) -> tuple[int, ...]:
        """Operators that look at no dimensions have those that the next window takes, or those of what they take."""
        record, operator = self._model.records[index], self._model.operator(index)
        own = tuple(operator.shape("output", record))
        size = record["output_bytes"] // unit or prod(own)
        if "kernel_h" in record:
            return own
        for later in self._model.records[index + 1 : self._model.predict.stop]:
            if later["input"] == record["output"] and "kernel_h" in later:
                shape = (later["in_h"], later["in_w"], later["in_c"])
                return shape if prod(shape) == size else own
            if later["output"] == record["output"]:
                break
        if source and prod(source.shape) == size and not operator.any_type:
            return source.shape
        return own if prod(own) == size else (size,)


def _layer(model: ModelFile, wish: str) -> tuple[int, list[int]]:
    """The record and the position that "LAYER,Y,X,C" names; LAYER is a number or a name."""
    parts = wish.split(",")
    numbers: list[int] = []
    while len(parts) > 1 and parts[-1].strip().isdecimal() and len(numbers) < LARGEST_RANK:
        numbers.insert(0, int(parts.pop()))
    name = ",".join(parts).strip()
    index = int(name) if name.isdecimal() else model.names.index(name) if name in model.names else -1
    if index not in model.predict or not numbers:
        first, last = model.predict.start, model.predict.stop - 1
        raise MidgeError(
            f"--trace {wish}: give a layer, by its number from {first} to {last} or its name, and where: LAYER,Y,X,C"
        )
    return index, numbers


def _place(wish: str, numbers: Sequence[int], made: _Known) -> tuple[int, ...]:
    """The position in the output's shape; leading dimensions of 1 may be left out, or be too many."""
    rank = max(len(numbers), len(made.shape))
    shape = (1,) * (rank - len(made.shape)) + made.shape
    place = (0,) * (rank - len(numbers)) + tuple(numbers)
    if prod(shape[: rank - len(numbers)]) != 1 or any(at >= n for at, n in zip(place, shape, strict=True)):
        raise MidgeError(f"--trace {wish}: the layer gives {'x'.join(map(str, made.shape))} values, counted from 0")
    return place[rank - len(made.shape) :]


def _traced(
    machine: Machine, index: int, before: np.ndarray, place: tuple[int, ...], scales: Scales, made: _Known
) -> Traced:
    model = machine.model
    record = model.records[index]
    context = Context(record, before, np.frombuffer(model.weights, np.uint8))
    at = int(np.ravel_multi_index(place, made.shape))
    trace = follow(context, at, scales | ({"output": made.scale} if made.scale else {}))
    core = int(_values(machine.arena, record, made)[place]) if trace else 0
    return Traced(index, model.names[index], model.operator(index).name, place, trace, core, machine.native)
