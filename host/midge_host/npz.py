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


def save(path: Path, name: str, arrays: list[np.ndarray]) -> None:
    """Writes the arrays as `name`, `name`_1, ..., the file whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{f"{name}_{i}" if i else name: a for i, a in enumerate(arrays)})
    write_whole(path, buffer.getvalue())
