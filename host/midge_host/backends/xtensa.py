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

NATIVE_MODULE = "midge_native-xtensawin.mpy"


def problem(name: str) -> str | None:
    if not (files("midge_host.prebuilt") / NATIVE_MODULE).is_file():
        return "its native module is not built; run: make natmods"
    return xtensa.problem()


@cache
def _module() -> xtensa.NativeModule:
    """One emulated core for all models."""
    return xtensa.NativeModule((files("midge_host.prebuilt") / NATIVE_MODULE).read_bytes())


def run(name: str, model: Path, inputs: list[np.ndarray], weights: str) -> RunResult:
    """`instructions` are those of the native module; the library around it runs in this Python."""
    module = _module()
    module.instructions.clear()
    try:
        with mock.patch.dict(sys.modules, midge_native=module):
            outputs = local.predict(model, inputs, weights, "native").outputs
    except MidgeError:
        _module.cache_clear()  # the core may have stopped
        raise
    executed = sum(module.instructions[function] for function in ("encode", "run", "decode"))
    return RunResult(outputs, instructions=executed // max(len(inputs[0]), 1))
