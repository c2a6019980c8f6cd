"""The device library in this Python: `cpython` and `portable`."""

from __future__ import annotations

import time
from array import array
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import midge

from ..device.banks import BANKS
from ..errors import MidgeError
from . import RunResult

TYPE_CODES = {"int8": "b", "uint8": "B", "float32": "f", "int16": "h", "int32": "i"}


def problem(name: str) -> str | None:
    if name == "cpython":
        try:
            for bank in BANKS:
                import_module(bank.module)
        except ImportError as error:
            return f"{error.name} is not built; install a C compiler and the Python headers, then midge again"
    return None


def reading(values: np.ndarray) -> Any:
    """One input as a script on a board would hold it."""
    if values.dtype == np.uint8:
        return values.tobytes()
    return array(TYPE_CODES[values.dtype.name], values.tobytes())


def _buffer(tensor: Any) -> Any:
    return bytearray(tensor.size) if tensor.dtype == "uint8" else array(TYPE_CODES[tensor.dtype], [0] * tensor.size)


def _one_or_list(values: list) -> Any:
    return values if len(values) > 1 else values[0]


def run(name: str, model: Path, inputs: list[np.ndarray], weights: str, reset: bool) -> RunResult:
    return predict(model, inputs, weights, "native" if name == "cpython" else "portable", reset)


def predict(model: Path, inputs: list[np.ndarray], weights: str, backend: str, reset: bool = False) -> RunResult:
    """Loads a model and runs it as a script does, `reset` before each reading or never."""
    try:
        loaded = midge.load(str(model), weights, backend)
    except (ValueError, MemoryError, OSError, ImportError) as error:
        raise MidgeError(str(error)) from None
    buffers = [_buffer(t) for t in loaded.outputs]
    outputs: list[list[np.ndarray]] = [[] for _ in buffers]
    elapsed = 0.0
    for row in zip(*inputs, strict=True):
        readings = [reading(v) for v in row]
        if reset:
            loaded.reset()
        start = time.perf_counter()
        loaded.predict_into(_one_or_list(readings), _one_or_list(buffers))
        elapsed += time.perf_counter() - start
        for rows, buffer, tensor in zip(outputs, buffers, loaded.outputs, strict=True):
            rows.append(np.frombuffer(bytes(buffer), tensor.dtype).reshape(tensor.shape))
    stacked = [np.array(rows, t.dtype).reshape(-1, *t.shape) for rows, t in zip(outputs, loaded.outputs, strict=True)]
    return RunResult(stacked, elapsed * 1e6 / max(len(inputs[0]), 1))
