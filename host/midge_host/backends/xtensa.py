"""The ESP32's native module on an emulated core, under the device library in this Python."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from unittest import mock

import numpy as np

import midge._model  # noqa: F401  (patch.dict forgets what is imported meanwhile)

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
def _modules() -> dict[str, xtensa.NativeModule]:
    """An emulated core for each module, for all models."""
    modules = native_files(ARCHITECTURE) or {}
    return {name.removesuffix(".mpy"): xtensa.NativeModule(data) for name, data in modules.items()}


def run(name: str, model: Path, inputs: list[np.ndarray], weights: str) -> RunResult:
    """`instructions` are those of the native modules; the library around them runs in this Python."""
    modules = _modules()
    for module in modules.values():
        module.instructions.clear()
    try:
        with mock.patch.dict(sys.modules, modules):
            outputs = local.predict(model, inputs, weights, "native").outputs
    except MidgeError:
        _modules.cache_clear()  # a core may have stopped
        raise
    executed = sum(m.instructions[function] for m in modules.values() for function in ("encode", "run", "decode"))
    return RunResult(outputs, instructions=executed // max(len(inputs[0]), 1))
