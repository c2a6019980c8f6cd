"""Instructions of one prediction, layer by layer, on emulated cores that count them: Cortex-M4F, RISC-V and Xtensa."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from ..boards import qemu
from ..boards.repl import BoardError
from ..device import spec
from ..device.banks import CORE
from ..device.definition import HEAD
from ..device.model_file import ModelFile
from ..errors import CheckFailed, MidgeError
from . import local, xtensa
from . import qemu as qemu_backend
from .machine import Machine
from .micropython import buffers, input_bytes

ARM, RISC_V, XTENSA = "qemu-m4", "qemu-rv32", "qemu-xtensa"
SECONDS = 600


@dataclass(frozen=True)
class Count:
    """Instructions of the native modules: to copy the reading into the arena, of each layer, to copy the result; and of
    MicroPython around them, None where none runs. heap: bytes that the library, and with it the loaded model, take."""

    reading: int
    layers: list[int]
    result: int
    micropython: int | None = None
    heap: dict[str, int] | None = None


def count(backend: str, path: Path, model: ModelFile, weights: str, readings: list[np.ndarray]) -> Count:
    """readings: an array (1, *shape) of the element type for each input."""
    if backend == XTENSA:
        return _xtensa(path, model, weights, readings)
    return _micropython(backend, path, model, weights, readings)


def of_prediction(backend: str, path: Path, inputs: list[np.ndarray], weights: str = "map") -> int | None:
    """Of a prediction, on average over `inputs`; on Xtensa of the native modules alone."""
    if backend == XTENSA:
        return xtensa.run(backend, path, inputs, weights, reset=False, counting=True).instructions
    return qemu_backend.run(backend, path, inputs, weights, reset=False).instructions


def _micropython(backend: str, path: Path, model: ModelFile, weights: str, readings: list[np.ndarray]) -> Count:
    """On MicroPython, as a script runs it."""
    job = {
        "model": "/rom/model.midge" if weights == "map" else "/model.midge",
        "weights": weights,
        **buffers(model),
        "record_bytes": spec.RECORD_BYTES,
        "bank_at": HEAD.offsets["bank"],
    }
    rom, disk = {"in.bin": input_bytes(readings)}, qemu_backend.library(backend)
    (rom if weights == "map" else disk)["model.midge"] = path.read_bytes()
    with qemu.Qemu(backend, rom, disk, counting=True) as board:
        try:
            board.exec((files(qemu.__package__) / "qemu_bench.py").read_text())
            found = json.loads(board.exec(f"main({job!r})", SECONDS).strip().splitlines()[-1])
        except BoardError as error:
            kind = CheckFailed if "MemoryError" in str(error) else MidgeError
            raise kind(f"{backend}: {error}") from None
    native = found["reading"] + sum(found["layers"]) + found["result"]
    return Count(found["reading"], found["layers"], found["result"], found["whole"] - native, found["heap"])


def _xtensa(path: Path, model: ModelFile, weights: str, readings: list[np.ndarray]) -> Count:
    """The modules' machine code alone."""
    modules = xtensa.modules(counting=True)

    def executed() -> Counter[str]:
        return sum((module.instructions for module in modules.values()), Counter())

    # What a call itself takes is that of one with nothing to do.
    core, nothing = modules[CORE.module], bytearray()
    before = executed()
    core.encode(nothing, nothing, nothing)
    core.run(nothing, 0, 0, nothing, nothing)
    core.decode(nothing, nothing, nothing)
    call = executed() - before
    with xtensa.importable(modules):
        before = executed()
        local.predict(path, readings, weights, "native", threads=1)
        whole = executed() - before
        machine, layers = Machine(model), []
        before = executed()
        machine.enter(readings)
        for _ in machine.steps():
            now = executed()
            layers.append(now["run"] - before["run"] - call["run"])
            before = now
    reading = whole["encode"] - len(model.inputs) * call["encode"]
    return Count(reading, layers, whole["decode"] - len(model.outputs) * call["decode"])
