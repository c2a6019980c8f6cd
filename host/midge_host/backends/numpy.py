"""The NumPy reference as a backend."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from ..device import reference
from ..device.model_file import ModelFile, TensorInfo, read
from ..device.numerics import FLOAT_FUNCTIONS
from ..ir.operators import Logistic
from . import RunResult


def problem(name: str) -> str | None:
    return None


def encode(tensor: TensorInfo, values: np.ndarray) -> np.ndarray:
    """A reading as the arena holds it: docs/NUMERICS.md, "Readings"."""
    if values.dtype == tensor.element:
        return values
    if values.dtype == np.uint8:
        scaled = values.astype(np.int64) * tensor.pixel_multiplier + tensor.pixel_offset
        return np.clip((scaled + (1 << 15)) >> 16, -128, 127).astype(np.int8)
    with np.errstate(over="ignore"):
        scales = np.array(tensor.channel_scales or tensor.scale, np.float32)
        quotient = (values / scales).astype(np.float64)
    rounded = np.trunc(quotient + np.copysign(0.5, quotient))  # float64 holds a float32 plus a half exactly enough
    limits = np.iinfo(tensor.element)
    zero_points = np.array(tensor.channel_zero_points or tensor.zero_point)
    return np.clip(rounded + zero_points, limits.min, limits.max).astype(tensor.element)


def decode(tensor: TensorInfo, values: np.ndarray) -> np.ndarray:
    """An output in the model's own dtype."""
    if tensor.dtype == "uint8":
        return (values.astype(np.int16) + 128).astype(np.uint8)
    if tensor.dtype == "float32" and tensor.element != "float32":
        real = ((values.astype(np.float64) - tensor.zero_point) * tensor.scale).astype(np.float32)
        return _FUNCTIONS[tensor.function](real) if tensor.function else real
    return values


def _in_double(function: np.ufunc, x: np.ndarray) -> np.ndarray:
    return np.asarray(function(x.astype(np.float64))).astype(np.float32)


def _shifted(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows without their largest value; their exponentials, and the sums of these, one element after the other."""
    below = x - x.max(-1, keepdims=True)
    exponentials = _in_double(np.exp, below)
    return below, exponentials, np.cumsum(exponentials, -1, dtype=np.float32)[..., -1:]


def _softmax(x: np.ndarray) -> np.ndarray:
    _, exponentials, total = _shifted(x)
    return exponentials / total


def _log_softmax(x: np.ndarray) -> np.ndarray:
    below, _, total = _shifted(x)
    return below - _in_double(np.log, total)


_FUNCTIONS = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logistic": lambda x: FLOAT_FUNCTIONS[Logistic](None, x),
}


def run(name: str, model: Path, inputs: list[np.ndarray], weights: str, reset: bool) -> RunResult:
    description = read(model).whole
    if description.sound:
        return _listen(description, inputs[0], reset)
    arena = reference.start(description)
    rows, start = [], time.perf_counter()
    for row in zip(*inputs, strict=True):
        if reset:
            arena = reference.start(description)
        values = [encode(t, v) for t, v in zip(description.inputs, row, strict=True)]
        rows.append(reference.predict(description, arena, values))
    elapsed = time.perf_counter() - start
    return _result(description, rows, elapsed)


def _listen(model: ModelFile, pieces: np.ndarray, reset: bool) -> RunResult:
    def run(indexes: range) -> None:
        for _ in reference.run_records(model, arena, indexes):
            pass

    arena, start = reference.start(model), time.perf_counter()
    ear = reference.Ear(model, arena, run)
    rows: list[list[np.ndarray]] = []
    for samples in pieces:
        if reset:
            arena[:] = reference.start(model)
            ear = reference.Ear(model, arena, run)
        for _ in ear.due(samples):
            run(model.predict)
            rows.append([reference.view(arena, t).copy() for t in model.outputs])
    return _result(model, rows, time.perf_counter() - start)


def _result(model: ModelFile, rows: list[list[np.ndarray]], elapsed: float) -> RunResult:
    outputs = [
        decode(t, np.array([r[i] for r in rows], t.element).reshape(-1, *t.shape)) for i, t in enumerate(model.outputs)
    ]
    return RunResult(outputs, elapsed * 1e6 / max(len(rows), 1))
