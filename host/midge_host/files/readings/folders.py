"""Readings from a folder: a folder of pictures or of WAVs for each class, or such files without classes."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...errors import MidgeError, install
from . import NEEDED, Readings, Shape, class_numbers

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm")
SOUNDS = (".wav",)


def read(path: Path, shapes: Sequence[Shape]) -> Readings:
    """The files of a folder in the order of their names. Those in its folders have these folders' names as classes."""
    if len(shapes) != 1:
        raise MidgeError(f"{path}: a folder holds one input, the model has {len(shapes)}; give an .npz")
    folders = sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))
    files = [f for folder in folders or [path] for f in _files(folder)]
    kinds = {f.suffix.lower() in SOUNDS for f in files}
    if not files:
        raise MidgeError(f"{path}: holds no pictures and no WAVs; {NEEDED}")
    if len(kinds) > 1:
        raise MidgeError(f"{path}: holds both pictures and WAVs; give a folder for each")
    for folder in folders:
        if not _files(folder):
            raise MidgeError(f"{folder}: holds no {'WAVs' if True in kinds else 'pictures'}, but is a class of {path}")
    labels, classes = class_numbers([f.parent.name for f in files]) if folders else (None, [])
    values, note = (_sounds if True in kinds else _pictures)(path, files, shapes[0])
    return Readings([values], labels, classes, str(path), [f"{path}: {note}"])


def _files(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.suffix.lower() in PICTURES + SOUNDS and not f.name.startswith("."))


def _pictures(path: Path, files: list[Path], shape: Shape) -> tuple[np.ndarray, str]:
    """(N, *shape) uint8."""
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise MidgeError(f"{path}: pictures need Pillow; {install('pictures')}") from None
    height, width, mode = _picture_size(path, shape)
    pictures = []
    resized = 0
    for file in files:
        try:
            with Image.open(file) as opened:
                picture = ImageOps.exif_transpose(opened).convert(mode)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise MidgeError(f"{file}: cannot be read as a picture ({error}); delete it or save it again") from None
        if picture.size != (width, height):
            resized += 1
            picture = ImageOps.fit(picture, (width, height), Image.Resampling.BILINEAR)
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
    try:
        with wave.open(str(file)) as sound:
            channels, width, rate, count = sound.getparams()[:4]
            data = sound.readframes(count)
    except (wave.Error, EOFError, OSError) as error:
        reason = str(error) or "it ends too soon"
        raise MidgeError(f"{file}: cannot be read as WAV ({reason}); save it as 16-bit PCM") from None
    if channels != 1 or width != 2:
        raise MidgeError(f"{file}: {channels} channels of {8 * width} bits; save it as mono with 16 bits")
    values = np.frombuffer(data[: len(data) // 2 * 2], "<i2")
    if len(values) < length:
        raise MidgeError(f"{file}: {len(values)} samples ({rate} a second), but the model takes {length}")
    first = (len(values) - length) // 2
    return values[first : first + length].astype(np.float32) / np.float32(32768), rate
