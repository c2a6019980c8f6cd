"""Where a model can run, behind one call.

run() gives the same bytes on every backend. A backend module has `problem(name)`, None or why it cannot run
here, and `run(name, model, inputs, weights, reset)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

from ..device.model_file import ModelFile, TensorInfo, read
from ..errors import MidgeError

# Name of a backend: its module here, and what it is.
BACKENDS = {
    "cpython": ("local", "the device library under CPython with the native core"),
    "portable": ("local", "the device library under CPython in pure Python"),
    "numpy": ("numpy", "the NumPy reference"),
    "micropython": ("micropython", "MicroPython (unix port) with the native module"),
    "micropython-portable": ("micropython", "MicroPython (unix port) in pure Python"),
    "wasm": ("wasm", "what runs in a browser, under node"),
    "pico": ("pico", "MicroPython on an emulated Raspberry Pi Pico, cycles counted"),
    "qemu-m0": ("qemu", "MicroPython on an emulated Cortex-M0, as in an RP2040"),
    "qemu-m3": ("qemu", "MicroPython on an emulated Cortex-M3"),
    "qemu-m4": ("qemu", "MicroPython on an emulated Cortex-M4F"),
    "qemu-rv32": ("qemu", "MicroPython on an emulated RISC-V core, as in an ESP32-C3"),
    "qemu-xtensa": ("xtensa", "the native module on an emulated Xtensa core, as in an ESP32"),
}
WEIGHTS = ("auto", "ram", "map", "stream")
# Types of array that a reading may be, by the element type of the model's input.
READINGS = {
    "int8": ("int8", "uint8", "float32"),
    "int16": ("int16", "float32"),
    "int32": ("int32",),
    "float32": ("float32",),
}


@dataclass
class RunResult:
    """Outputs as (N, *shape) in the model's own dtypes; the mean time of a prediction (of a processor, on this PC);
    MicroPython's heap that the loaded model takes, library and native module included; instructions and cycles of a
    prediction, on average."""

    outputs: list[np.ndarray]
    microseconds: float | None = None
    heap_bytes: int | None = None
    instructions: int | None = None
    cycles: int | None = None


def problem(name: str) -> str | None:
    """Why a backend cannot run here; None if it can."""
    return _module(name).problem(name)


def quickest() -> str:
    """The quickest backend of those that need nothing else to be installed."""
    return "numpy" if problem("cpython") else "cpython"


def run(name: str, model: Path, inputs: list[np.ndarray], weights: str = "auto", reset: bool = False) -> RunResult:
    """Runs `model` on N inputs in order, its state kept between them, or with `reset` forgotten before each.

    inputs: one array (N, *shape) per model input: int8 (int16, int32 where the model has that) as it is, uint8
    pixels, or float32 real values. Of a model that takes sound (N, samples) int16, pieces of any length: the outputs
    are then those of the predictions that were due, however many.
    Raises MidgeError when an input does not fit, or the backend cannot run here.
    """
    if weights not in WEIGHTS:
        raise MidgeError(f"--weights {weights}: choose one of {', '.join(WEIGHTS)}")
    why = problem(name)
    if why:
        raise MidgeError(f"backend {name}: {why}")
    description = read(model)
    return _module(name).run(name, model, checked(description, inputs), weights, reset)


def random_readings(model: ModelFile) -> list[np.ndarray]:
    """One for each input, as the model holds it; of sound a hop."""
    rng = np.random.default_rng(0)
    if model.sound:
        return [rng.integers(-32768, 32768, (1, model.sound.hop)).astype(np.int16)]
    bytes_of = [rng.integers(-128, 128, t.bytes).astype(np.int8) for t in model.inputs]
    return [b.view(t.element).reshape(1, *t.shape) for b, t in zip(bytes_of, model.inputs, strict=True)]


def _module(name: str):
    if name not in BACKENDS:
        raise MidgeError(f"no backend {name!r}; there are {', '.join(BACKENDS)}")
    return import_module(f".{BACKENDS[name][0]}", __name__)


def checked(model: ModelFile, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """The inputs of run() as (N, *shape); MidgeError where one does not fit."""
    if len(inputs) != len(model.inputs):
        raise MidgeError(f"the model has {len(model.inputs)} inputs, the file {len(inputs)}")
    count = len(inputs[0]) if inputs[0].ndim else 0
    is_sound = model.sound is not None
    return [_check_input(t, x, count, is_sound) for t, x in zip(model.inputs, inputs, strict=True)]


def _check_input(tensor: TensorInfo, values: np.ndarray, count: int, is_sound: bool) -> np.ndarray:
    where = f"input {tensor.name!r}"
    if is_sound:
        if values.dtype != np.int16 or values.ndim < 2:
            raise MidgeError(f"{where}: {values.dtype} of shape {values.shape}; give sound as int16 (N, samples)")
        return np.ascontiguousarray(values).reshape(count, -1)
    if values.dtype == np.float64:
        with np.errstate(over="ignore"):
            values = values.astype(np.float32)
    known = READINGS[tensor.element]
    if values.dtype.name not in known:
        raise MidgeError(f"{where}: dtype {values.dtype}; give {_listed(known)}")
    if values.ndim and len(values) != count:
        raise MidgeError(f"{where}: {len(values)} readings, but {count} for the first input")
    if values.ndim == 0 or values.size != count * tensor.size:
        raise MidgeError(f"{where}: shape {values.shape}, (N, {', '.join(map(str, tensor.shape))}) needed")
    if values.dtype == np.float32 and np.isnan(values).any() and not tensor.takes_nan:
        raise MidgeError(f"{where}: holds NaN; check the data")
    return np.ascontiguousarray(values).reshape(count, *tensor.shape)


def _listed(names: tuple[str, ...]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
