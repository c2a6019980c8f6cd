"""Files that midge does not convert are called what they are, with the way out."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import pytest
from numpy.random import default_rng

from midge_host import errors
from midge_host.conversion import convert
from midge_host.errors import MidgeError, UnsupportedError
from midge_host.frontends.tflite.node import FileNode
from midge_host.frontends.tflite.operators import operator_of
from tflite_models import one_operator


def archive(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return data.getvalue()


PICKLE = pickle.dumps({"a": 1})
FILES = {
    "m.pth": (PICKLE, "state dict"),
    "weights.pth": (archive("weights/data.pkl", "weights/data/0"), "state dict.*torch.export"),
    "weights.pt": (archive("weights/data.pkl", "weights/data/0"), "state dict.*torch.export"),
    "script.pt": (archive("script/data.pkl", "script/code/__torch__.py"), "TorchScript.*torch.onnx"),
    "m.pkl": (PICKLE, "can run any code"),
    "m.joblib": (b"\x00", "can run any code"),
    "frozen.pb": (b"\x0a", "SavedModel's folder"),
    "m.mlmodel": (b"\x08", "Core ML"),
    "m.tflm": (b"\x00", "convert the .tflite"),
    "model.cc": (b"const unsigned char g_model[] = {0x1c,", "array of C; convert the .tflite"),
    "model.h": (b"#pragma once", "array of C; convert the .tflite"),
    "m.zip": (archive("a/b.txt", "a/model.tflite"), "unpack it and convert a/model.tflite"),
    "empty.zip": (archive("a/b.txt"), "archive"),
    "m.bin": (b"\x1c\0\0\0TFL3" + bytes(40), "name it .tflite"),
    "m.safetensors": (b"\x00", "weights without the model"),
    "m.midge": (b"MIDG", "converted already"),
    "array.tflite": (b"alignas(8) const unsigned char g_model[] = {", "array of C"),
    "page.tflite": (b"<!DOCTYPE html><html>", "download went wrong"),
    "pointer.tflite": (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
    "keras.tflite": (archive("config.json", "model.weights.h5"), "name it .keras"),
    "m.xyz": (b"\x00\x01", "cannot tell what this is; midge reads .tflite"),
}


@pytest.mark.parametrize("name", FILES)
def test_foreign_files(tmp_path: Path, name: str) -> None:
    data, words = FILES[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(MidgeError, match=words):
        convert(tmp_path / name, tmp_path / "out.midge")
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("edgetpu-custom-op", "compiled for the Edge TPU; convert the .tflite that edgetpu_compiler was given"),
        ("ethos-u", "compiled for an Ethos-U; convert the .tflite that Vela was given"),
        ("FlexErf", "TensorFlow itself"),
        ("TFLite_Detection_PostProcess", "export without it .* --add_postprocessing_op=false"),
        ("Mine", "only the runtime that it was made for"),
    ],
)
def test_custom_operators(code: str, words: str) -> None:
    with pytest.raises(UnsupportedError, match=words):
        operator_of(FileNode(f"CUSTOM:{code}", "n", [], [], {}))


def test_hints_name_what_pip_can_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """midge is on no package index."""
    assert errors.install("boards") == "run in midge's folder: pip install -e '.[boards]'"
    monkeypatch.setattr(errors, "_ROOT", tmp_path)
    for extra in ("keras", "micropython", "demo", "deploy", "boards"):
        command = errors.install(extra)
        assert command.startswith("run: pip install ") and "midge[" not in command
        assert len(command.split()) > 3
    assert "littlefs-python" in errors.install("boards") and "mlxtend" in errors.install("demo")


def test_labels_with_a_byte_order_mark(tmp_path: Path) -> None:
    weights = default_rng(0).integers(-9, 9, (2, 4)).astype("int8")
    data = one_operator("fully_connected", (1, 4), (0.1, 0), weights=weights, weight_scales=0.1, quant=(0.1, 0))
    (tmp_path / "m.tflite").write_bytes(data)
    (tmp_path / "labels.txt").write_bytes(b"\xef\xbb\xbfcat\r\ndog\r\n")
    model = convert(tmp_path / "m.tflite", tmp_path / "m.midge", labels=tmp_path / "labels.txt")
    assert model.labels == ["cat", "dog"]
