"""DATA of the command line: readings, with labels or without, from .npz, .npy, .csv and folders of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import MidgeError
from . import load_arrays


@dataclass
class Readings:
    """inputs: one array (N, *shape) for each input of the model. labels: (N,) numbers of classes, if the data has
    them. classes: their names, where the data tells (folders). where: what it was read from, for messages."""

    inputs: list[np.ndarray]
    labels: np.ndarray | None = None
    classes: list[str] = field(default_factory=list)
    where: str = "readings"

    def __len__(self) -> int:
        return len(self.inputs[0])


def read_readings(path: Path, shapes: Sequence[tuple[int, ...]]) -> Readings:
    """The readings in `path` for inputs of these shapes (without batch). Raises MidgeError that says what does not
    fit and what is needed."""
    inputs = load_arrays(path, "inputs")
    if len(inputs) != len(shapes):
        raise MidgeError(f"{path}: {len(inputs)} inputs, the model has {len(shapes)}")
    return Readings([x.reshape(-1, *shape) for x, shape in zip(inputs, shapes, strict=True)], where=str(path))
