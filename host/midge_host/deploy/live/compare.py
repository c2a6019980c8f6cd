"""What a board computes beside what this PC does, layer by layer, byte by byte."""

from __future__ import annotations

import zlib
from ast import literal_eval
from binascii import hexlify, unhexlify
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...backends import numpy as reference_backend
from ...backends.machine import Machine
from ...backends.micropython import buffers
from ...device.model_file import ModelFile, read
from .. import Board
from ..links import Mpremote
from . import SECONDS, board_with, program

CHUNK = 512  # bytes of a reading in one line of code


@dataclass(frozen=True)
class Layer:
    """`index`: of its record, None for the result."""

    index: int | None
    name: str
    operator: str
    bytes: int
    is_equal: bool


@dataclass(frozen=True)
class Difference:
    """The first layer that differs: in how many bytes, where first, and what stands there on the board and here."""

    layer: Layer
    count: int
    first: int
    on_board: int
    here: int


@dataclass(frozen=True)
class Comparison:
    board: Board
    backend: str
    weights_mode: str
    layers: list[Layer]
    difference: Difference | None

    @property
    def is_equal(self) -> bool:
        return all(layer.is_equal for layer in self.layers)


def compare(path: Path, port: str, readings: list[np.ndarray], weights: str = "auto") -> Comparison:
    """Runs a model that is on the board there and here, on one reading.

    readings: an array (1, *shape) for each input, as backends.run takes them. Raises MidgeError where the model is not
    on the board as it is here, or does not run there.
    """
    model = read(path)
    model.refuse_sound("midge compare --port")
    model.refuse_rows("midge compare --port")
    machine = Machine(model)
    values = [reference_backend.encode(t, x.reshape(t.shape)) for t, x in zip(model.inputs, readings, strict=True)]
    ranges = [_output(model, i) for i in model.predict]
    machine.enter(readings)
    here = [machine.arena[slice(*ranges[i])].tobytes() for i, _ in enumerate(machine.steps())]
    results = [out.tobytes() for out in machine.outputs()]
    with board_with(path, port) as (link, board):
        backend, mode = literal_eval(link.run(program("compare", PATH=path.name, WEIGHTS=weights), SECONDS))
        _put(link, model, values)
        sums = [int(line) for line in link.lines(f"run({ranges!r})", SECONDS)]
        layers = [
            Layer(i, model.names[i], model.operator(i).name, len(data), zlib.crc32(data) == found)
            for i, data, found in zip(model.predict, here, sums, strict=True)
        ]
        wrong = next((n for n, layer in enumerate(layers) if not layer.is_equal), None)
        difference = None
        if wrong is not None:
            _put(link, model, values)
            list(link.lines(f"run({ranges[: wrong + 1]!r})", SECONDS))
            start, end = ranges[wrong]
            there = unhexlify("".join(link.lines(f"show({start}, {end})", SECONDS)))
            difference = _difference(layers[wrong], there, here[wrong])
        _put(link, model, values)
        sums = [int(line) for line in link.lines(f"result({buffers(model)['outputs']!r})", SECONDS)]
    is_equal = [zlib.crc32(data) for data in results] == sums
    layers.append(Layer(None, "result", "", sum(map(len, results)), is_equal))
    return Comparison(board, backend, mode, layers, difference)


def _output(model: ModelFile, index: int) -> tuple[int, int]:
    """Where in the arena a record's output lies."""
    record = model.records[index]
    return record["output"], record["output"] + record["output_bytes"]


def _put(link: Mpremote, model: ModelFile, values: list[np.ndarray]) -> None:
    """A reading into the board's arena, with the state as before the first prediction."""
    link.run("model.reset()", SECONDS)
    for tensor, value in zip(model.inputs, values, strict=True):
        data = value.tobytes()
        for at in range(0, len(data), CHUNK):
            link.run(f"put({tensor.offset + at}, {hexlify(data[at : at + CHUNK])!r})")


def _difference(layer: Layer, there: bytes, here: bytes) -> Difference | None:
    """None where a second run gives what the first should have given."""
    a, b = np.frombuffer(there, np.int8), np.frombuffer(here, np.int8)
    where = np.flatnonzero(a != b)
    if not where.size:
        return None
    first = int(where[0])
    return Difference(layer, len(where), first, int(a[first]), int(b[first]))
