"""MFCC: TensorFlow's, to the int8, on every backend of the PC."""

from __future__ import annotations

import dataclasses
import os
import wave
from pathlib import Path

import numpy as np
import pytest

import audio_graphs
import midge
import tflm
from midge_host import backends
from midge_host.conversion import build, convert
from midge_host.errors import MidgeError, UnsupportedError
from midge_host.frontends import mfcc

SIGNALS = audio_graphs.signals()
SCALE, ZERO_POINT = 0.5847029, 83  # of MLPerf Tiny's keyword spotting
STEP = 320


def converted(path: Path, graph) -> Path:
    path.write_bytes(build(graph).to_bytes())
    return path


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return converted(tmp_path_factory.mktemp("mfcc") / "mfcc.midge", mfcc.graph(SCALE, ZERO_POINT))


def tensorflow(frames: np.ndarray, front: mfcc.Mfcc) -> np.ndarray:
    """(frames, coefficients) float32, of samples from -1 to 1, as MLPerf Tiny's training script calls it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    tf = pytest.importorskip("tensorflow")
    windowed = frames.astype(np.float32) / 32768 * tf.signal.hann_window(front.window)
    spectrum = tf.abs(tf.signal.rfft(windowed, [front.fft_length]))
    bins = front.fft_length // 2 + 1
    matrix = tf.signal.linear_to_mel_weight_matrix(front.bands, bins, mfcc.RATE, front.lower, front.upper)
    logarithms = tf.math.log(tf.tensordot(spectrum, matrix, 1) + front.epsilon)
    return tf.signal.mfccs_from_log_mel_spectrograms(logarithms).numpy()[:, : front.coefficients]


def quantised(values: np.ndarray, scale: float, zero_point: int) -> tuple[np.ndarray, np.ndarray]:
    """int8, and where float32 leaves no doubt about it: its own rounding is of that size."""
    real = values / scale + zero_point
    near = np.abs(real - np.floor(real) - 0.5) < 2e-3
    return np.clip(np.round(real), -128, 127).astype(np.int8), ~near


def run(path: Path, backend: str, frames: np.ndarray) -> np.ndarray:
    return backends.run(backend, path, [frames]).outputs[0].reshape(len(frames), -1)


@pytest.mark.parametrize("name", SIGNALS)
def test_equals_tensorflow(features: Path, name: str) -> None:
    frames = audio_graphs.frames(SIGNALS[name], STEP)
    expected, certain = quantised(tensorflow(frames, mfcc.Mfcc()), SCALE, ZERO_POINT)
    found = run(features, "cpython", frames)
    wrong = certain & (found != expected)
    # The quiet bands of a pure tone are as small as float32's own rounding, and midge's.
    assert np.abs(found.astype(int) - expected).max() <= 1 and wrong.mean() <= (0.02 if name == "sweep" else 0)
    assert certain.mean() > 0.97
    assert np.array_equal(run(features, "portable", frames[:4]), found[:4])
    assert np.array_equal(run(features, "numpy", frames[:4]), found[:4])


FRONTS = [mfcc.Mfcc(window=(1 << n) - 2 * (n % 3), bands=3 * n, coefficients=n, lower=400) for n in range(6, 13)]


@pytest.mark.parametrize("front", FRONTS, ids=lambda front: str(front.window))
def test_sizes(front: mfcc.Mfcc, tmp_path: Path) -> None:
    path = converted(tmp_path / "mfcc.midge", mfcc.graph(0.01, 5, front, "int16"))
    rng = np.random.default_rng(front.window)
    frames = np.clip(rng.normal(size=(2, front.window)) * 3000, -32768, 32767).astype(np.int16)
    found = run(path, "cpython", frames)
    assert np.abs(found - (tensorflow(frames, front) / 0.01 + 5)).max() < 0.6
    assert np.array_equal(run(path, "portable", frames), found)
    assert np.array_equal(run(path, "numpy", frames), found)


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"window": 481}, "an even number"),
        ({"window": 5000}, "an FFT of 8192"),
        ({"bands": 200}, "200 bands"),
        ({"epsilon": 1e-30}, "below its logarithms"),
    ],
)
def test_refusals(changes: dict, says: str) -> None:
    with pytest.raises(UnsupportedError, match=says):
        build(mfcc.graph(SCALE, ZERO_POINT, dataclasses.replace(mfcc.Mfcc(), **changes)))


@pytest.mark.parametrize("backend", ["cpython", "portable", "numpy", "micropython", "micropython-portable", "wasm"])
def test_a_model_that_hears(features: Path, tmp_path: Path, backend: str) -> None:
    """Scores of samples are the model's of these features."""
    if why := backends.problem(backend):
        pytest.skip(why)
    data, samples = audio_graphs.window(4, (SCALE, ZERO_POINT), 10), SIGNALS["speech"][:6000]
    path = audio_graphs.hearing(tmp_path, data, audio="mfcc", every=3)
    frames = run(features, "cpython", audio_graphs.frames(samples, STEP))
    expected = tflm.run(data, [np.stack([frames[last - 4 : last] for last in range(4, len(frames) + 1, 3)])])[0]
    assert len(np.unique(expected)) > 2
    found = backends.run(backend, path, [samples[None]]).outputs[0]
    np.testing.assert_array_equal(found, expected)
    assert midge.load(str(path)).front == "mfcc" and midge.load(str(path)).hop == STEP


def test_another_front_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MidgeError, match="--audio micro:20ms makes frames of 40 features, but the model takes 1x4x10"):
        audio_graphs.hearing(tmp_path, audio_graphs.window(4, (SCALE, ZERO_POINT), 10), audio="micro:20ms")


def test_keyword_spotting_hears_a_yes(shared_data: Path, tmp_path: Path) -> None:
    """MLPerf Tiny's, from samples. (It was trained on recordings as loud as they can be; this one nearly is.)"""
    convert(shared_data / "models/kws_ref_model.tflite", tmp_path / "kws.midge", audio="mfcc")
    model = midge.load(str(tmp_path / "kws.midge"))
    with wave.open(str(shared_data / "data/yes_1000ms.wav")) as file:
        samples = np.frombuffer(file.readframes(16_000), "<i2")
    assert model.classify(samples) == (9, pytest.approx(1, abs=0.1))
