"""Keras models, as floats, through TensorFlow's own converter.

TensorFlow runs in a child process: some models crash its converter outright, and it logs from C++ however it is
configured. An error crosses back as its message. A live model of the TensorFlow backend is converted where it lives,
with the classes that are known there.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ...errors import MidgeError, install
from .. import Loaded, Request, read_file
from .exported import Exported
from .stitch import stitch

SUFFIXES = (".keras", ".h5", ".hdf5")

_CHILD = f"import sys; from {__name__}.tensorflow import main; sys.exit(main(*sys.argv[1:]))"
_CHILD_ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "PYTHONSAFEPATH": "1",  # a tensorflow.py in the working directory is not ours to import
}
REFUSED = 2  # exit status of a child whose answer is an error message


def load(source: Path | Any, request: Request) -> Loaded:
    """The graph of a .keras or .h5 file, a SavedModel folder, or a live keras.Model. Batch size 1.

    Raises MidgeError: TensorFlow is missing, or the model or its conversion fails.
    """
    if isinstance(source, Path):
        exported = _export(source)
        data = exported.tflite if source.is_dir() else read_file(source)
        return Loaded(stitch(exported, source.stem), data)
    exported = _export_live(source)
    return Loaded(stitch(exported, source.name), exported.tflite)


def _export_live(model: Any) -> Exported:
    import keras

    if keras.backend.backend() == "tensorflow":
        from .tensorflow import export_model

        return export_model(model, model.name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{model.name}.keras")
        model.save(path)
        return _export(path)


def _export(path: Path) -> Exported:
    if importlib.util.find_spec("tensorflow") is None:
        raise MidgeError(f"{path}: Keras models need TensorFlow; {install('keras')}")
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer")
        child = subprocess.run(
            [sys.executable, "-c", _CHILD, str(path), str(answer)],
            env=os.environ | _CHILD_ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        if child.returncode == 0:
            return Exported.read(answer)
        if child.returncode == REFUSED:
            raise MidgeError(answer.read_text(encoding="utf-8"))
    log = child.stderr.decode(errors="replace")
    reason = re.findall(r".*(?:Error|Check failed).*", log)[-1:]
    status = ": ".join([f"exit status {child.returncode}", *reason])
    raise MidgeError(
        f"{path}: TensorFlow's converter crashed ({status}); loops are a known cause: replace that layer, or make a "
        ".tflite yourself"
    )
