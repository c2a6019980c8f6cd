"""Readings from a folder: a folder of pictures, WAVs or recordings for each class, or such files without classes; or
from one such file."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np

from ...errors import MidgeError
from .. import pictures as picture_files
from ..wav import read_wav
from . import NEEDED, Readings, Shape, class_numbers

SOUNDS = (".wav",)
SERIES = (".csv",)  # recordings of a sensor: a sample a line, a value a column
SUFFIXES = picture_files.SUFFIXES + SOUNDS  # of files that may be alone


def read(path: Path, shapes: Sequence[Shape]) -> Readings:
    """The files of a folder in the order of their names. Those in its folders have these folders' names as classes."""
    if len(shapes) != 1:
        what = "a folder" if path.is_dir() else "this file"
        raise MidgeError(f"{path}: {what} holds one input, the model has {len(shapes)}; give an .npz")
    files, labels, classes = listed(path) if path.is_dir() else ([path], None, [])
    kind = _kind(files[0])
    if kind == "recordings":
        values, counts, note = _recordings(path, files, shapes[0])
        labels = None if labels is None else np.repeat(labels, counts)
    else:
        values, note = (_sounds if kind == "WAVs" else _pictures)(path, files, shapes[0])
    return Readings([values], labels, classes, str(path), [f"{path}: {note}"])


def listed(path: Path) -> tuple[list[Path], np.ndarray | None, list[str]]:
    """The files of a folder, all of one kind, with numbers and names of their classes if it has folders."""
    folders = sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))
    files = [f for folder in folders or [path] for f in _files(folder)]
    kinds = sorted({_kind(f) for f in files}, key=str.lower)
    if not files:
        raise MidgeError(f"{path}: holds no pictures, WAVs or recordings; {NEEDED}")
    if len(kinds) > 1:
        raise MidgeError(f"{path}: holds both {' and '.join(kinds)}; give a folder for each")
    for folder in folders:
        if not _files(folder):
            raise MidgeError(f"{folder}: holds no {kinds[0]}, but is a class of {path}")
    labels, classes = class_numbers([f.parent.name for f in files]) if folders else (None, [])
    return files, labels, classes


def _files(folder: Path) -> list[Path]:
    known = SUFFIXES + SERIES
    return sorted(f for f in folder.iterdir() if f.suffix.lower() in known and not f.name.startswith("."))


def _kind(file: Path) -> str:
    suffix = file.suffix.lower()
    return "WAVs" if suffix in SOUNDS else "recordings" if suffix in SERIES else "pictures"


def _recordings(path: Path, files: list[Path], shape: Shape) -> tuple[np.ndarray, list[int], str]:
    """(N, *shape) float32: of each recording the windows one behind the other, and how many it has."""
    windows = [_windows(file, shape) for file in files]
    counts = [len(w) for w in windows]
    note = f"{len(files)} recordings, {sum(counts)} windows of {windows[0].shape[1]} samples"
    return np.concatenate(windows).reshape(-1, *shape), counts, note


def _windows(file: Path, shape: Shape) -> np.ndarray:
    """(windows, samples, channels) of a recording."""
    samples = read_recording(file)
    size, channels = prod(shape), samples.shape[1]
    needed = "x".join(map(str, shape))
    if size % channels:
        raise MidgeError(f"{file}: {channels} values a sample, but the model takes {needed}")
    length = size // channels
    if len(samples) < length:
        raise MidgeError(f"{file}: {len(samples)} samples, but the model takes {length}: record longer")
    count = len(samples) // length
    return samples[: count * length].reshape(count, length, channels)


def read_recording(file: Path) -> np.ndarray:
    """(samples, channels) float32 of a .csv with a sample a line, as `midge record` writes it."""
    try:
        samples = np.loadtxt(file, np.float32, delimiter=",", ndmin=2)
    except (ValueError, OSError) as error:
        raise MidgeError(f"{file}: cannot be read as a recording, a sample a line ({error})") from None
    if not samples.size or not np.isfinite(samples).all():
        raise MidgeError(f"{file}: holds {'NaN' if samples.size else 'no samples'}; record it again")
    return samples


def _pictures(path: Path, files: list[Path], shape: Shape) -> tuple[np.ndarray, str]:
    """(N, *shape) uint8."""
    height, width, mode = _picture_size(path, shape)
    pictures = []
    resized = 0
    for file in files:
        picture = picture_files.read(file, mode)
        if picture.size != (width, height):
            resized += 1
            picture = picture_files.fit(picture, width, height)
        pictures.append(np.asarray(picture, np.uint8).reshape(shape))
    colour = "grey" if mode == "L" else "RGB"
    cut = f", {resized} of them cut to its proportions around the middle and resized" if resized else ""
    return np.stack(pictures), f"{len(pictures)} pictures of {width}x{height} pixels, {colour}{cut}"


def _picture_size(path: Path, shape: Shape) -> tuple[int, int, str]:
    """Height, width and Pillow's mode of pictures for an input of this shape."""
    core = list(shape)
    while len(core) > 2 and core[0] == 1:
        core.pop(0)
    if len(core) == 2 or (len(core) == 3 and core[2] == 1):
        return core[0], core[1], "L"
    if len(core) == 3 and core[2] == 3:
        return core[0], core[1], "RGB"
    if len(core) == 1 and int(core[0] ** 0.5) ** 2 == core[0] > 16:
        return int(core[0] ** 0.5), int(core[0] ** 0.5), "L"
    needed = "x".join(map(str, shape))
    raise MidgeError(f"{path}: pictures, but the model takes {needed} values: give these as .npz or .csv")


def _sounds(path: Path, files: list[Path], shape: Shape) -> tuple[np.ndarray, str]:
    """(N, *shape) float32 samples of -1..1."""
    core = [n for n in shape if n != 1]
    if len(core) != 1:
        needed = "x".join(map(str, shape))
        raise MidgeError(
            f"{path}: WAVs, but the model takes {needed} values, no samples: compute its features and give them as .npz"
        )
    length = core[0]
    samples = [_sound(file, length) for file in files]
    rates = {rate for _, rate in samples}
    if len(rates) > 1:
        odd = next(f for f, (_, rate) in zip(files, samples, strict=True) if rate != samples[0][1])
        raise MidgeError(f"{odd}: another sample rate than the files before it; convert all to that of the training")
    values = np.stack([values for values, _ in samples]).reshape(-1, *shape)
    seconds = length / samples[0][1]
    return values, f"{len(files)} WAVs at {samples[0][1]} Hz, {seconds:g} seconds from the middle of each, as -1..1"


def _sound(file: Path, length: int) -> tuple[np.ndarray, int]:
    """The middle `length` samples as float32 of -1..1, and the samples a second."""
    values, rate = read_wav(file)
    if len(values) < length:
        raise MidgeError(f"{file}: {len(values)} samples ({rate} a second), but the model takes {length}")
    first = (len(values) - length) // 2
    return values[first : first + length].astype(np.float32) / np.float32(32768), rate
