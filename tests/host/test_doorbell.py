"""examples/doorbell: its program for the board in MicroPython, with simulated sounds and photographs of people."""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from midge_host import backends
from midge_host.backends import micropython
from midge_host.conversion import convert
from midge_host.device import model_file
from midge_host.doorbell import demo
from midge_host.doorbell.sounds import LABELS, RATE, Sounds
from midge_host.person import demo as person


def test_board_looks_who_is_there(shared_data: Path, tmp_path: Path) -> None:
    """A person is looked for when it rings or somebody knocks, and not at other sounds."""
    if why := micropython.problem("micropython"):
        pytest.skip(why)
    model = tmp_path / "person.midge"
    (tmp_path / "labels.txt").write_text("no person\nperson\n")
    convert(shared_data / "models" / "vww_96_int8.tflite", model, labels=tmp_path / "labels.txt")
    photographs = np.load(shared_data / "data" / "coco_vww_train.npz")
    scores = backends.run("cpython", model, [photographs["x96"]]).outputs[0].reshape(-1, 2)
    nobody, somebody = (person.frame(photographs["x96"][scores[:, label].argmax()]) for label in (0, 1))
    evening = demo.evening(("voice", "chime", "clink", "knock"), seed=3)
    said = demo.play(evening, [nobody, somebody, nobody, nobody, nobody], model)
    assert [line.partition(" (")[0] for line in said] == [
        "listening", "other", "ring", "person", "other", "knock", "no person",
    ]  # fmt: skip


@pytest.mark.parametrize(("far", "least"), [(False, 0.97), (True, 0.78)])
def test_model_names_sounds(far: bool, least: float) -> None:
    """README.md: 99.6 %, and 87.9 % of sounds unlike those it was trained on."""
    sounds = Sounds(np.random.default_rng(11), far)
    wanted = np.repeat(np.arange(len(LABELS)), 40)
    clips = np.stack([sounds.clip(LABELS[label]) for label in wanted])
    model = demo.HERE / "doorbell.midge"
    assert model_file.read(model).labels == list(LABELS)
    heard = backends.run("cpython", model, [clips[:, :16_000]], reset=True).outputs[0]
    named = heard.reshape(len(wanted), -1, len(LABELS))[:, -1].argmax(axis=1)
    assert (named == wanted).mean() >= least


def test_training_says_what_recordings_it_misses(tmp_path: Path) -> None:
    train = [sys.executable, str(demo.HERE / "train.py"), str(tmp_path)]
    done = subprocess.run(train, capture_output=True, text=True)
    assert done.returncode == 1 and "0 recordings; record knock/*.wav" in done.stderr
    (tmp_path / "ring").mkdir()
    with wave.open(str(tmp_path / "ring" / "short.wav"), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.ones(RATE // 2, np.int16).tobytes())
    done = subprocess.run(train, capture_output=True, text=True)
    assert done.returncode == 1 and "short.wav: record a second more: 8000 samples" in done.stderr
