"""The NumPy backend: runs the records of a .midge file as docs/NUMERICS.md says."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

import numpy as np

from . import spec
from .model_file import ModelFile, TensorInfo
from .record import Context


def run_records(model: ModelFile, arena: np.ndarray, indexes: range) -> Iterator[int]:
    """Executes records in `arena` (int8); yields an operator's index when it is done."""
    weights = np.frombuffer(model.weights, np.uint8)
    for i in indexes:
        model.operator(i).run(Context(model.records[i], arena, weights))
        yield i


def view(arena: np.ndarray, tensor: TensorInfo) -> np.ndarray:
    return arena[tensor.offset : tensor.offset + tensor.bytes].view(tensor.element).reshape(tensor.shape)


def start(model: ModelFile) -> np.ndarray:
    """An arena with the state before the first prediction."""
    arena = np.zeros(model.arena_bytes, np.int8)
    for _ in run_records(model, arena, model.init):
        pass
    return arena


def predict(model: ModelFile, arena: np.ndarray, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Outputs for inputs of the tensors' shapes, both of the types that the arena holds."""
    for tensor, value in zip(model.inputs, inputs, strict=True):
        view(arena, tensor)[...] = value
    for _ in run_records(model, arena, model.predict):
        pass
    return [view(arena, t).copy() for t in model.outputs]


class Ear:
    """What collects sound for a model that hears: docs/FORMAT.md, "Sound". arena: of a model that has heard nothing;
    run: what executes records in it."""

    def __init__(self, model: ModelFile, arena: np.ndarray, run: Callable[[range], None]) -> None:
        assert model.sound
        self._model, self._sound, self._run = model, model.sound, run
        self._samples = view(arena, model.inputs[0])
        self._held, self._left = 0, model.sound.first

    def due(self, samples: np.ndarray) -> Iterator[None]:
        """Takes samples, int16, of any number; yields when a prediction is due."""
        size = self._samples.size
        while len(samples):
            count = min(size - self._held, len(samples))
            self._samples[self._held : self._held + count] = samples[:count]
            samples = samples[count:]
            self._held += count
            if self._held < size:
                return
            self._run(self._model.feed)
            self._held -= self._sound.hop
            self._left -= 1
            if self._left == 0:
                self._left = self._sound.every
                yield


def golden_input(seed: int, count: int) -> np.ndarray:
    """`count` int8 values for the self-test: the top bytes of x -> 1664525 x + 1013904223 (mod 2^32)."""
    values = np.empty(count, np.uint8)
    x = seed
    for i in range(count):
        x = (1664525 * x + 1013904223) & 0xFFFFFFFF
        values[i] = x >> 24
    return values.view(np.int8)


def golden_values(model: ModelFile) -> list[int]:
    """CRC-32 of every operator's outputs for the self-test's input."""
    model = model.whole
    arena = np.zeros(model.arena_bytes, np.int8)
    count, feed = len(model.records), model.feed
    rounds = [range(count)]
    if model.sound:
        rounds = [range(feed.stop), *[feed] * (spec.FEEDS - 1), range(feed.stop, count)]
    drawn = rounds[:-1] or rounds  # the rounds before which the input is drawn
    total = sum(t.bytes for t in model.inputs)
    values = golden_input(model.golden_seed, total * len(drawn))
    crcs = [0] * count
    for at, indexes in enumerate(rounds):
        if at < len(drawn):
            for tensor in model.inputs:
                arena[tensor.offset : tensor.offset + tensor.bytes] = values[: tensor.bytes]
                values = values[tensor.bytes :]
        for i in run_records(model, arena, indexes):
            record = model.records[i]
            end = record["output"] + record["output_bytes"]
            crcs[i] = zlib.crc32(arena[record["output"] : end].tobytes(), crcs[i])
    return crcs
