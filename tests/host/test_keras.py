"""Keras models come in as graphs that compute what Keras computes, and still do once they are quantised."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import midge_host
from midge_host import backends, frontends
from midge_host.commands import main as cli
from midge_host.errors import MidgeError
from midge_host.frontends import keras as door
from midge_host.frontends.keras.exported import Exported
from midge_host.frontends.keras.stitch import stitch
from midge_host.ir.evaluate import Evaluator
from midge_host.ir.graph import Graph
from midge_host.ir.verify import verify

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "data" / "keras"

needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="no TensorFlow here: pip install tensorflow h5py"
)
needs_reference = pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"no reference models in {REFERENCE}")


def graph_of(path: Path) -> Graph:
    """The graph of a file, without the child process, whose start takes seconds."""
    from midge_host.frontends.keras.tensorflow import export

    return stitch(export(path), path.stem)


def check(graph: Graph, inputs: list[np.ndarray], expected: list[np.ndarray]) -> None:
    """The graph gives `expected`, (N, *shape) for each output, for `inputs`, one after the other."""
    verify(graph)
    evaluator = Evaluator(graph)
    for i in range(len(inputs[0])):
        for got, want in zip(evaluator.predict([x[i] for x in inputs]), expected, strict=True):
            np.testing.assert_allclose(got.reshape(-1), want[i].reshape(-1), rtol=1e-4, atol=1e-5)


@needs_tensorflow
@needs_reference
@pytest.mark.parametrize("name", ["ad01", "mnist_valid", "pretrainedResnet", "vww_96"])
def test_keras_2_file(name: str) -> None:
    with np.load(REFERENCE / f"{name}.npz") as known:
        check(graph_of(REFERENCE / f"{name}.h5"), [known["inputs"][:3]], [known["keras"][:3]])


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """A folder of small models of every kind, and readings with what Keras makes of them."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import h5py
    import keras
    from keras import layers

    folder = tmp_path_factory.mktemp("keras")

    class Doubled(layers.Layer):
        def call(self, x):
            return 2 * x

    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 2))
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(image)
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3)(x))
    tiny = keras.Model(image, layers.Dense(3)(layers.Flatten()(x)))
    tiny.save(folder / "tiny.keras")
    tiny.save(folder / "tiny.h5")
    tiny.export(folder / "tiny", verbose=False)
    tiny.save_weights(folder / "only.weights.h5")

    # Named so that alphabetical order, which signatures have, is not the order of the model.
    z, a = keras.Input((4,), name="z"), keras.Input((2,), name="a")
    two = keras.Model([z, a], [layers.Dense(3, name="y")(z), layers.Dense(5, name="b")(a)])
    two.save(folder / "two.keras")

    # As Keras 2 wrote it.
    inner = keras.Sequential([keras.Input((6, 4)), layers.LSTM(3)])
    inner.save(folder / "lstm.h5")
    with h5py.File(folder / "lstm.h5", "a") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][1]["config"] |= {"time_major": False, "implementation": 2}
        file.attrs["model_config"] = json.dumps(config)
    # As Keras 2.2 wrote it: the first layer knows the shape.
    first = keras.Sequential([keras.Input((8, 8, 2)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)])
    first.save(folder / "no_input_layer.h5")
    with h5py.File(folder / "no_input_layer.h5", "a") as file:
        config = json.loads(file.attrs["model_config"])
        del config["config"]["layers"][0]
        config["config"]["layers"][0]["config"]["batch_input_shape"] = [None, 8, 8, 2]
        file.attrs["model_config"] = json.dumps(config)

    vector = keras.Input((4,))
    sequence = keras.Input((None, 2))
    rows = layers.Reshape((2, 2))(vector)
    for name, inputs, outputs in [
        ("custom.keras", vector, Doubled()(vector)),
        ("custom.h5", vector, Doubled()(vector)),
        ("lambda.keras", vector, layers.Lambda(lambda x: 2 * x)(vector)),
        ("open.keras", sequence, layers.GlobalAveragePooling1D()(sequence)),
        ("masked.keras", vector, layers.LSTM(3)(layers.Masking()(rows))),
        ("unsupported.keras", vector, keras.ops.erfinv(layers.Dense(3)(vector))),
    ]:
        keras.Model(inputs, outputs).save(folder / name)
    tokens = keras.Input((4,), dtype="int32")
    keras.Model(tokens, layers.Embedding(3, 2)(tokens)).save(folder / "tokens.keras")

    random = np.random.default_rng(1)
    images = random.random((16, 8, 8, 2), np.float32)
    vectors, pairs = random.random((4, 4), np.float32), 9 * random.random((4, 2), np.float32)
    sequences = 4 * random.random((4, 6, 4), np.float32) - 2
    np.savez(folder / "tiny.npz", inputs=images, outputs=tiny.predict(images, verbose=0))
    np.savez(folder / "no_input_layer.npz", inputs=images, outputs=first.predict(images, verbose=0))
    np.savez(folder / "lstm.npz", inputs=sequences, outputs=inner.predict(sequences, verbose=0))
    y, b = two.predict([vectors, pairs], verbose=0)
    np.savez(folder / "two.npz", inputs=vectors, inputs_1=pairs, outputs=y, outputs_1=b)
    for name in ("image.keras", "image.h5", "image.png"):
        (folder / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "folder").mkdir()
    return folder


