"""examples/faces: its program for boards in MicroPython, with a stand-in camera that shows photographs; which cells a
face is trained in. The faces of demo.py are not here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import midge
from midge_host.backends import micropython
from midge_host.device import model_file
from midge_host.errors import MidgeError
from midge_host.faces import blazeface, demo, train
from midge_host.person.demo import HEIGHT, WIDTH, frame


def test_board_finds_what_the_pc_finds(shared_data: Path) -> None:
    if why := micropython.problem("micropython"):
        pytest.skip(why)
    frames = [frame(picture) for picture in np.load(shared_data / "data" / "coco_vww_train.npz")["x96"]]
    model = midge.load(str(demo.MODEL))
    found = [model.detect(midge.Image(each, WIDTH, HEIGHT, "rgb565be")) for each in frames]
    first, *said = demo.play([frames[0], *frames])
    assert first == ["first frame: nothing looks wrong"]
    assert any(found) and said == [
        [f"{label} (score {score:.2f}) around {x + w // 2}, {y + h // 2}" for label, score, x, y, w, h in faces]
        or ["no face"]
        for faces in found
    ]


def test_the_model_fits_a_pico() -> None:
    model = model_file.read(demo.MODEL)
    assert "midge_detect" in model.modules and "midge_image" in model.modules
    assert model.arena_bytes < 64_000


def test_whole_pictures_are_seen() -> None:
    """The camera's frame of 160 x 120 holds all 96 rows of a picture."""
    picture = np.zeros((96, 96), np.uint8)
    picture[0] = picture[-1] = 255
    rows = np.frombuffer(demo.frame(picture), ">u2").reshape(HEIGHT, WIDTH)
    assert rows[0].min() > 0x8000 and rows[-1].min() > 0x8000 and not rows[HEIGHT // 2].any()
    assert demo.in_frame([(0, 0, 96)]) == "face at 80, 60" and demo.in_frame([]) == "no face"


@pytest.mark.parametrize(
    ("face", "cells"),
    [((0, 0, 18), {(1, 1)}), ((44, 20, 24), {(3, 6), (3, 7), (4, 6), (4, 7)})],
    ids=str,
)
def test_cells_around_the_middle_of_a_face(face: tuple[int, int, int], cells: set[tuple[int, int]]) -> None:
    (made,) = train.maps([[face]])
    rows, columns = np.nonzero(made)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == cells


def test_blazeface_of_an_unpacked_wheel(tmp_path: Path) -> None:
    with pytest.raises(MidgeError, match=r"has no face_detection_short_range\.tflite"):
        blazeface.model(tmp_path)
    path = tmp_path / "mediapipe" / "modules" / blazeface.MODEL
    path.parent.mkdir(parents=True)
    path.touch()
    assert blazeface.model(tmp_path) == blazeface.model(path) == path
