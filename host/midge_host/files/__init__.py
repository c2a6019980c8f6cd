"""Files in and out: written whole or not at all; arrays in .npz files as `inputs`, `inputs_1`, ..."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MidgeError


def load_arrays(path: Path, name: str) -> list[np.ndarray]:
    """The arrays `name`, `name`_1, ... of an .npz file; MidgeError when it holds none or cannot be read."""
    advice = f"save the arrays with numpy.savez({path.name!r}, {name}=...)"
    try:
        with open(path, "rb") as raw:
            if not zipfile.is_zipfile(raw):
                raise MidgeError(f"{path}: not an .npz file; {advice}")
        with np.load(path, allow_pickle=False) as file:
            if name not in file:
                raise MidgeError(f"{path}: no array `{name}`; {advice}")
            arrays = [file[name]]
            while f"{name}_{len(arrays)}" in file:
                arrays.append(file[f"{name}_{len(arrays)}"])
            if not all(isinstance(array, np.ndarray) for array in arrays):
                raise ValueError("a member is no array")
            return arrays
    except MidgeError:
        raise
    except OSError as error:
        raise MidgeError(f"{path}: {error.strerror or error}") from None
    except Exception as error:  # a damaged file makes numpy, zipfile and zlib raise errors of a dozen kinds
        raise MidgeError(f"{path}: cannot be read as .npz ({error}); {advice}") from None


def save_arrays(path: Path, name: str, arrays: list[np.ndarray]) -> None:
    """Writes the arrays as `name`, `name`_1, ..., the file whole or not at all."""
    write_arrays(path, {f"{name}_{i}" if i else name: array for i, array in enumerate(arrays)})


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Writes an .npz file of these arrays, whole or not at all."""
    buffer = io.BytesIO()
    named: dict[str, Any] = dict(arrays)
    np.savez_compressed(buffer, **named)
    write_whole(path, buffer.getvalue())


def refuse_overwriting(output: Path, *inputs: Path | None) -> None:
    """Raises MidgeError when `output` is one of the files that are read."""
    for path in inputs:
        if path is not None and Path(output).exists() and Path(path).exists() and os.path.samefile(output, path):
            raise MidgeError(f"{output}: the output would overwrite the input {path}; choose another name")


def write_whole(path: Path, data: bytes) -> None:
    """Writes `path` at once: a reader sees the former file or the new one, whatever happens meanwhile."""
    target = os.path.realpath(path)  # behind a link, the file itself
    if os.path.exists(target) and not os.path.isfile(target):
        raise MidgeError(f"{path}: is there and is no file; choose another name")
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:64]}.", dir=os.path.dirname(target))
    except OSError as error:
        raise MidgeError(f"{path}: cannot write here ({error.strerror}); choose another folder") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, target)
    except BaseException as error:
        os.unlink(temporary)
        if isinstance(error, OSError):
            raise MidgeError(f"{path}: cannot write ({error.strerror})") from None
        raise
