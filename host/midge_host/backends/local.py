"""The device library in this Python: `cpython` and `portable`."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

import midge

from ..device.banks import BANKS
from ..device.model_file import read
from ..errors import MidgeError
from . import RunResult

TYPE_CODES = {"int8": "b", "uint8": "B", "float32": "f", "int16": "h", "int32": "i"}
PART = 16  # readings that a thread takes at a time


def problem(name: str) -> str | None:
    if name == "cpython":
        try:
            for bank in BANKS:
                import_module(bank.module)
        except ImportError as error:
            return f"{error.name} is not built; install a C compiler and the Python headers, then midge again"
    return None


def run(name: str, model: Path, inputs: list[np.ndarray], weights: str, reset: bool) -> RunResult:
    return predict(model, inputs, weights, "native" if name == "cpython" else "portable", reset)


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def predict(
    model: Path, inputs: list[np.ndarray], weights: str, backend: str, reset: bool = False, threads: int | None = None
) -> RunResult:
    """Loads a model and runs it as a script does, `reset` before each reading or never.

    threads: how many share the readings, each with a copy of the model; every processor if None. The native core leaves
    Python's lock while it computes. One thread does it all on the portable core, which does not, and for a model that
    remembers, whose readings stay in order.
    """
    if read(model).sound:
        return _listen(model, inputs[0], weights, backend, reset)
    count = len(inputs[0])
    if backend == "portable" or read(model).init:
        threads = 1
    elif threads is None:
        threads = processors()
    parts = range(0, count, PART)
    copies = _copies(model, weights, backend, max(1, min(threads, len(parts))))
    tensors = copies[0].outputs
    outputs = [np.empty((count, *t.shape), t.dtype) for t in tensors]
    readings, results = [RowBuffers(x) for x in inputs], [RowBuffers(x) for x in outputs]
    idle: SimpleQueue[Any] = SimpleQueue()
    for copy in copies:
        idle.put(copy)

    def predict_part(begin: int) -> float:
        """Seconds of a processor that the predictions took."""
        copy, start = idle.get(), time.thread_time()
        try:
            for i in range(begin, min(begin + PART, count)):
                if reset:
                    copy.reset()
                copy.predict_into(_one_or_list([x[i] for x in readings]), _one_or_list([x[i] for x in results]))
        finally:
            idle.put(copy)
        return time.thread_time() - start

    if len(copies) == 1:
        elapsed = sum(map(predict_part, parts))
    else:
        with ThreadPoolExecutor(len(copies)) as pool:
            elapsed = sum(pool.map(predict_part, parts))
    return RunResult(outputs, elapsed * 1e6 / max(count, 1))


def _listen(model: Path, pieces: np.ndarray, weights: str, backend: str, reset: bool) -> RunResult:
    """Of each piece of sound the predictions that are due."""
    (loaded,) = _copies(model, weights, backend, 1)
    outputs = [np.empty(t.shape, t.dtype) for t in loaded.outputs]
    views = _one_or_list([x.reshape(-1).data for x in outputs])
    rows: list[list[np.ndarray]] = []
    start = time.thread_time()
    for samples in pieces:
        if reset:
            loaded.reset()
        loaded.predict_each(samples.data, views, lambda: rows.append([x.copy() for x in outputs]))
    elapsed = time.thread_time() - start
    stacked = [np.array([row[i] for row in rows], x.dtype).reshape(-1, *x.shape) for i, x in enumerate(outputs)]
    return RunResult(stacked, elapsed * 1e6 / max(len(rows), 1))


def _copies(model: Path, weights: str, backend: str, count: int) -> list[Any]:
    try:
        return [midge.load(str(model), weights, backend) for _ in range(count)]
    except (ValueError, MemoryError, OSError, ImportError) as error:
        raise MidgeError(str(error)) from None


class RowBuffers:
    """The rows of an array as buffers of one dimension, which a script on a board would hold; nothing is copied."""

    def __init__(self, values: np.ndarray) -> None:
        self._size = values[:1].size
        self._view = values.reshape(-1).data

    def __getitem__(self, i: int) -> memoryview:
        return self._view[i * self._size : (i + 1) * self._size]


def _one_or_list(values: list) -> Any:
    return values if len(values) > 1 else values[0]
