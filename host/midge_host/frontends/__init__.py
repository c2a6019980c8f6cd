"""Front doors: whatever a model comes as leaves here as a graph, of floats or quantised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import MidgeError
from ..ir.graph import Graph
from . import foreign
from .sound import Audio


@dataclass(frozen=True)
class Request:
    """What a front door may want to know.

    example: a typical input, or several, as arrays with their batch of 1: shapes for models that have none of their
    own (PyTorch modules, scikit-learn estimators). signature: which one of a file with several. trust: whether files
    may be opened that can run code (pickles).
    """

    example: Sequence[np.ndarray] = ()
    signature: str | None = None
    trust: bool = False


@dataclass
class Loaded:
    """A model as it came in. data: the bytes its provenance is taken from. labels: names of classes, where the model
    knows them. notes: choices that the user should hear of, in words. audio: how it hears, where the source says."""

    graph: Graph
    data: bytes
    labels: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    audio: Audio | None = None


class Door(NamedTuple):
    """module: here, imported when it is needed; it has `load(source, request) -> Loaded`. what: the files, in words."""

    module: str
    suffixes: tuple[str, ...]
    what: str


DOORS = (
    Door("tflite", (".tflite",), ".tflite"),
    Door("keras", (".keras", ".h5", ".hdf5"), ".keras, .h5 and SavedModel folders"),
    Door("onnx", (".onnx",), ".onnx"),
    Door("torch", (".pt2",), ".pt2"),
    Door("xgboost", (".json", ".ubj"), "XGBoost's .json, microWakeWord's .json"),
    Door("lightgbm", (".txt",), "LightGBM's .txt"),
    Door("sklearn", (".skops", ".pkl", ".pickle", ".joblib"), "scikit-learn's .skops and pickles"),
)
# Live models, by the package that a class of theirs comes from: the module here that takes them.
OBJECTS: dict[str, str] = {
    "keras": "keras",
    "torch": "torch",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "sklearn": "sklearn",
}


def load(source: Path | Any, request: Request = Request()) -> Loaded:
    """The graph of a model: a file, a folder, or an object of a package in OBJECTS.

    Raises MidgeError when the file is missing, unreadable or of a kind that midge does not know.
    """
    if not isinstance(source, Path):
        return _door_of_object(source)(source, request)
    if not source.exists():
        raise MidgeError(f"{source}: no such file")
    if source.is_dir() and not any((source / f"saved_model.{suffix}").exists() for suffix in ("pb", "pbtxt")):
        raise MidgeError(f"{source}: not a SavedModel; give a model file or the folder that holds saved_model.pb")
    module = "keras" if source.is_dir() else next((d.module for d in DOORS if source.suffix.lower() in d.suffixes), "")
    if module == "xgboost" and source.suffix.lower() == ".json":
        module = _of_json(source)
    if not module:
        known = ", ".join(door.what for door in DOORS)
        what = foreign.describe(source)
        raise MidgeError(f"{source}: {what}" if what else f"{source}: cannot tell what this is; midge reads {known}")
    return import_module(f".{module}", __name__).load(source, request)


def _of_json(source: Path) -> str:
    """Of the two kinds of models that come as JSON."""
    from .microwakeword import is_manifest

    return "microwakeword" if is_manifest(source) else "xgboost"


def _door_of_object(model: Any) -> Callable[[Any, Request], Loaded]:
    packages = {kind.__module__.partition(".")[0] for kind in type(model).__mro__}
    for package, module in OBJECTS.items():
        if package in packages:
            return import_module(f".{module}", __name__).load
    known = ", ".join(OBJECTS) or "none yet"
    raise MidgeError(f"{type(model).__name__}: not a model that midge knows; it takes files, and objects of {known}")


def read_file(source: Path) -> bytes:
    """The bytes of a model file; MidgeError when it cannot be read."""
    try:
        return source.read_bytes()
    except OSError as error:
        raise MidgeError(f"{source}: {error.strerror}") from None
