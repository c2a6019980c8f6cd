"""Recordings: their features for training, and what a model hears in them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import wave
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_audio import pymicro_features
from test_sound import write_manifest

import audio_graphs
import midge
from midge_host.commands.listen import hear
from midge_host.commands.report import report
from midge_host.conversion import convert
from midge_host.errors import MidgeError
from midge_host.files.wav import read_wav
from midge_host.frontends.features import read_features
from midge_host.frontends.sound import Audio

SIGNALS = audio_graphs.signals()
SPEECH = SIGNALS["speech"]


def write_wav(path: Path, samples: np.ndarray, rate: int = 16_000, channels: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path


def run_midge(*arguments: Any) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "from midge_host.commands.main import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """A second of each of three words: a folder for each class."""
    for label, names in {"a": ("speech", "levels"), "b": ("sweep",)}.items():
        for name in names:
            write_wav(tmp_path / "words" / label / f"{name}.wav", SIGNALS[name])
    return tmp_path / "words"


def test_features_are_those_of_the_reference(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "speech.wav", SPEECH[:5000])
    expected = pymicro_features(SPEECH[:5000]).astype(np.float32) * np.float32(0.0390625)
    done = run_midge("features", path, "-o", tmp_path / "out.npz", "--audio", "micro:10ms")
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "out.npz")
    assert found["inputs"].dtype == np.float32 and str(found["audio"]) == "micro:10ms"
    np.testing.assert_array_equal(found["inputs"], expected[None])
    middle = read_features(path, Audio(10), 20).inputs[0][0]
    first = (len(expected) - 20) // 2
    np.testing.assert_array_equal(middle, expected[first : first + 20])


def test_a_folder_with_classes(words: Path, tmp_path: Path) -> None:
    done = run_midge("features", words, "-o", tmp_path / "out.npz", "--audio", "micro:20ms", "--frames", 30)
    assert done.returncode == 0, done.stderr
    assert "out.npz: 3 x 30 x 40 real values, a 2, b 1" in done.stdout
    found = np.load(tmp_path / "out.npz")
    assert found["labels"].tolist() == ["a", "a", "b"] and found["inputs"].shape == (3, 30, 40)


def test_recordings_that_do_not_fit(words: Path, tmp_path: Path) -> None:
    def said(path: Path, count: int | None = None) -> str:
        with pytest.raises(MidgeError) as caught:
            read_features(path, Audio(10), count)
        return str(caught.value)

    assert "98 frames of features, 99 are needed" in said(words, 99)
    write_wav(words / "b" / "short.wav", SPEECH[:4000])
    assert "short.wav: 23 frames, but levels.wav 98; --frames says" in said(words)
    write_wav(words / "b" / "short.wav", SPEECH, rate=8000)
    assert "short.wav: 8,000 samples a second, 16,000 are needed" in said(words)
    write_wav(words / "b" / "short.wav", SPEECH, channels=2)
    assert "2 channels of 16 bits; save it as mono" in said(words)
    assert "0 frames of features, 1 are needed" in said(write_wav(tmp_path / "x.wav", SPEECH[:400]))
    (words / "b" / "short.wav").write_bytes(b"RIFF")
    assert "cannot be read as WAV" in said(words)


def test_a_wrong_step_is_found(words: Path, tmp_path: Path) -> None:
    """By the length of the recordings, or by who made the features."""
    (tmp_path / "m.tflite").write_bytes(audio_graphs.window(49))

    def convert_for(audio: str, test: Path) -> None:
        convert(tmp_path / "m.tflite", tmp_path / "m.midge", audio=audio, test=test, allow_loss=True)

    with pytest.raises(
        MidgeError, match=r"16,000 samples are 49 frames.* with --audio micro:20ms, not with micro:10ms"
    ):
        convert_for("micro:10ms", words)
    run_midge("features", words, "-o", tmp_path / "f.npz", "--audio", "micro:20ms")
    with pytest.raises(MidgeError, match=r"f.npz: holds features of micro:20ms, but the model is to hear micro:10ms"):
        convert_for("micro:10ms", tmp_path / "f.npz")
    for test in (words, tmp_path / "f.npz"):
        (tmp_path / "labels.txt").write_text("a\nb\nc\n")
        labels = tmp_path / "labels.txt"
        convert(
            tmp_path / "m.tflite", tmp_path / "m.midge", audio="micro:20ms", test=test, labels=labels, allow_loss=True
        )
    assert midge.load(str(tmp_path / "m.midge")).labels == ["a", "b", "c"]


def test_recordings_by_class(words: Path, tmp_path: Path) -> None:
    """A recording is taken for the class with the largest mean score, as `midge listen` has the scores; a short one has
    silence around it. The page has the confusions."""
    write_wav(words / "c" / "long.wav", np.concatenate([SPEECH, SIGNALS["sweep"]]))
    write_wav(words / "c" / "short.wav", SPEECH[:9001])
    (tmp_path / "labels.txt").write_text("a\nb\nc\n")
    path = audio_graphs.hearing(tmp_path, audio_graphs.window(49), audio="micro:20ms", labels=tmp_path / "labels.txt")
    table = np.zeros((3, 3), int)
    for file in sorted(words.glob("*/*.wav")):
        samples = read_wav(file)[0]
        around = max(0, -(-(480 + 48 * 320 - len(samples)) // 2))
        scores = np.mean([row["scores"] for row in hear(path, np.pad(samples, around))], 0)
        table["abc".index(file.parent.name), scores.argmax()] += 1
    done = run_midge("test", path, words, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["confusion"] == table.tolist() and found["classes"] == ["a", "b", "c"] and found["readings"] == 5
    assert "1 of them are shorter than the model's 15,840 samples" in found["notes"][1]
    page = report(path, None, words, None, None, False).decode()
    assert page.count("taken for <b>") == 5 - np.trace(table)
    assert f"<strong>{100 * np.trace(table) / 5:.1f} % right</strong> of 5 readings" in page


def test_a_wake_word_by_class(shared_data: Path, tmp_path: Path) -> None:
    """With a cutoff a recording is the word or nothing, whatever the folders of others are called."""
    convert(
        write_manifest(tmp_path, (shared_data / "models/ww_alexa_v2.tflite").read_bytes()), tmp_path / "alexa.midge"
    )
    for name, label in {
        "alexa_test": "Alexa",
        "hey_jane": "others",
        "yes_1000ms": "words",
        "no_1000ms": "words",
    }.items():
        (tmp_path / "heard" / label).mkdir(parents=True, exist_ok=True)
        shutil.copy(shared_data / f"data/{name}.wav", tmp_path / "heard" / label)
    done = run_midge("test", tmp_path / "alexa.midge", tmp_path / "heard", "--json")
    found = json.loads(done.stdout)
    assert found["classes"] == ["nothing", "Alexa"] and found["confusion"] == [[3, 0], [0, 1]]


@pytest.mark.parametrize(("name", "events"), [("alexa_test", 1), ("hey_jane", 0), ("yes_1000ms", 0), ("no_1000ms", 0)])
def test_alexa_is_heard_once(shared_data: Path, tmp_path: Path, name: str, events: int) -> None:
    path = tmp_path / "alexa.midge"
    convert(write_manifest(tmp_path, (shared_data / "models/ww_alexa_v2.tflite").read_bytes()), path)
    sound = shared_data / f"data/{name}.wav"
    done = run_midge("listen", sound, path, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    times = [row["seconds"] for row in found["predictions"] if row["event"] == "Alexa"]
    assert len(times) == events and all(0.5 < time < 1.5 for time in times)
    done = run_midge("listen", sound, path)
    assert ("event: Alexa" in done.stdout) == bool(events)
    assert done.stdout.endswith(f"Alexa at {times[0]:.2f} s\n" if events else "no event\n")


def test_what_cannot_listen(make_model, tmp_path: Path) -> None:
    deaf = make_model(audio_graphs.window(2))
    sound = write_wav(tmp_path / "x.wav", SPEECH)
    assert "takes no sound; convert it with --audio" in run_midge("listen", sound, deaf).stderr
    convert(tmp_path / "model.tflite", tmp_path / "m.midge", audio="micro:10ms")
    for arguments, words in (
        (("--window", 0), "0 is not in the range 1<=x<=65535"),
        (("--hold", -1), "-1 is not in the range 1<=x<=65535"),
        (("--silence", -1), "give seconds from 0 to 60"),
    ):
        done = run_midge("listen", sound, tmp_path / "m.midge", *arguments)
        assert done.returncode == 2 and words in done.stderr, done.stderr
    done = run_midge("compare", tmp_path / "model.tflite", tmp_path / "m.midge", "--test", tmp_path)
    assert done.returncode == 2 and "midge compare takes no model that hears" in done.stderr
    (tmp_path / "x.csv").write_text("1,2\n")
    done = run_midge("test", tmp_path / "m.midge", tmp_path / "x.csv")
    assert done.returncode == 2 and "x.csv: the model hears; give a folder with a folder of WAVs" in done.stderr
    assert (
        "sweep.wav: holds no labels"
        in run_midge("test", tmp_path / "m.midge", write_wav(tmp_path / "sweep.wav", SPEECH)).stderr
    )
    assert (
        "sound            16,000 samples a second; front end micro, a frame each 10 ms"
        in run_midge("info", tmp_path / "m.midge").stdout
    )
    assert "8,000 samples a second" in run_midge("listen", write_wav(sound, SPEECH, 8000), tmp_path / "m.midge").stderr


class Scores:
    """A model that gives the scores that it is given."""

    labels = ("yes", "no")

    def __init__(self, count: int = 2) -> None:
        self.outputs = [type("Tensor", (), {"size": count})]

    def predict_into(self, reading: Any, out: Any) -> None:
        out[:] = reading

    def reset(self) -> None: ...


def test_events() -> None:
    """Once for each class that rises above the cutoff, and again after so many quiet predictions."""
    detector = midge.Detector(Scores(), 0.5, 1, 2)

    def heard(*scores: tuple[float, float]) -> list[tuple[int, str]]:
        return [(i, label) for i, row in enumerate(scores) for label, _ in detector.detect(array("f", row))]

    assert heard((0.9, 0), (0.9, 0), (0.4, 0), (0.9, 0), (0.5, 0), (0.5, 0), (0.6, 0)) == [(0, "yes"), (6, "yes")]
    assert heard((0, 0.7), (0.6, 0.9), (0, 0)) == [(0, "no")]
    detector.reset()
    assert heard((0.6, 0.9), (0.9, 0.1)) == [(0, "no")]
    assert detector.detect(array("f", (0, 0))) == () and detector.update([0.1, 0.2]) is None


def test_means_of_scores() -> None:
    detector = midge.Detector(Scores(1), 0.75, 4)
    made = [detector.update([score]) for score in (1, 1, 1, 0, 1, 1, 1, 1)]
    assert made == [None] * 7 + [("yes", 1.0)]
    assert midge.Detector(Scores(3), 0.5, 1).update([0, 0.1, 0.7]) == (2, pytest.approx(0.7))
    assert midge.Detector(Scores(1)).cutoff == 0.8
