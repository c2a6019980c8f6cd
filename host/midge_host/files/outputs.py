"""Where results go that nobody named a place for: beside what they are made of, never over what midge did not make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..device import spec
from ..errors import MidgeError
from .features import audio_of

PAGE = b'<meta name="generator" content="midge">'  # in the head of its pages
MODELS = "models.json"  # of a folder that holds a page of `midge web`


def _starts(path: Path, size: int) -> bytes:
    with open(path, "rb") as file:
        return file.read(size)


# By suffix, whether a file that is there is midge's own.
OURS: dict[str, Callable[[Path], bool]] = {
    ".midge": lambda path: _starts(path, len(spec.MAGIC)) == spec.MAGIC,
    ".tflite": lambda path: _starts(path, 8)[4:] == b"TFL3" and b"\x05\0\0\0midge\0" in path.read_bytes(),
    ".html": lambda path: PAGE in _starts(path, 1 << 10),
    ".npz": lambda path: bool(audio_of(path)),
}


def beside(source: Path, suffix: str) -> Path:
    """The file or the folder in the folder of `source` with its name and this suffix. Raises MidgeError where that is
    there and midge did not make it."""
    source = source if source.name not in ("", "..") else source.resolve()
    if not source.name:
        raise MidgeError(f"{source}: has no name to make one of; say with -o where to write")
    path = source.with_name((source.name if source.is_dir() else source.stem) + suffix)
    if path.is_dir():
        ours = not any(path.iterdir()) or (suffix not in OURS and (path / MODELS).exists())
    else:
        ours = not path.exists() or (suffix in OURS and OURS[suffix](path))
    if not ours:
        raise MidgeError(f"{path}: is there, and midge did not make it; say with -o where to write, there or elsewhere")
    return path
