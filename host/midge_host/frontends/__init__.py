"""Front doors: whatever a model comes as leaves here as a graph."""

from __future__ import annotations

from pathlib import Path

from ..errors import MidgeError
from ..ir.graph import Graph
from . import keras, tflite


def load(source: Path, calibration: Path | None = None) -> tuple[Graph, bytes]:
    """The graph of a model file, and the bytes its provenance is taken from.

    Raises MidgeError when the file is missing, unreadable or of a kind that midge does not know.
    """
    if not source.exists():
        raise MidgeError(f"{source}: no such file")
    if source.is_dir() and not any((source / f"saved_model.{suffix}").exists() for suffix in ("pb", "pbtxt")):
        raise MidgeError(f"{source}: not a SavedModel; give a model file or the folder that holds saved_model.pb")
    kind = source.suffix.lower()
    if kind in (".keras", ".h5", ".hdf5") or source.is_dir():
        data = keras.keras_to_tflite(source, calibration)
    elif kind == ".tflite":
        if calibration is not None:
            raise MidgeError(f"{source}: a .tflite is quantised already; --calibration goes with Keras models")
        try:
            data = source.read_bytes()
        except OSError as error:
            raise MidgeError(f"{source}: {error.strerror}") from None
    else:
        raise MidgeError(f"{source}: cannot tell what this is; midge reads .tflite, .keras, .h5 and SavedModel folders")
    return tflite.load_tflite(data, source.name), data