@needs_tensorflow
@pytest.mark.parametrize("source", ["tiny.keras", "tiny.h5", "tiny"])
def test_every_kind_of_file(files: Path, source: str, capfd: pytest.CaptureFixture[str]) -> None:
    if source == "tiny.keras":  # one of them as users have it
        graph = frontends.load(files / source).graph
        assert capfd.readouterr() == ("", "")
    else:
        graph = graph_of(files / source)
    with np.load(files / "tiny.npz") as known:
        check(graph, [known["inputs"][:3]], [known["outputs"][:3]])


@needs_tensorflow
@pytest.mark.parametrize("name", ["lstm", "no_input_layer"])
def test_files_of_old_versions(files: Path, name: str) -> None:
    with np.load(files / f"{name}.npz") as known:
        check(graph_of(files / f"{name}.h5"), [known["inputs"][:3]], [known["outputs"][:3]])


@needs_tensorflow
def test_inputs_and_outputs_keep_their_order(files: Path) -> None:
    graph = graph_of(files / "two.keras")
    assert [edge.name for edge in graph.inputs] == ["z", "a"]
    with np.load(files / "two.npz") as known:
        check(graph, [known["inputs"], known["inputs_1"]], [known["outputs"], known["outputs_1"]])


def recurrent_models() -> dict[str, Any]:
    """Functions that make a model of sequences, by name."""
    import keras
    from keras import layers

    def sequential(*parts: Any) -> Any:
        return lambda: keras.Sequential([keras.Input((4, 3)), *parts])

    def states() -> Any:
        source = keras.Input((4, 3))
        rows, hidden, cell = layers.LSTM(5, return_state=True, return_sequences=True)(source)
        return keras.Model(source, [layers.GRU(5)(rows, initial_state=hidden), cell])

    inner = keras.Sequential([keras.Input((4, 3)), layers.LSTM(3, return_sequences=True)])
    return {
        "layers only": sequential(layers.LSTM(5, return_sequences=True), layers.LSTM(3)),
        "states": states,
        "bidirectional": sequential(layers.Bidirectional(layers.LSTM(5)), layers.Dense(2)),
        "nested": sequential(inner, layers.GRU(2)),
        "backwards": sequential(layers.SimpleRNN(3, go_backwards=True, return_sequences=True)),
        "no bias": sequential(layers.GRU(3, use_bias=False), layers.Dense(2)),
        "of a cell": sequential(layers.RNN(layers.LSTMCell(4)), layers.Dense(2)),
        "cells": sequential(layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)]), layers.Dense(2)),
        "a function of another kind": sequential(layers.SimpleRNN(3, activation="softsign"), layers.Dense(2)),
        "each step": sequential(layers.Reshape((2, 2, 3)), layers.TimeDistributed(layers.LSTM(2)), layers.Flatten()),
        "images": sequential(layers.Reshape((2, 3, 2)), layers.ConvLSTM1D(2, 2), layers.Flatten()),
    }


@needs_tensorflow
@pytest.mark.parametrize(
    "name",
    [
        "layers only",
        "states",
        "bidirectional",
        "nested",
        "backwards",
        "no bias",
        "of a cell",
        "cells",
        "a function of another kind",
        "each step",
        "images",
    ],
)
def test_live_recurrent_models(name: str) -> None:
    import keras

    keras.utils.set_random_seed(1)
    model = recurrent_models()[name]()
    readings = np.random.default_rng(1).normal(0, 1, (2, 4, 3)).astype(np.float32)
    expected = model.predict(readings, verbose=0)
    check(frontends.load(model).graph, [readings], expected if isinstance(expected, list) else [expected])


