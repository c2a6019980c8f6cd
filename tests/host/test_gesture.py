"""examples/gesture: its programs for the board in MicroPython, with a stand-in sensor, and what is trained."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest

from midge_host import backends, series
from midge_host.backends import micropython
from midge_host.deploy import live
from midge_host.deploy.live import record
from midge_host.device import model_file
from midge_host.gesture import demo, simulation

PLAYED = ("rest", "circle", "rest", "shake", "tilt", "shake", "circle")


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    if why := micropython.problem("micropython"):
        pytest.skip(why)
    rng = np.random.default_rng(1)
    return np.concatenate([simulation.gesture(name, 4 * simulation.RATE, rng) for name in PLAYED])


@pytest.mark.parametrize("address", [demo.MPU6050, demo.LSM6DS])
def test_board_names_the_gestures_played(samples: np.ndarray, address: int) -> None:
    lines = demo.play(samples, address=address).splitlines()
    assert [line.split()[0] for line in lines] == list(PLAYED)


def test_recording(samples: np.ndarray, monkeypatch, tmp_path) -> None:
    """The program that `midge record --sensor imu` sends."""
    program = record.sensor("imu").source + live.program("record") + "take(8)\nsend(0, 50, 48)\n"
    (tmp_path / "main.py").write_text(program)
    shutil.copytree(demo.HERE, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("main.py"))
    monkeypatch.setattr(demo, "HERE", tmp_path)
    said, *lines = demo.play(samples, demo.HERE / "main.py", demo.LSM6DS).splitlines()
    assert said == f"('values', 3, {8 * simulation.RATE}, {8000 - 10})"
    parts = {number: data for line in lines for number, data in record.received(line).items()}
    read = np.frombuffer(b"".join(parts[i] for i in range(50)), "<f4").reshape(-1, 3)
    assert np.abs(read - samples[: len(read)]).max() <= demo.STEP / 2 + 1e-6


def test_without_a_sensor(samples: np.ndarray) -> None:
    with pytest.raises(RuntimeError, match=r"no MPU6050 \(0x68\) and no LSM6DS \(0x6a\) on this I2C bus"):
        demo.play(samples, address=0x1D)


def test_model_names_gestures_unlike_those_it_was_trained_on() -> None:
    far = simulation.recordings(25, 8, seed=8, far=True)
    windows = [series.windows(samples, 128, 32) for _, samples in far]
    wanted = np.repeat([name for name, _ in far], [len(w) for w in windows])
    model = demo.HERE / "gesture.midge"
    scores = backends.run("cpython", model, [np.concatenate(windows)]).outputs[0].reshape(len(wanted), -1)
    named = np.array(model_file.read(model).labels)[scores.argmax(axis=1)]
    assert (named == wanted).mean() >= 0.96  # README.md: 96.5 %


def test_training_with_own_recordings(tmp_path) -> None:
    for i, (name, recording) in enumerate(simulation.recordings(10, 3, seed=3)):
        (tmp_path / name).mkdir(exist_ok=True)
        np.savetxt(tmp_path / name / f"{i:03d}.csv", recording, fmt="%.4f", delimiter=",", newline="\r\n")
    model = tmp_path / "own.midge"
    train = demo.HERE / "train.py"
    done = subprocess.run([sys.executable, train, tmp_path, "-o", model], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "recordings held apart" in done.stdout
    assert model.stat().st_size > 1000
    (tmp_path / "circle" / "000.csv").write_text("0.1,0.2,0.3\n")
    done = subprocess.run([sys.executable, train, tmp_path, "-o", model], capture_output=True, text=True)
    assert done.returncode == 1
    assert "000.csv: (1, 3) numbers; a recording has 128 lines or more of three" in done.stderr
