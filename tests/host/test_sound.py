"""From samples to scores: a model with a front end gives what its layers give for pymicro-features' frames, on every
backend, however the samples come in."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_audio import pymicro_features, recording

import audio_graphs
import midge
import tflm
from midge_host import backends
from midge_host.conversion import convert
from midge_host.device.model_file import read
from midge_host.errors import MidgeError
from models import streaming

SPEECH = audio_graphs.signals()["speech"][:6000]
STRIDED = np.zeros((9, 4), np.int16)[:, 1]


def tflm_bytes(features: np.ndarray) -> np.ndarray:
    """As TFLM's micro_speech and ESPHome make them."""
    return np.minimum((features * 256 + 333) // 666 - 128, 127).astype(np.int8)


def frames_at(due: range, features: np.ndarray, rows: int) -> np.ndarray:
    """Features of the predictions: (N, rows, 40)."""
    return np.stack([features[last - rows : last] for last in due])


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """make(tflite, **options) -> path of the model that hears."""

    return partial(audio_graphs.hearing, tmp_path)


MODELS = {
    "stream": (audio_graphs.stream(), {}, 3, 3),
    "window": (audio_graphs.window(5), {}, 5, 10),
    "window_1": (audio_graphs.window(5), {"every": 1}, 5, 1),
    "frame": (audio_graphs.window(1), {"every": 2}, 1, 2),
}


@pytest.mark.parametrize("backend", ["cpython", "portable", "numpy", "micropython", "micropython-portable", "wasm"])
@pytest.mark.parametrize("name", MODELS)
def test_scores_of_sound(make, name: str, backend: str) -> None:
    if why := backends.problem(backend):
        pytest.skip(why)
    data, options, rows, every = MODELS[name]
    path = make(data, **options)
    features = tflm_bytes(pymicro_features(SPEECH))
    expected = tflm.run(data, [frames_at(range(rows, len(features) + 1, every), features, rows)])[0]
    assert len(np.unique(expected)) > 2
    got = backends.run(backend, path, [SPEECH[None]]).outputs[0]
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("backend", ["native", "portable"])
@pytest.mark.parametrize("weights", ["ram", "map", "stream"])
def test_samples_come_in_any_number(make, weights: str, backend: str) -> None:
    """One by one, by hops, in random pieces, all at once; as arrays, bytes and lists: the same scores."""
    path = make(audio_graphs.window(4), every=2)
    expected = backends.run("numpy", path, [SPEECH[None]]).outputs[0].reshape(-1, 3)
    model = midge.load(str(path), weights, backend)
    rng = np.random.default_rng(0)
    forms = [lambda x: x, lambda x: x.tobytes(), lambda x: x.tolist(), lambda x: memoryview(x.tobytes())]
    got: list[Any] = []
    for most in (1, 40, 160) if backend == "native" else (160,):  # of so many come no two predictions
        model.reset()
        got.clear()
        at = 0
        while at < len(SPEECH):
            size = int(rng.integers(1, most + 1))
            scores = model.predict(forms[at % 4](SPEECH[at : at + size]))
            at += size
            got += [scores] if scores else []
        np.testing.assert_array_equal(np.array(got) * 256 - 128, expected)
    model.reset()
    assert model.predict(SPEECH) == got[-1]
    model.reset()
    assert model.predict(b"") is None and model.classify(SPEECH[:640]) is None
    assert model.classify(SPEECH[640:])[1] == max(got[-1])


def test_what_is_no_sound(make) -> None:
    path = make(audio_graphs.window(2))
    for backend in ("native", "portable"):
        model = midge.load(str(path), backend=backend)
        for reading in (
            np.zeros(9, np.float32),
            np.zeros(9, np.int32),
            None,
            7,
            "abc",
            np.zeros((9, 4), np.int16)[:, 1],
        ):
            with pytest.raises(TypeError, match="input samples takes int16 samples"):
                model.predict(reading)
        with pytest.raises(ValueError, match="2 bytes each, not 7 bytes"):
            model.predict(bytes(7))
        for values in ([1, 2.5], [40_000], [1, None]):
            with pytest.raises(ValueError, match="int16 samples, not"):
                model.predict(values)
        with pytest.raises(ValueError, match=r"output .* has 3 values, out has 2"):
            model.predict_into(SPEECH, bytearray(2))
        assert model.predict(SPEECH)
        model.reset()


@pytest.mark.parametrize("name", ["midge_audio", "midge._portable_audio"])
def test_take(name: str) -> None:
    """As many samples as there are and have room; nothing outside of the arena or the reading."""
    take, samples = import_module(name).take, array("h", range(10))
    cases = [(2, 8, 0, 6), (0, 40, 0, 20), (0, 40, 14, 6), (4, 4, 0, 0), (0, 8, 20, 0), (38, 40, 2, 2)]
    for to, end, at, count in cases:
        for reading in (samples, samples.tobytes(), memoryview(samples), memoryview(bytearray(samples.tobytes()))):
            arena = bytearray(40)
            assert take(arena, to, end, reading, at) == count
            assert arena == bytes(to) + samples.tobytes()[at : at + count] + bytes(40 - to - count)
    arena = bytearray(40)
    for to, end, at in ((6, 4, 0), (0, 42, 0), (1, 8, 0), (0, 7, 0), (0, 8, 1), (0, 8, 22), (44, 46, 0)):
        assert take(arena, to, end, samples, at) == -1
    for reading in (bytes(3), array("b", bytes(4)), array("f", [1.0]), array("i", [1]), None, [1, 2], "ab"):
        assert take(arena, 0, 8, reading, 0) == -1
    assert arena == bytes(40)


def test_selftest_and_profile(make) -> None:
    path = make(audio_graphs.stream())
    for backend in ("native", "portable"):
        for weights in ("ram", "map", "stream"):
            model = midge.load(str(path), weights, backend)
            first = model.predict(SPEECH)
            assert model.selftest()
            assert model.predict(SPEECH) == first, "the self-test leaves the model as it was loaded"
            names = [name for name, _ in model.profile(SPEECH)]
            assert names == read(path).names[len(read(path).init) :]
            assert model.predict(SPEECH) == first
    description, model = read(path), midge.load(str(path), "ram")
    for name in ("feed/spectrum", "feed/features"):
        record = description.records[description.names.index(name)]
        places = range(record["weights"], record["weights"] + record["block_bytes"], 8)
        sound = bytes(model._weights)
        for at in places:
            model._weights[at] ^= 16
        with pytest.raises(ValueError, match=name):
            model.selftest()
        model._weights[:] = sound
    assert model.selftest()


MANIFEST = {
    "type": "micro",
    "wake_word": "Alexa",
    "model": "alexa.tflite",
    "version": 2,
    "micro": {"probability_cutoff": 0.9, "sliding_window_size": 5, "feature_step_size": 10},
}


def write_manifest(folder: Path, data: bytes, **micro: Any) -> Path:
    (folder / "alexa.tflite").write_bytes(data)
    content = {**MANIFEST, "micro": {k: v for k, v in {**MANIFEST["micro"], **micro}.items() if v is not None}}
    (folder / "alexa.json").write_text(json.dumps(content))
    return folder / "alexa.json"


def test_a_real_wake_word(shared_data: Path, tmp_path: Path) -> None:
    """microWakeWord's alexa of its manifest: every score as TFLM's interpreter gives it for pymicro-features."""
    data = (shared_data / "models/ww_alexa_v2.tflite").read_bytes()
    path = tmp_path / "alexa.midge"
    model = convert(write_manifest(tmp_path, data), path)
    assert (
        model.sound and (model.sound.cutoff, model.sound.window) == (np.float32(0.9), 5)
    ) or model.sound.cutoff == 0.9
    assert (model.sound.hop, model.sound.first, model.sound.every, model.labels) == (160, 3, 3, ["Alexa"])
    samples = np.concatenate([np.zeros(8000, np.int16), recording("alexa_test"), np.zeros(8000, np.int16)])
    features = tflm_bytes(pymicro_features(samples))
    (expected,) = tflm.run(data, [frames_at(range(3, len(features) + 1, 3), features, 3)])
    assert expected.max() == 255
    np.testing.assert_array_equal(backends.run("cpython", path, [samples[None]]).outputs[0], expected)
    few = samples[None, 8000:12_000]
    for name in ("numpy", "portable", "micropython"):
        np.testing.assert_array_equal(
            backends.run(name, path, [few]).outputs[0], backends.run("cpython", path, [few]).outputs[0]
        )


@pytest.mark.parametrize(("word", "label"), [("yes", 2), ("no", 3), ("noise", 0), ("silence", 0)])
def test_micro_speech(shared_data: Path, tmp_path: Path, word: str, label: int) -> None:
    """TFLM's example hears what it hears in the features of TFLM's own front end."""
    data = (shared_data / "models/micro_speech_quantized.tflite").read_bytes()
    preprocessor = (shared_data / "models/audio_preprocessor_int8.tflite").read_bytes()
    (tmp_path / "m.tflite").write_bytes(data)
    convert(tmp_path / "m.tflite", tmp_path / "m.midge", audio="micro:20ms")
    samples = recording(f"{word}_1000ms")
    (features,) = tflm.run(preprocessor, [audio_graphs.frames(samples, 320)])
    (expected,) = tflm.run(data, [features.reshape(1, -1)])
    got = midge.load(str(tmp_path / "m.midge")).predict(samples)
    assert int(np.argmax(got)) == int(np.argmax(expected)) == label
    assert np.abs(np.array(got) * 256 - 128 - expected).max() <= 4


def test_scales_of_features(make) -> None:
    """A model of another scale than TFLM's examples gets real features, 1 / 25.6 of the front end's, by its own."""
    scale, zero_point = 0.11, -120
    data = audio_graphs.window(3, (scale, zero_point))
    features = pymicro_features(SPEECH)
    quantised = np.minimum(np.round(features / 25.6 / np.float32(scale)) + zero_point, 127).astype(np.int8)
    (expected,) = tflm.run(data, [frames_at(range(3, len(features) + 1, 10), quantised, 3)])
    np.testing.assert_array_equal(backends.run("cpython", make(data), [SPEECH[None]]).outputs[0], expected)


REFUSED = [
    ({"audio": "micro:15ms"}, "micro:10ms, micro:20ms"),
    ({"audio": "fbank"}, "micro:10ms, micro:20ms"),
    ({"audio": "micro"}, "micro:10ms, micro:20ms"),
    ({"audio": "micro:10ms", "every": 0}, "1 to 65535"),
    ({"every": 3}, "--every says how often a model of sound predicts"),
    ({"audio": "micro:10ms", "to": "tflite"}, "--to tflite has no front ends"),
]


@pytest.mark.parametrize(("options", "words"), REFUSED, ids=lambda x: str(x)[:30])
def test_options(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    (tmp_path / "m.tflite").write_bytes(audio_graphs.window(2))
    with pytest.raises(MidgeError, match=words):
        convert(tmp_path / "m.tflite", tmp_path / "m.midge", **options)
    assert not (tmp_path / "m.midge").exists()


def test_models_that_cannot_hear(make) -> None:
    with pytest.raises(MidgeError, match="takes 1x3x4; train it on what `midge features` gives"):
        make(streaming())
    with pytest.raises(MidgeError, match=r"input goes from -12.8 to 12.7, features of --audio from 0 to about 26"):
        make(audio_graphs.window(2, (0.1, 0)))
    with pytest.raises(MidgeError, match="remembers what it saw, and takes 3 new frames each time"):
        make(audio_graphs.stream(), every=2)


@pytest.mark.parametrize(
    ("micro", "words"),
    [
        ({"probability_cutoff": 9}, "not a manifest"),
        ({"probability_cutoff": None}, "not a manifest"),
        ({"sliding_window_size": "x"}, "not a manifest"),
        ({"feature_step_size": 30}, "features each 30 ms; midge knows micro:10ms, micro:20ms"),
    ],
    ids=str,
)
def test_manifests(tmp_path: Path, micro: dict[str, Any], words: str) -> None:
    source = write_manifest(tmp_path, audio_graphs.stream(), **micro)
    with pytest.raises(MidgeError, match=words):
        convert(source, tmp_path / "m.midge")


def test_a_manifest_says_how_a_model_hears(tmp_path: Path) -> None:
    source = write_manifest(tmp_path, audio_graphs.stream())
    with pytest.raises(MidgeError, match=r"--audio micro:20ms: alexa.json says micro:10ms"):
        convert(source, tmp_path / "m.midge", audio="micro:20ms")
    old = write_manifest(tmp_path, audio_graphs.stream(), feature_step_size=None)
    assert convert(old, tmp_path / "m.midge").sound.hop == 320
    (tmp_path / "alexa.tflite").unlink()
    with pytest.raises(MidgeError, match=r"its model alexa.tflite is not beside it"):
        convert(source, tmp_path / "m.midge")


def test_a_call_from_a_callback_leaves_the_running_one_alone(make) -> None:
    path = make(audio_graphs.window(2), every=1)
    model = midge.load(str(path))
    heard = []

    def each() -> None:
        heard.append(1)
        with pytest.raises(RuntimeError, match="a prediction of this model is running"):
            model.predict_each(SPEECH, bytearray(3), lambda: None)

    model.predict_each(SPEECH, bytearray(3), each)
    assert len(heard) == len(backends.run("numpy", path, [SPEECH[None]]).outputs[0])


def test_a_feed_without_a_front_end_is_refused(make, tmp_path: Path) -> None:
    """Nobody would take the samples."""
    model = read(make(audio_graphs.window(2)))
    first = next(i for i in model.feed if model.operator(i).name not in ("SPECTRUM", "FILTER_BANK"))
    model.entries["feed"] = range(first, model.feed.stop)
    path = tmp_path / "silent.midge"
    path.write_bytes(model.to_bytes())
    with pytest.raises(MidgeError, match="no front end"):
        read(path)
    for backend in ("native", "portable"):
        with pytest.raises(ValueError, match="entry feed, section AUDI and input do not fit together"):
            midge.load(str(path), backend=backend)


def test_a_window_does_not_take_a_model_of_sound(make) -> None:
    with pytest.raises(ValueError, match="this model takes sound itself"):
        midge.Window(midge.load(str(make(audio_graphs.window(2)))), 1)


@pytest.mark.parametrize(
    "options", [{"window": 1.5}, {"window": 0}, {"hold": 2.5}, {"hold": 65536}], ids=lambda options: str(options)
)
def test_a_detector_counts_in_whole_numbers(make, options: dict[str, Any]) -> None:
    model = midge.load(str(make(audio_graphs.window(2))))
    with pytest.raises(ValueError, match="window and hold are whole numbers from 1 to 65535"):
        midge.Detector(model, **options)
    with pytest.raises(ValueError, match="the model has 3 classes, got 2 scores"):
        midge.Detector(model).update([0.5, 0.5])
    assert midge.Detector(model).update([float("nan")] * 3) is None
