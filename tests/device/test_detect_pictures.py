"""Model.detect() on 100 photographs with faces: boxes are those of reference decoders of the same int8 outputs."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import detections
import numpy as np
import photographs
import pytest

import midge
from midge_host.conversion import convert
from midge_host.faces.demo import MODEL
from midge_host.faces.train import SCORE

PICTURES, CALIBRATION, SEED = 100, 4, 1
NONE = "BlazeFace is not tried: its model comes with mediapipe up to 0.10.21, which is not installed"


def faces(folder: Path) -> tuple[Path, str, Callable, float | None]:
    return MODEL, "fomo", detections.of_fomo, SCORE


def blazeface(folder: Path) -> tuple[Path, str, Callable, float | None]:
    source, path = photographs.blazeface(), folder / "blazeface.midge"
    assert source
    calibration = photographs.pasted(CALIBRATION, SEED + 1).astype(np.float32) / 127.5 - 1
    # So few readings tell little of what quantising costs, and here nothing depends on that.
    convert(source, path, calibration=calibration, pixels=(-1, 1), allow_loss=True)
    return path, "blazeface", detections.of_blazeface, None


NETWORKS = [faces, blazeface] if photographs.blazeface() else [faces]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.__name__)
def test_boxes_on_photographs(network: Callable, tmp_path: Path) -> None:
    """Within a pixel of the network's input, in as many as the reference finds, with its scores and keypoints."""
    pytest.importorskip("skimage", reason="its photographs are not here: pip install scikit-image")
    if not photographs.blazeface():
        warnings.warn(NONE, stacklevel=1)
    path, kind, decode, score = network(tmp_path)
    model = midge.load(str(path))
    side = model.inputs[0].shape[1:3]
    outputs = tuple((tensor.shape, (tensor.scale, tensor.zero_point)) for tensor in model.outputs)
    case = detections.Case(kind, outputs, decode, side)
    places = case.model()
    found = 0
    for number, picture in enumerate(photographs.pasted(PICTURES, SEED)):
        image = midge.Image(photographs.resized(picture, side[0]))
        arena = np.zeros(places.arena_bytes, np.int8)
        values = model.predict(image)
        for tensor, said in zip(places.outputs, values if len(outputs) > 1 else [values], strict=True):
            raw = np.rint(np.array(said) / tensor.scale) + tensor.zero_point
            arena[tensor.offset : tensor.offset + tensor.size] = raw.reshape(-1)
        rest = case.expected(arena, score)
        for _, sure, *box, points in model.detect(image, keypoints=True):
            same = [
                thing
                for thing in rest
                if abs(thing[1] - sure) < 1e-3
                and np.abs(np.array(thing[2:6]) - box).max() <= 1
                and (not points or np.abs(thing[6] - points).max() <= 1)
            ]
            assert same, (number, sure, box, rest)
            rest = [thing for thing in rest if thing is not same[0]]
            found += 1
        assert not rest, (number, rest)
    assert found > PICTURES // 2