@needs_tensorflow
@pytest.mark.parametrize("kind", ["GRU", "LSTM", "SimpleRNN"])
def test_stateful_layers_remember(kind: str, tmp_path: Path) -> None:
    """From reading to reading, as in Keras; --reset each makes them forget."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    source = keras.Input((3, 2), batch_size=1)
    layer = getattr(layers, kind)(4, stateful=True, recurrent_initializer="random_normal")
    model = keras.Model(source, layer(source))
    reading = np.random.default_rng(1).normal(0, 1, (1, 3, 2)).astype(np.float32)
    expected = np.concatenate([np.asarray(model(reading)) for _ in range(6)])
    check(frontends.load(model).graph, [np.repeat(reading, 6, 0)], [expected])

    path = tmp_path / "stateful.midge"
    typical = np.repeat(reading, 6, 0) * np.linspace(1, 0.9, 6)[:, None, None]
    made = midge_host.convert(model, path, calibration=typical, allow_loss=True)
    assert len(made.init)
    for reset_each, wanted in ((False, expected), (True, expected[:1].repeat(6, 0))):
        for backend in ("cpython", "numpy"):
            got = backends.run(backend, path, [np.repeat(reading, 6, 0)], reset=reset_each).outputs[0]
            real = (got.reshape(6, -1).astype(np.float32) - made.outputs[0].zero_point) * made.outputs[0].scale
            np.testing.assert_allclose(real, wanted, atol=0.05)


@needs_tensorflow
def test_gestures(tmp_path: Path) -> None:
    """A stateless LSTM is as right as in Keras, whatever came before a reading."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 900)
    time = np.arange(16) / 16
    phases = random.uniform(0, 1, 900)[:, None]
    waves = np.stack([np.sin(2 * np.pi * (time * (f + labels[:, None]) + phases)) for f in (1, 2)], 2)
    readings = (waves + random.normal(0, 0.6, waves.shape)).astype(np.float32)
    model = keras.Sequential([keras.Input((16, 2)), layers.LSTM(8), layers.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    model.fit(readings[:500], labels[:500], batch_size=50, epochs=12, verbose=0)
    right = (model.predict(readings[600:], verbose=0).argmax(1) == labels[600:]).mean()
    assert right > 0.8
    made = midge_host.convert(model, tmp_path / "gestures.midge", calibration=readings[500:600])
    assert not len(made.init) and "LSTM" in {made.operator(i).name for i in range(len(made.records))}
    outputs = backends.run("cpython", tmp_path / "gestures.midge", [readings[600:]]).outputs[0]
    assert abs((outputs.reshape(300, 3).argmax(1) == labels[600:]).mean() - right) <= 0.01

    model.save(tmp_path / "gestures.keras")
    np.save(tmp_path / "readings.npy", readings[500:600])
    command = ["convert", str(tmp_path / "gestures.keras"), "-o", str(tmp_path / "gestures.tflite"), "--to", "tflite"]
    said = CliRunner().invoke(cli.app, [*command, "--calibration", str(tmp_path / "readings.npy")])
    assert said.exit_code == 0 and "call the interpreter's Reset() before each prediction" in said.output


@needs_tensorflow
def test_live_model_of_a_class_of_ones_own(tmp_path: Path) -> None:
    import keras

    class Doubled(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    model = keras.Sequential([keras.Input((4,)), Doubled()])
    reading = np.ones((1, 4), np.float32)
    check(frontends.load(model).graph, [reading], [2 * reading])


@needs_tensorflow
def test_unrolled_steps_share_their_weights(tmp_path: Path) -> None:
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    sizes = {}
    for steps in (4, 8):
        model = keras.Sequential([keras.Input((steps, 3)), layers.GRU(8)])
        readings = np.random.default_rng(1).normal(0, 1, (30, steps, 3)).astype(np.float32)
        made = midge_host.convert(model, tmp_path / "gru.midge", calibration=readings, allow_loss=True)
        sizes[steps] = len(made.weights)
    assert sizes[8] < 1.1 * sizes[4]


def test_an_export_is_read_as_it_was_written(tmp_path: Path) -> None:
    exported = Exported(b"TFL3", [("x", (1, 2))], [], [])
    exported.write(tmp_path / "answer")
    assert Exported.read(tmp_path / "answer") == exported


def test_without_tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (tmp_path / "model.h5").touch()
    with pytest.raises(MidgeError, match=r"pip install .*(tensorflow|\[keras\])"):
        frontends.load(tmp_path / "model.h5")


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(MidgeError, match=r"nothing\.h5: no such file"):
        frontends.load(tmp_path / "nothing.h5")


@needs_tensorflow
def test_errors_cross_from_the_child(files: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MidgeError, match=r"tokens\.keras: .*is int32, but only float32"):
        frontends.load(files / "tokens.keras")
    assert capfd.readouterr() == ("", "")


@needs_tensorflow
def test_crash_of_the_converter(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_CHILD", "import os; os.abort()")
    with pytest.raises(MidgeError, match=r"tiny\.keras: .*crashed \(exit status -6\); "):
        frontends.load(files / "tiny.keras")


@needs_tensorflow
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("image.png", "image.png: not a Keras model; give a .keras or .h5"),
        ("image.keras", "image.keras: Keras cannot load it"),
        ("image.h5", "image.h5: Keras cannot load it"),
        ("only.weights.h5", "No model config found"),
        ("folder", "folder that holds saved_model.pb"),
        ("custom.keras", "custom.keras: Keras does not know 'Doubled'"),
        ("custom.h5", "custom.h5: Keras does not know 'Doubled'"),
        ("lambda.keras", "has a Lambda layer"),
        ("tokens.keras", "is int32, but only float32"),
        ("open.keras", "has shape (None, None, 2), but only the batch size may be open"),
        ("masked.keras", "its steps are masked; midge runs all steps"),
        ("unsupported.keras", "cannot convert this model ('tf.Erfinv' op"),
    ],
)
def test_refusals(files: Path, source: str, words: str) -> None:
    with pytest.raises(MidgeError) as raised:
        graph_of(files / source)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
