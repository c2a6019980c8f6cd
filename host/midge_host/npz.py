"""Arrays in and out of .npz files: `inputs`, `inputs_1`, ..."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from .convert import write_whole
from .errors import MidgeError


def load(path: Path, name: str) -> list[np.ndarray]:
    """The arrays `name`, `name`_1, ... of an .npz file; MidgeError when it holds none or cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile) or name not in file:
                raise MidgeError(f"{path}: no array `{name}`; save it with numpy.savez({path.name!r}, {name}=...)")
            arrays = [file[name]]
            while f"{name}_{len(arrays)}" in file:
                arrays.append(file[f"{name}_{len(arrays)}"])
            return arrays
    except FileNotFoundError:
        raise MidgeError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise MidgeError(f"{path}: not a readable .npz file ({error})") from None


def save(path: Path, name: str, arrays: list[np.ndarray]) -> None:
    """Writes the arrays as `name`, `name`_1, ..., the file whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{f"{name}_{i}" if i else name: a for i, a in enumerate(arrays)})
    write_whole(path, buffer.getvalue())
