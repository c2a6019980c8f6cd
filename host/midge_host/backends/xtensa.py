"""The ESP32's native module on an emulated core, under the device library in this Python."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..boards import xtensa
from ..deploy.library import native_files
from ..errors import MidgeError
from . import RunResult, local

ARCHITECTURE = "xtensawin"


def problem(name: str) -> str | None:
    if not native_files(ARCHITECTURE):
        return "its native modules are not built; run: make natmods"
    return xtensa.problem()


@cache
def modules(counting: bool = False) -> dict[str, xtensa.NativeModule]:
    """An emulated core for each module, for all models."""
    files = native_files(ARCHITECTURE) or {}
    return {name.removesuffix(".mpy"): xtensa.NativeModule(data, counting) for name, data in files.items()}


@contextlib.contextmanager
def importable(found: dict[str, Any]) -> Iterator[None]:
    """These modules are what `import` finds, whatever it found before."""
    before = {name: sys.modules.get(name) for name in found}
    sys.modules.update(found)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def run(
    name: str, model: Path, inputs: list[np.ndarray], weights: str, reset: bool, counting: bool = False
) -> RunResult:
    """The library around the native modules runs in this Python. counting: `instructions` are those of the modules."""
    on_core = modules(counting)
    for module in on_core.values():
        module.instructions.clear()
    try:
        with importable(on_core):
            outputs = local.predict(model, inputs, weights, "native", reset, threads=1).outputs
    except MidgeError:
        modules.cache_clear()  # a core may have stopped
        raise
    executed = sum(m.instructions[function] for m in on_core.values() for function in ("encode", "run", "decode"))
    return RunResult(outputs, instructions=executed // max(len(inputs[0]), 1) if counting else None)
