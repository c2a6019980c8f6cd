"""Files that are no models that midge reads: what they are, by their names and contents, and the way out."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

_ONNX = "export it with torch.onnx.export and convert the .onnx"
_STATE = (
    "weights of PyTorch without the model (a state dict); load them into the module, and give that to "
    "midge_host.convert, or export it with torch.export.save (.pt2) or torch.onnx.export (.onnx)"
)
_PICKLE = "a pickle, which can run any code; save the model in a format of its own (.skops, .onnx, .json)"
_ARRAY = "a model as an array of C; convert the .tflite that it was made of"
_BY_SUFFIX = {
    ".pth": _STATE,
    ".pt": _STATE,
    ".ckpt": "a checkpoint: weights without the model; load them into the model and save that",
    ".safetensors": "weights without the model; load them into the model and save that",
    ".pkl": _PICKLE,
    ".pickle": _PICKLE,
    ".joblib": _PICKLE,
    ".pb": "a graph of TensorFlow; give the SavedModel's folder, which holds saved_model.pb and its variables",
    ".mlmodel": "a Core ML model; convert the model that it was made of",
    ".mlpackage": "a Core ML model; convert the model that it was made of",
    ".tflm": "a model in C or for one runtime only; convert the .tflite that it was made of",
    ".cc": _ARRAY,
    ".cpp": _ARRAY,
    ".c": _ARRAY,
    ".h": _ARRAY,
    ".hpp": _ARRAY,
    ".eim": "a program of Edge Impulse; download the model's .tflite from its dashboard",
    ".engine": "a TensorRT engine; convert the .onnx that it was made of",
    ".param": "an ncnn model; convert the .onnx that it was made of",
    ".xml": "an OpenVINO model; convert the model that it was made of",
    ".midge": "converted already: `midge info` shows what it holds",
}
_HEAD = 4096  # bytes that tell a file's kind


def describe(path: Path) -> str:
    """What a file is, and what to do; "" for one that nobody knows."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        head = b""
    by_content = _of_archive(path) if zipfile.is_zipfile(path) else _of_bytes(head)
    by_name = _BY_SUFFIX.get(path.suffix.lower(), "")
    return by_name if by_content == _PICKLE and by_name else by_content or by_name


def _of_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return ""
    ends = {name.rpartition("/")[2] for name in names}
    if {"config.json", "model.weights.h5"} <= ends:
        return "a Keras model; name it .keras"
    if "data.pkl" in ends:
        if any("/code/" in name for name in names):
            return f"a TorchScript module; {_ONNX}, or export the module with torch.export.save (.pt2)"
        return _STATE
    models = [name for name in names if name.lower().endswith((".tflite", ".onnx", ".keras", ".h5", "saved_model.pb"))]
    if models:
        return f"an archive; unpack it and convert {models[0]}"
    return "an archive (.zip) without a model that midge knows; unpack it and convert the model in it"


def _of_bytes(head: bytes) -> str:
    if head[4:8] == b"TFL3":
        return "a TensorFlow Lite model; name it .tflite"
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "an HDF5 file; if Keras wrote it, name it .h5"
    if head.startswith(b"MIDG"):
        return _BY_SUFFIX[".midge"]
    if re.match(rb"\x80[\x02-\x05]", head):
        return _PICKLE
    if re.search(rb"\b(unsigned char|uint8_t|alignas)\b[^;]{0,200}\[", head):
        return _ARRAY
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ")):
        return "a compressed file; unpack it and convert the model in it"
    if re.match(rb"\s*<(!doctype )?html", head, re.IGNORECASE):
        return "a page of the web: the download went wrong; get the file itself"
    if head.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the file; run: git lfs pull"
    return ""
