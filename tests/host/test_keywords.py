"""examples/keywords: what its network hears, its programs for boards, and its training on a few clips."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from array import array
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from test_recordings import run_midge

from midge_host.backends import micropython
from midge_host.files.wav import read_wav
from midge_host.keywords import demo, report, voices
from midge_host.keywords.clips import RATE, read_clips
from midge_host.keywords.words import ALIKE, COMMANDS, KEYWORDS, LABELS, OTHERS

NETWORK = demo.HERE / "keywords.tflite"


def test_real_recordings(shared_data: Path) -> None:
    """README.md has the figures."""
    with np.load(shared_data / "data/kws01_mfcc_int8.npz") as file:
        features, words = file["x"], [report.MLPERF[i] for i in file["y"]]
    found = report.decided(report.scores_of_features(NETWORK, features))
    _, accuracy, alarms = report.figures(words, found)
    assert accuracy >= 0.85 and alarms <= 0.05


def test_sound(shared_data: Path) -> None:
    names = ("yes", "no", "silence", "noise")
    samples = np.stack([read_wav(shared_data / f"data/{name}_1000ms.wav")[0][:RATE] for name in names])
    found = report.decided(report.scores_of_sound(NETWORK, samples))
    assert [LABELS[i] for i in found] == ["yes", "no", "silence", "silence"]


def test_demo() -> None:
    """main.py in MicroPython, with I2S that delivers clips.npz."""
    if why := micropython.problem("micropython"):
        pytest.skip(why)
    done = run_midge("demo", "keywords")
    assert done.returncode == 0, done.stderr
    spoken = [word for word, *_ in read_clips(demo.HERE / "clips.npz")]
    assert done.stdout.startswith(" - ".join(spoken))
    assert "listening for no, stop, yes\n" in done.stdout
    assert re.findall(r"(?m)^heard (\w+) \(score [01]\.\d\d\)$", done.stdout) == [w for w in spoken if w in KEYWORDS]


def test_circuitpython(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    """code.py, with modules that stand in for the board's pins and microphone."""
    words, samples = demo.spoken()

    class I2SIn:
        def __init__(self, *pins: int, sample_rate: int, bit_depth: int, output_bit_depth: int) -> None:
            assert (pins, sample_rate, bit_depth, output_bit_depth) == ((10, 11, 12), RATE, 32, 16)
            self.sound = iter(np.pad(samples, RATE).tolist())

        def record(self, into: array, count: int) -> None:
            part = list(islice(self.sound, count))
            if len(part) < count:
                raise KeyboardInterrupt
            into[:] = array("h", part)

    demo.converted(tmp_path / "keywords.midge")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "audioi2sin", SimpleNamespace(I2SIn=I2SIn))
    monkeypatch.setitem(sys.modules, "board", SimpleNamespace(GP10=10, GP11=11, GP12=12))
    with pytest.raises(KeyboardInterrupt):
        runpy.run_path(str(demo.HERE / "circuitpython" / "code.py"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "self-test passed: True with native kernels"
    assert [line.split()[1] for line in lines if line.startswith("heard")] == [w for w in words if w in KEYWORDS]


def test_voices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """clips.npz of an engine that stands in for a voice."""

    def tone(word: str, rng: np.random.Generator) -> np.ndarray:
        time = np.arange(RATE // 4) / RATE
        return np.pad(rng.uniform(0.2, 0.5) * np.sin(2 * np.pi * 100 * len(word) * time), RATE // 4)

    monkeypatch.setattr(voices, "ENGINES", {"flite": tone})
    monkeypatch.setattr(voices, "NEEDS", {"flite": ()})
    monkeypatch.setattr(sys, "argv", ["voices.py", str(tmp_path), "--scale", "0.02"])
    voices.main()
    clips = read_clips(tmp_path / "clips.npz")
    words = [word for word, *_ in clips]
    assert {words.count(word) for word in KEYWORDS} == {2} and set(words) <= {*KEYWORDS, *COMMANDS, *ALIKE, *OTHERS}
    assert all(samples.dtype == np.int16 and np.abs(samples).max() == 32_767 for *_, samples in clips)
    assert all(abs(len(samples) - RATE // 4 - 2 * voices.MARGIN) < 50 for *_, samples in clips)


@pytest.mark.parametrize(
    ("engine", "says"),
    [("parrot", "no engine 'parrot'; there are espeak"), ("kokoro", "kokoro needs .*kokoro-js.*; README.md says how")],
)
def test_missing_voices(engine: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["voices.py", str(tmp_path), "--engines", engine])
    with pytest.raises(SystemExit, match=says):
        voices.main()


def test_training(tmp_path: Path) -> None:
    """train.py on the demo's clips: whatever it learns of so few, a network comes of it that midge runs."""
    (tmp_path / "clips.npz").write_bytes((demo.HERE / "clips.npz").read_bytes())
    network = tmp_path / "own.tflite"
    command = [sys.executable, demo.HERE / "train.py", tmp_path, "-o", network, "--examples", "500", "--epochs", "25"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"own.tflite: {network.stat().st_size:,} bytes" in done.stdout
    silence = report.scores_of_sound(network, np.zeros((1, RATE), np.int16))
    assert silence.shape == (1, len(LABELS)) and abs(silence.sum() - 1) < 0.02


def test_words() -> None:
    """No word is a keyword and another word at once."""
    assert not {*KEYWORDS, "know"} & {*COMMANDS, *ALIKE, *OTHERS}
    assert set(LABELS) == {*KEYWORDS, "silence", "unknown"}
