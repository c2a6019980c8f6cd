"""The ESP32's native module on an emulated core, under the device library in this Python."""

from __future__ import annotations

import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from unittest import mock

import numpy as np

import midge._model  # noqa: F401  (patch.dict forgets what is imported meanwhile)

from ..boards import xtensa
from ..errors import MidgeError
from . import RunResult, local

MODULES = ("midge_native", "midge_extra")


def problem(name: str) -> str | None:
    if not all(_file(module).is_file() for module in MODULES):
        return "its native modules are not built; run: make natmods"
    return xtensa.problem()


def _file(module: str):
    return files("midge_host.prebuilt") / f"{module}-xtensawin.mpy"


@cache
def _modules() -> dict[str, xtensa.NativeModule]:
    """An emulated core for each module, for all models."""
    return {module: xtensa.NativeModule(_file(module).read_bytes()) for module in MODULES}


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
