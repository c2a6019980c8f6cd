"""What leaves TensorFlow: a .tflite of floats, cut at the recurrent layers, and those layers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

KERNELS = ("kernel", "recurrent_kernel", "bias")


class Place(NamedTuple):
    """A tensor at the edge of the .tflite, "input" or "output", by its number there."""

    edge: str
    number: int


@dataclass
class Layer:
    """A recurrent layer. sources: the sequences, then the states before the first step, if the model gives them.
    results: inputs of the .tflite, which stand for the layer's output and, with return_state, its last states.

    weights: as Keras has them, KERNELS; without bias, zeros.
    """

    name: str
    kind: str  # LSTM, GRU or SimpleRNN
    sources: list[Place]
    results: list[int]
    activation: str
    recurrent_activation: str
    sequences: bool
    backwards: bool
    stateful: bool
    reset_after: bool
    weights: list[np.ndarray] = field(default_factory=list)


@dataclass
class Exported:
    """inputs: names and shapes of the model's inputs; those that stand for results of layers follow in the .tflite.
    outputs: of the model. A model of recurrent layers only has no .tflite."""

    tflite: bytes
    inputs: list[tuple[str, tuple[int, ...]]]
    outputs: list[Place]
    layers: list[Layer]

    def write(self, path: Path) -> None:
        layers = [asdict(layer) | {"weights": []} for layer in self.layers]
        text = json.dumps({"inputs": self.inputs, "outputs": self.outputs, "layers": layers})
        arrays: dict[str, Any] = {
            f"{i}/{name}": array
            for i, layer in enumerate(self.layers)
            for name, array in zip(KERNELS, layer.weights, strict=True)
        }
        with open(path, "wb") as file:
            np.savez(file, tflite=np.frombuffer(self.tflite, np.uint8), text=np.array(text), **arrays)

    @classmethod
    def read(cls, path: Path) -> Exported:
        with np.load(path, allow_pickle=False) as file:
            text = json.loads(file["text"].item())
            layers = []
            for i, values in enumerate(text["layers"]):
                values["sources"] = [Place(*place) for place in values["sources"]]
                layers.append(Layer(**values | {"weights": [file[f"{i}/{name}"] for name in KERNELS]}))
            inputs = [(name, tuple(shape)) for name, shape in text["inputs"]]
            return cls(file["tflite"].tobytes(), inputs, [Place(*place) for place in text["outputs"]], layers)
