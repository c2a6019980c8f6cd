"""What a model sees in a reading before its last layer: its embedding."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import midge

from ...backends.local import RowBuffers
from ...device import spec
from ...device.learning import Learning
from ...device.model_file import ModelFile
from ...device.program import Program
from ...errors import MidgeError
from ...ir.graph import Tensor

LAYERS = ("CONV_2D", "FULLY_CONNECTED")  # the last of them tells the classes apart


def kept(program: Program, learn: str | None, exemplars: object, to: str) -> Tensor | None:
    """What a learner sees."""
    if exemplars is not None and learn is None:
        raise MidgeError("--exemplars and --impostors are for a model that learns: say with --learn from which layer")
    if learn is None:
        return None
    if to == "tflite":
        raise MidgeError("--to tflite has no learner: leave --learn out")
    return embedding(program, learn)


def embedding(program: Program, layer: str) -> Tensor:
    """The tensor that a learner sees: `layer`'s output, or for "auto" the input of the last layer with weights."""
    steps = program.steps[program.init_count :]
    if layer == "auto":
        found = [step.inputs[0] for step in steps if step.operator in LAYERS]
        if not found or any(found[-1] is tensor for tensor in program.inputs):
            raise MidgeError("--learn auto: there is no layer with weights behind another one; name a layer")
    else:
        found = [step.output for step in steps if step.name == layer]
        if not found:
            names = ", ".join(dict.fromkeys(step.name for step in steps))
            raise MidgeError(f"--learn {layer}: no such layer; there are {names}")
    tensor = found[-1]
    most = spec.LEARN_LIMITS["size"]
    if tensor.dtype != "int8" or tensor.size > most or tensor.scale.size != 1:
        raise MidgeError(
            f"--learn {layer}: {tensor.name} has {tensor.size:,} values of {tensor.dtype}; a learner takes up to "
            f"{most:,} of int8 with one scale. Name a layer behind it, or pool before the last one"
        )
    return tensor


def seen(model: ModelFile, readings: list[np.ndarray]) -> np.ndarray:
    """int8 (N, size): what a model with `learning` sees in each of N readings."""
    assert isinstance(model.learning, Learning)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.midge"
        path.write_bytes(model.to_bytes())
        learner = midge.load(str(path)).learner()
        inputs = [RowBuffers(x) for x in readings]
        found = np.empty((len(readings[0]), model.learning.size), np.int8)
        for i in range(len(found)):
            reading = [x[i] for x in inputs]
            embedded = learner.see(reading if len(reading) > 1 else reading[0])
            found[i] = np.frombuffer(embedded or b"", np.int8)
    return found
