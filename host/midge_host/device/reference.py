"""The NumPy backend: runs the records of a .midge file as docs/NUMERICS.md says."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

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


def golden_input(seed: int, count: int) -> np.ndarray:
    """`count` int8 values for the self-test: the top bytes of x -> 1664525 x + 1013904223 (mod 2^32)."""
    values = np.empty(count, np.uint8)
    x = seed
    for i in range(count):
        x = (1664525 * x + 1013904223) & 0xFFFFFFFF
        values[i] = x >> 24
    return values.view(np.int8)


def golden_values(model: ModelFile) -> list[int]:
    """CRC-32 of every operator's output for the self-test's input."""
    arena = np.zeros(model.arena_bytes, np.int8)
    total = sum(t.bytes for t in model.inputs)
    values = golden_input(model.golden_seed, total)
    for tensor in model.inputs:
        arena[tensor.offset : tensor.offset + tensor.bytes] = values[: tensor.bytes]
        values = values[tensor.bytes :]
    crcs = []
    for i in run_records(model, arena, range(len(model.records))):
        record = model.records[i]
        end = record["output"] + record["output_bytes"]
        crcs.append(zlib.crc32(arena[record["output"] : end].tobytes()))
    return crcs
