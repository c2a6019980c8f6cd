"""Models that learn, and a long life of one, which has to leave the same bytes wherever it is lived."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from midge_host.conversion import convert, learning
from midge_host.conversion.learning.methods import methods
from midge_host.device import model_file
from midge_host.device.model_file import ModelFile
from tflite_models import ModelBuilder

SIZE, ZERO = 16, -7
LABELS = ["low", "middle", "high"]
METHODS = [method.text for method in methods(SIZE)]
ACTIONS = 200

# Adds, trains, forgets, saves and restores by turns; a CRC-32 of each saved file, and what was told.
LIFE = """
import json
import os
from array import array
from binascii import crc32

import midge

class Draw:
    def __init__(self, seed):
        self.x = seed

    def below(self, count):
        self.x = (self.x * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self.x >> 16) * count >> 16

def live(path, backend, actions, saved):
    model = midge.load(path, backend=backend)
    learner = model.learner()
    draw = Draw(7)
    crcs, told = [], []
    for i in range(actions):
        kind = draw.below(8)
        label = ("low", "middle", "high", "new", "newer")[draw.below(5)]
        reading = array("b", [draw.below(256) - 128 for _ in range(SIZE)])
        if kind < 4:
            learner.add(reading, label)
        elif kind == 4:
            told.append(learner.classify(reading)[0])
        elif kind == 5:
            learner.train(1)
        elif kind == 6 and label in learner.labels:
            learner.forget(label)
        elif kind == 7:
            learner.save(saved)
            with open(saved, "rb") as file:
                crcs.append(crc32(file.read()))
            learner = model.learner(saved)
    return [learner.method, crcs, told]
""".replace("SIZE", str(SIZE))


def data(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Readings, int8 (N, 16), of three classes, and the class of each."""
    random = np.random.default_rng(3)
    y = np.arange(count) % len(LABELS)
    centres = random.integers(-60, 60, (len(LABELS), SIZE))
    return np.clip(centres[y] + random.normal(0, 12, (count, SIZE)), -128, 127).astype(np.int8), y


def source(folder: Path) -> Path:
    """A .tflite whose embedding is its reading."""
    m = ModelBuilder()
    x = m.tensor((1, SIZE), "int8", (0.05, ZERO))
    weights = np.random.default_rng(1).integers(-127, 127, (3, SIZE)).astype(np.int8)
    y = m.fully_connected(m.relu(x), weights, weight_scales=0.01, quant=(0.5, 0))
    path = folder / "learns.tflite"
    path.write_bytes(m.build([x], [y]))
    return path


def model(folder: Path, method: str) -> ModelFile:
    """Writes learns.midge, which learns by `method`."""
    x, y = data()
    made = convert(source(folder), folder / "learns.midge", learn="auto")
    (chosen,) = (m for m in methods(SIZE) if m.text == method)
    seen = learning.seen(made, [x])
    made.learning = chosen.prepare(made.learning, seen, y, LABELS)
    (folder / "learns.midge").write_bytes(made.to_bytes())
    return model_file.read(folder / "learns.midge")


def lived(path: Path, backend: str, saved: Path, actions: int = ACTIONS) -> list:
    """The same life in this Python."""
    names: dict = {}
    exec(LIFE, names)
    return json.loads(json.dumps(names["live"](str(path), backend, actions, str(saved))))
