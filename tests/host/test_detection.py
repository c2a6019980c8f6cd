"""midge convert --detect: which heads are recognised, and what is refused."""

from __future__ import annotations

from pathlib import Path

import detections
import numpy as np
import pytest

import midge
from midge_host import commands
from midge_host.conversion import convert
from midge_host.conversion.detection import heads_of
from midge_host.errors import MidgeError
from tflite_models import ModelBuilder


def network(folder: Path, channels: int, cells: int = 84) -> Path:
    """64 x 64 pixels to [1, channels, 84]: as many candidates as a YOLO has for them."""
    m = ModelBuilder()
    x = m.tensor((1, 64, 64, 1), "int8", (1 / 256, -128))
    pooled = m.reshape(m.average_pool_2d(x, (16, 16)), (1, 16))
    weights = np.random.default_rng(2).integers(-90, 90, (channels * cells, 16)).astype(np.int8)
    y = m.fully_connected(pooled, weights, weight_scales=0.002, quant=(1 / 256, -128))
    path = folder / "yolo.tflite"
    path.write_bytes(m.build([x], [m.reshape(y, (1, channels, cells))]))
    (folder / "labels.txt").write_text("cup\nball\n")
    return path


def test_yolo_by_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    network(tmp_path, 6)
    monkeypatch.chdir(tmp_path)
    options = ["--detect", "yolo", "--labels", "labels.txt", "--score", "0.4"]
    commands.load("convert").main(["yolo.tflite", *options], standalone_mode=False)
    assert "finds things: heads of yolo, 84 candidates, classes: 2" in capsys.readouterr().out
    assert midge.load("yolo.midge").labels == ["cup", "ball"]


def test_what_cannot_be_mistaken(tmp_path: Path) -> None:
    """Is found by itself; --detect none leaves it out, and other outputs are none."""
    path = network(tmp_path, 6)
    assert convert(path, tmp_path / "m.midge").detection
    assert not convert(path, tmp_path / "m.midge", detect="none").detection
    assert not convert(network(tmp_path, 6, 80), tmp_path / "m.midge").detection


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"detect": "fomo"}, "1x6x84, are not those of such heads"),
        ({"detect": "faces"}, "there are auto, blazeface, yolo"),
        ({"detect": "yolo", "anchors": [(1, 1), (2, 2)]}, "are not those of such heads"),
        ({"detect": "ssd", "score": 0.5}, "are not those of such heads"),
    ],
)
def test_refusals(tmp_path: Path, options: dict, words: str) -> None:
    with pytest.raises(MidgeError, match=words):
        convert(network(tmp_path, 6), tmp_path / "m.midge", **options)
    assert not (tmp_path / "m.midge").exists()


def test_yolo_heads_as_they_are() -> None:
    """Of three sizes, without anchors: refused, with both ways out."""
    outputs = [((1, 96 // stride, 128 // stride, 66), detections.LOGITS) for stride in (8, 16, 32)]
    with pytest.raises(MidgeError, match=r"heads as they are; .* --anchors, .* boxes decoded"):
        detections.Case("yolo", tuple(outputs), detections.of_grids).detection()
    told: list[str] = []
    model = detections.Case("auto", tuple(outputs), detections.of_grids).model()
    assert heads_of(model, "auto", None, (), told.append) is None
    assert len(told) == 1 and told[0].startswith("finds nothing: --detect yolo: the outputs are heads as they are")


def test_keypoints_that_may_lie_too_far_away() -> None:
    outputs = (((1, 672, 16), (16.0, 0)), ((1, 672, 1), detections.LOGITS))
    with pytest.raises(MidgeError, match="may lie 2,176 pixels away, the limit is 2,047"):
        detections.Case("blazeface", outputs, detections.of_blazeface).detection()


def test_labels_that_do_not_fit(tmp_path: Path) -> None:
    path = network(tmp_path, 7)
    with pytest.raises(MidgeError, match="2 labels for heads of 3 classes"):
        convert(path, tmp_path / "m.midge", labels=tmp_path / "labels.txt")
