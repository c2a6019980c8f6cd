"""Readings from files of arrays and numbers: .npz, .npy, .csv."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path

import numpy as np

from ...errors import MidgeError
from . import Readings, Shape, class_numbers

# What people call their arrays; the first that is there counts.
INPUTS = ("inputs", "x", "X", "x_test", "X_test", "images", "data", "features", "x_train", "X_train")
LABELS = ("labels", "y", "Y", "y_test", "Y_test", "targets", "label", "y_train", "Y_train")
COLUMNS = ("label", "labels", "class", "y", "target", "category", "species", "activity", "gesture")


def read_npz(path: Path, shapes: Sequence[Shape]) -> Readings:
    """`inputs`, `inputs_1`, ... (or `x`, `images`, ...), and `labels` (or `y`)."""
    advice = f"save it with numpy.savez({path.name!r}, inputs=..., labels=...)"
    arrays = _load(path, advice, ".npz")
    if not isinstance(arrays, dict):
        raise MidgeError(f"{path}: an .npy array under the name of an .npz; rename it, or {advice}")
    first = next((name for name in INPUTS if name in arrays), None)
    if first is None:
        held = ", ".join(f"`{name}`" for name in arrays) or "nothing"
        raise MidgeError(f"{path}: no array `inputs`, it holds {held}; {advice}")
    inputs = [arrays[first]]
    while f"{first}_{len(inputs)}" in arrays:
        inputs.append(arrays[f"{first}_{len(inputs)}"])
    label = next((name for name in LABELS if name in arrays), None)
    labels, classes = _labels(path, arrays[label]) if label else (None, [])
    return Readings(inputs, labels, classes, str(path))


def read_npy(path: Path, shapes: Sequence[Shape]) -> Readings:
    """One array; no labels."""
    advice = f"save it with numpy.save({path.name!r}, inputs)"
    array = _load(path, advice, ".npy")
    if isinstance(array, dict):
        raise MidgeError(f"{path}: an .npz under the name of an .npy; rename it, or {advice}")
    return Readings([array], where=str(path))


def _load(path: Path, advice: str, kind: str) -> np.ndarray | dict[str, np.ndarray]:
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            arrays = {name: loaded[name] for name in loaded.files}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise ValueError("a member is no array")
        return arrays
    except OSError as error:
        raise MidgeError(f"{path}: {error.strerror or 'not an ' + kind + ' file'}; {advice}") from None
    except Exception as error:  # a damaged file makes numpy, zipfile and zlib raise errors of a dozen kinds
        raise MidgeError(f"{path}: cannot be read as {kind} ({error}); {advice}") from None


def _labels(path: Path, labels: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Numbers of classes from numbers, names or rows with a single 1; other rows are real values."""
    if labels.dtype.kind in "US":
        return class_numbers([str(name) for name in labels.astype(str).reshape(-1)])
    if labels.dtype.kind not in "iufb" or not labels.ndim:
        raise MidgeError(f"{path}: labels of type {labels.dtype}; give numbers of classes, or their names")
    if labels.ndim == 2 and labels.shape[1] > 1 and _is_one_hot(labels):
        return labels.argmax(1), []
    if labels.dtype.kind == "f" and (labels.ndim > 1 or (labels != np.round(labels)).any()):
        return labels.astype(np.float32), []
    if labels.size == len(labels):
        return labels.reshape(-1).astype(np.int64), []
    return labels.astype(np.float32), []


def _is_one_hot(rows: np.ndarray) -> bool:
    return bool(((rows == 0) | (rows == 1)).all() and (rows.sum(1) == 1).all())


def read_csv(path: Path, shapes: Sequence[Shape]) -> Readings:
    """A reading a line, a value a column; one column more is the label. A first line of words is a header."""
    if len(shapes) != 1:
        raise MidgeError(f"{path}: a table holds one input, the model has {len(shapes)}; give an .npz")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MidgeError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise MidgeError(f"{path}: not a text of UTF-8; save the table as .csv (UTF-8)") from None
    counts = {mark: text.partition("\n")[0].count(mark) for mark in ",;\t"}
    mark = max(counts, key=lambda m: counts[m])
    try:
        lines = csv.reader(text.splitlines(), delimiter=mark)
        rows = [(lines.line_num, row) for row in lines if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise MidgeError(f"{path}: not a table ({error}); save it as .csv") from None
    if not rows:
        raise MidgeError(f"{path}: holds no readings")
    header: list[str] = []
    if len(rows) > 1 and any(not _is_number(a) and _is_number(b) for a, b in zip(rows[0][1], rows[1][1], strict=False)):
        header = [cell.strip() for cell in rows.pop(0)[1]]
    width = len(rows[0][1])
    for line, row in rows:
        if len(row) != width:
            raise MidgeError(f"{path}, line {line}: {len(row)} columns, the lines before have {width}")
    needed = prod(shapes[0])
    if width not in (needed, needed + 1):
        shape = "x".join(map(str, shapes[0]))
        raise MidgeError(
            f"{path}: {width} columns; the model takes {needed} values ({shape}), and there may be one for the label"
        )
    label = _label_column(header, [row for _, row in rows]) if width > needed else None
    values = np.array([_numbers(path, line, row, label) for line, row in rows], np.float32)
    if label is None:
        return Readings([values], where=str(path))
    labels, classes = _column_labels([row[label].strip() for _, row in rows])
    name = repr(header[label]) if header else str(label + 1)
    return Readings([values], labels, classes, str(path), [f"{path}: labels are in column {name}"])


def _label_column(header: list[str], rows: list[list[str]]) -> int:
    """The column called so, or the one with words, or the last."""
    named = [i for i, name in enumerate(header) if name.lower() in COLUMNS]
    words = [i for i, cell in enumerate(rows[0]) if not _is_number(cell)]
    return (named or words or [len(rows[0]) - 1])[-1]


def _column_labels(cells: list[str]) -> tuple[np.ndarray, list[str]]:
    if not all(map(_is_number, cells)):
        return class_numbers(cells)
    labels = np.array([float(cell) for cell in cells])
    return (labels.astype(np.float32) if (labels != np.round(labels)).any() else labels.astype(np.int64)), []


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(path: Path, line: int, row: list[str], label: int | None) -> list[float]:
    values = []
    for i, cell in enumerate(row):
        if i == label:
            continue
        if not _is_number(cell):
            what = f"{cell.strip()!r} is no number" if cell.strip() else "is empty"
            raise MidgeError(f"{path}, line {line}: column {i + 1} {what}; numbers have a point, as in 0.5")
        values.append(float(cell))
    return values


READERS: dict[str, Callable[[Path, Sequence[Shape]], Readings]] = {
    ".npz": read_npz,
    ".npy": read_npy,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".txt": read_csv,
}
