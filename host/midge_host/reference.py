"""The NumPy backend: runs the records of a .midge file as docs/NUMERICS.md says."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

from .model_file import ModelFile, TensorInfo
from .operators import REFERENCES
from .program import Context


def run_records(model: ModelFile, arena: np.ndarray) -> Iterator[int]:
    """Executes the program in `arena` (int8); yields an operator's index when it is done."""
    weights = np.frombuffer(model.weights, np.uint8)
    for i, record in enumerate(model.records):
        REFERENCES[model.operator(i).name](Context(record, arena, weights))
        yield i


def view(arena: np.ndarray, tensor: TensorInfo) -> np.ndarray:
    return arena[tensor.offset : tensor.offset + tensor.bytes].reshape(tensor.shape)


def predict(model: ModelFile, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """int8 outputs for int8 inputs of the tensors' shapes."""
    arena = np.zeros(model.arena_bytes, np.int8)
    for tensor, value in zip(model.inputs, inputs, strict=True):
        view(arena, tensor)[:] = value
    for _ in run_records(model, arena):
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
        view(arena, tensor)[:] = values[: tensor.bytes].reshape(tensor.shape)
        values = values[tensor.bytes :]
    crcs = []
    for i in run_records(model, arena):
        record = model.records[i]
        end = record["output"] + record["output_bytes"]
        crcs.append(zlib.crc32(arena[record["output"] : end].tobytes()))
    return crcs
