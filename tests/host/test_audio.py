"""Features of sound: every value of pymicro-features and of TFLM's Signal operators, on every backend of the PC."""

from __future__ import annotations

import wave
import zlib
from pathlib import Path

import numpy as np
import pytest

import audio_graphs
import tflm
from midge_host import backends
from midge_host.conversion import build, convert
from midge_host.device.model_file import ModelFile
from midge_host.errors import UnsupportedError
from midge_host.frontends import audio

RECORDINGS = Path(__file__).resolve().parents[3] / "shared/data/data"
SIGNALS = audio_graphs.signals()
SOUNDS = ["yes_1000ms", "no_1000ms", "alexa_test", "hey_jane"]
FEATURE = 0.0390625  # pymicro-features' unit
CHUNK = 2 * audio_graphs.STEP  # bytes


def pymicro_features(samples: np.ndarray) -> np.ndarray:
    package = pytest.importorskip("pymicro_features")
    frontend, sound, made, at = package.MicroFrontend(), samples.tobytes(), [], 0
    while at + CHUNK <= len(sound):
        output = frontend.process_samples(sound[at : at + CHUNK])
        at += 2 * output.samples_read
        if output.features:
            made.append([round(value / FEATURE) for value in output.features])
    return np.array(made)


def recording(name: str) -> np.ndarray:
    """Its first second and a half."""
    path = RECORDINGS / f"{name}.wav"
    if not path.exists():
        pytest.skip("../shared/data is not here")
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(24_000), "<i2")


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelFile, Path]:
    model = build(audio.graph())
    path = tmp_path_factory.mktemp("audio") / "features.midge"
    path.write_bytes(model.to_bytes())
    return model, path


def run(path: Path, backend: str, frames: np.ndarray) -> np.ndarray:
    """The features of frames in their order."""
    return backends.run(backend, path, [frames]).outputs[0].reshape(len(frames), -1)


@pytest.mark.parametrize("name", [*SIGNALS, *SOUNDS])
def test_native_equals_pymicro_features(features: tuple[ModelFile, Path], name: str) -> None:
    samples = SIGNALS[name] if name in SIGNALS else recording(name)
    expected = pymicro_features(samples)
    assert len(expected) > 10
    frames = audio_graphs.frames(samples)[: len(expected)]
    assert np.array_equal(run(features[1], "cpython", frames), expected)


@pytest.mark.parametrize("name", SIGNALS)
def test_backends_agree(features: tuple[ModelFile, Path], name: str) -> None:
    _, path = features
    frames = audio_graphs.frames(SIGNALS[name])[::2][:12]
    expected = run(path, "cpython", frames)
    assert np.array_equal(run(path, "portable", frames), expected)
    assert np.array_equal(run(path, "numpy", frames), expected)


# FFTs of both kinds, powers of four and twice these.
FRONTS = [audio.MicroFrontend(window=(1 << n) - 8 * (n % 3), channels=3 * n, lower=390.0) for n in range(7, 13)]


@pytest.mark.parametrize("front", FRONTS, ids=lambda front: str(front.window))
def test_sizes(front: audio.MicroFrontend, tmp_path: Path) -> None:
    """Other windows than 30 ms: all backends agree."""
    model = build(audio.graph(front=front))
    path = tmp_path / "features.midge"
    path.write_bytes(model.to_bytes())
    rng = np.random.default_rng(front.window)
    frames = np.clip(rng.normal(size=(3, front.window)) * 9000, -32768, 32767).astype(np.int16)
    expected = run(path, "cpython", frames)
    assert np.array_equal(run(path, "portable", frames), expected)
    assert np.array_equal(run(path, "numpy", frames), expected)
    assert len(np.unique(expected)) > 3


@pytest.fixture(scope="module")
def preprocessor(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Path]:
    """TFLM's own model of its Signal operators."""
    source = RECORDINGS.parent / "models/audio_preprocessor_int8.tflite"
    if not source.exists():
        pytest.skip("../shared/data is not here")
    path = tmp_path_factory.mktemp("preprocessor") / "audio_preprocessor_int8.midge"
    convert(source, path)
    return source.read_bytes(), path


@pytest.mark.parametrize("name", [*SIGNALS, *SOUNDS])
def test_signal_operators_equal_tflm(preprocessor: tuple[bytes, Path], name: str) -> None:
    source, path = preprocessor
    frames = audio_graphs.frames(SIGNALS[name] if name in SIGNALS else recording(name), 2 * audio_graphs.STEP)
    (expected,) = tflm.run(source, [frames])
    assert np.array_equal(run(path, "cpython", frames), expected)
    assert np.array_equal(run(path, "portable", frames[:8]), expected[:8])
    assert np.array_equal(run(path, "numpy", frames[:8]), expected[:8])


def test_signal_operators_alone_are_refused(preprocessor: tuple[bytes, Path], tmp_path: Path) -> None:
    source = tmp_path / "model.tflite"
    source.write_bytes(preprocessor[0].replace(b"SignalWindow", b"SignalWindom"))
    with pytest.raises(UnsupportedError, match="SignalWindow"):
        convert(source, tmp_path / "model.midge")


def test_what_it_takes(features: tuple[ModelFile, Path]) -> None:
    """Tables, and the memory of samples, spectrum, estimates and features."""
    model, _ = features
    assert len(model.weights) <= 1_700
    assert model.arena_bytes <= 2_300


def test_tables_are_the_same_on_every_machine(features: tuple[ModelFile, Path]) -> None:
    """test_native_equals_pymicro_features says that they are right."""
    assert zlib.crc32(features[0].weights) == 0x76E72819
