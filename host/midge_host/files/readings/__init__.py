"""DATA of the command line: readings, with labels or without, from .npz, .npy, .csv, and folders of pictures, WAVs or
recordings by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np

from ...errors import MidgeError

Shape = tuple[int, ...]


@dataclass
class Readings:
    """inputs: one array (N, *shape) for each input of the model: uint8 pixels, int8, int16 or int32 as a quantised
    model takes them, or float32 real values. labels: (N,) numbers of classes, or (N, *) real values that a model is
    meant to give. classes: their names, where the data tell. where: what it was read from. notes: what the reader did
    with the data that the user should know, in words."""

    inputs: list[np.ndarray]
    labels: np.ndarray | None = None
    classes: list[str] = field(default_factory=list)
    where: str = "readings"
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.inputs[0])

    def as_real(self, pixels: tuple[float, float] = (0.0, 1.0)) -> Readings:
        """The same with float32 inputs. pixels: the real values of pixels 0 and 255; other integers are real values as
        they stand."""
        low, high = pixels
        notes = list(self.notes)
        real = []
        for x in self.inputs:
            if x.dtype == np.uint8:
                notes.append(f"{self.where}: pixels 0..255 are taken as {low:g}..{high:g}")
                x = x.astype(np.float32) * np.float32((high - low) / 255) + np.float32(low)
            real.append(x.astype(np.float32))
        return Readings(real, self.labels, self.classes, self.where, list(dict.fromkeys(notes)))

    def numbered(self, names: Sequence[str], count: int) -> np.ndarray | None:
        """(N,) labels as numbers of a model's `count` outputs, which are called `names` where it knows. Raises
        MidgeError where the classes of the data are not those of the model; None for data without classes."""
        if self.labels is None or self.labels.dtype.kind not in "iu" or self.labels.ndim != 1:
            return None
        order = np.arange(len(self.classes))
        if self.classes and set(self.classes) <= set(names):
            order = np.array([list(names).index(name) for name in self.classes])
        elif self.classes and all(name.isdecimal() for name in self.classes):
            order = np.array([int(name) for name in self.classes])
        elif self.classes and (names or len(self.classes) != count):
            known = ", ".join(names) if names else f"{count} without names"
            raise MidgeError(
                f"{self.where}: classes {', '.join(self.classes)}, but the model has {known}; "
                "name them alike (--labels gives the model's names, in order)"
            )
        labels = order[self.labels] if self.classes else self.labels
        if labels.size and not 0 <= labels.min() <= labels.max() < count:
            wrong = labels.min() if labels.min() < 0 else labels.max()
            raise MidgeError(f"{self.where}: label {wrong}, but the model's classes are 0 to {count - 1}")
        return labels


def read_readings(path: Path, shapes: Sequence[Shape]) -> Readings:
    """The readings in `path` for inputs of these shapes, with a batch of 1 in front or without.

    Raises MidgeError that says what does not fit and what is needed.
    """
    from . import folders, tables

    path = Path(path)
    suffix = path.suffix.lower()
    if not path.exists():
        raise MidgeError(f"{path}: no such file or folder; {NEEDED}")
    if path.is_dir() or suffix in folders.SUFFIXES:
        readings = folders.read(path, shapes)
    elif suffix in tables.READERS:
        readings = tables.READERS[suffix](path, shapes)
    else:
        raise MidgeError(f"{path}: cannot tell what these readings are; {NEEDED}")
    if len(readings.inputs) != len(shapes):
        raise MidgeError(
            f"{path}: {_count(len(readings.inputs), 'input')}, the model has {len(shapes)}; "
            "save them with numpy.savez as `inputs`, `inputs_1`, ..."
        )
    pairs = zip(readings.inputs, shapes, strict=True)
    inputs = [shaped(f"{path}", i, x, shape, readings.notes) for i, (x, shape) in enumerate(pairs)]
    if not len(inputs[0]):
        raise MidgeError(f"{path}: holds no readings")
    for i, x in enumerate(inputs):
        if len(x) != len(inputs[0]):
            raise MidgeError(f"{path}: {len(inputs[0])} readings of the first input, {len(x)} of input {i}")
    if readings.labels is not None and len(readings.labels) != len(inputs[0]):
        raise MidgeError(f"{path}: {len(inputs[0])} readings, but {len(readings.labels)} labels")
    readings.inputs = inputs
    return readings


NEEDED = "give an .npz, .npy or .csv file, or a folder with a folder of pictures, WAVs or recordings for each class"


def shaped(where: str, index: int, values: np.ndarray, shape: Shape, notes: list[str]) -> np.ndarray:
    """`values` as (N, *shape), of one of the types that Readings has. Dimensions of 1 may be missing or too many, a
    reading may be flat, a single one may lack its N, and channels may come first; `notes` then gets a line."""
    name = f"{where}: input {index}" if index else where
    each = shape[1:] if shape[:1] == (1,) and len(shape) > 1 else shape
    needed = f"the model takes (N, {', '.join(map(str, each))})"
    if values.dtype.kind not in "fiub":
        raise MidgeError(f"{name}: values of type {values.dtype}; {needed} numbers")
    core = _without_ones(shape)
    if values.ndim and _without_ones(values.shape[1:]) in (core, [prod(shape)]):
        values = values.reshape(len(values), *shape)
    elif _without_ones(values.shape) == core and values.size:
        values = values.reshape(1, *shape)
    else:
        turned = _channels_last(values, core)
        if turned is None:
            raise MidgeError(f"{name}: shape {values.shape}, but {needed}")
        notes.append(f"{name}: {values.shape} has its channels first; {needed}: turned around")
        values = turned.reshape(len(values), *shape)
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            values = values.astype(np.float32)
        if not np.isfinite(values).all():
            raise MidgeError(f"{name}: holds NaN or values beyond float32; check the data")
        return values
    if values.dtype.name in ("uint8", "int8", "int16", "int32"):
        return values
    return values.astype(np.float32)  # integers of a table or a program, and truth values: numbers as they stand


def _channels_last(values: np.ndarray, core: list[int]) -> np.ndarray | None:
    """Readings with channels before height and width, or before steps, behind them; None for other shapes than that of
    `core`."""
    own = _without_ones(values.shape[1:])
    if len(own) < 2 or [*own[1:], own[0]] != core:
        return None
    return np.ascontiguousarray(np.moveaxis(values.reshape(len(values), *own), 1, -1))


def _without_ones(shape: Sequence[int]) -> list[int]:
    return [n for n in shape if n != 1]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def class_numbers(names: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """(N,) numbers of the classes that `names` gives, and the classes in their order by name (numbers by size)."""
    key = (lambda name: int(name)) if all(name.isdecimal() for name in names) else str
    classes = sorted(set(names), key=key)
    numbers = {name: i for i, name in enumerate(classes)}
    return np.array([numbers[name] for name in names], np.int64), classes
