"""Keras files become int8 .tflite files that compute what the float model computes."""

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest
import tflite as schema

import tflm
from midge_host.errors import MidgeError
from midge_host.frontends import keras as importer
from midge_host.frontends.keras import keras_to_tflite
from midge_host.frontends.tflite import load_tflite

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "data" / "keras"

needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason='no TensorFlow here: pip install "midge[keras]"'
)
needs_reference = pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"no reference models in {REFERENCE}")


def edges(tflite: bytes) -> tuple[list, list]:
    """Input and output tensors of a .tflite."""
    graph = schema.Model.GetRootAs(tflite).Subgraphs(0)
    return [graph.Tensors(i) for i in graph.InputsAsNumpy()], [graph.Tensors(i) for i in graph.OutputsAsNumpy()]


def predict(tflite: bytes, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Real values in, real values out, through TFLM."""
    sources, sinks = edges(tflite)

    def scale_zero(tensor):
        return tensor.Quantization().Scale(0), tensor.Quantization().ZeroPoint(0)

    quantised = []
    for values, tensor in zip(inputs, sources, strict=True):
        scale, zero = scale_zero(tensor)
        quantised.append(np.clip(np.round(values / scale) + zero, -128, 127).astype(np.int8))
    outputs = tflm.run(tflite, quantised)
    results = []
    for values, tensor in zip(outputs, sinks, strict=True):
        scale, zero = scale_zero(tensor)
        results.append((values.reshape(len(values), -1).astype(np.float32) - zero) * scale)
    return results


def check_int8_batch_1(tflite: bytes) -> None:
    sources, sinks = edges(tflite)
    for tensor in sources + sinks:
        assert tensor.Type() == schema.TensorType.INT8
        assert tensor.Shape(0) == 1
        assert tensor.ShapeSignatureLength() == 0 or -1 not in tensor.ShapeSignatureAsNumpy()


@needs_tensorflow
@needs_reference
@pytest.mark.parametrize("name", ["ad01", "mnist_valid", "pretrainedResnet", "vww_96"])
def test_keras_2_file(name: str) -> None:
    """The reference readings are (10, 1, *shape): a batch axis of 1 after N is accepted."""
    tflite = keras_to_tflite(REFERENCE / f"{name}.h5", REFERENCE / f"{name}.npz")
    check_int8_batch_1(tflite)
    with np.load(REFERENCE / f"{name}.npz") as known:
        (outputs,) = predict(tflite, [known["inputs"]])
        expected = known["keras"].reshape(outputs.shape)
    assert (outputs.argmax(1) == expected.argmax(1)).sum() >= 9
    assert np.abs(outputs - expected).mean() < 0.05 * np.ptp(expected)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """A folder of small models of every kind, and calibrations."""
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

    z, a = keras.Input((6, 4), name="z"), keras.Input((5, 2), name="a")
    stacked = layers.LSTM(5)(layers.LSTM(7, return_sequences=True)(z))
    lstm = keras.Model([z, a], [layers.Dense(3)(stacked), layers.LSTM(4, return_sequences=True)(a)])
    lstm.save(folder / "lstm.keras")

    # As Keras 2 wrote it.
    inner = keras.Sequential([keras.Input((6, 4)), layers.LSTM(3)])
    inner.save(folder / "lstm.h5")
    keras.Sequential([keras.Input((6, 4)), inner]).save(folder / "lstm_inside.keras")
    with h5py.File(folder / "lstm.h5", "a") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][1]["config"] |= {"time_major": False, "implementation": 2}
        file.attrs["model_config"] = json.dumps(config)

    vector = keras.Input((4,))
    sequence = keras.Input((None, 2))
    for name, inputs, outputs in [
        ("custom.keras", vector, Doubled()(vector)),
        ("custom.h5", vector, Doubled()(vector)),
        ("lambda.keras", vector, layers.Lambda(lambda x: 2 * x)(vector)),
        ("open.keras", sequence, layers.GlobalAveragePooling1D()(sequence)),
        ("recurrent.keras", vector, layers.LSTM(3)(layers.Reshape((2, 2))(vector))),
        ("unsupported.keras", vector, keras.ops.erfinv(layers.Dense(3)(vector))),
    ]:
        keras.Model(inputs, outputs).save(folder / name)
    tokens = keras.Input((4,), dtype="int32")
    keras.Model(tokens, layers.Embedding(3, 2)(tokens)).save(folder / "tokens.keras")

    random = np.random.default_rng(1)
    images = random.random((16, 8, 8, 2), np.float32)
    vectors, pairs = random.random((16, 4), np.float32), 9 * random.random((16, 2), np.float32)
    np.savez(folder / "tiny.npz", inputs=images, outputs=tiny.predict(images, verbose=0))
    y, b = two.predict([vectors, pairs], verbose=0)
    np.savez(folder / "two.npz", inputs=vectors, inputs_1=pairs, outputs=y, outputs_1=b)
    sequences, others = 4 * random.random((16, 6, 4), np.float32) - 2, random.random((16, 5, 2), np.float32)
    dense, rows = lstm.predict([sequences, others], verbose=0)
    np.savez(folder / "sequences.npz", inputs=sequences)
    np.savez(folder / "lstm.npz", inputs=sequences, inputs_1=others, outputs=dense, outputs_1=rows)
    np.savez(folder / "vectors.npz", inputs=vectors)
    np.savez(folder / "uneven.npz", inputs=vectors, inputs_1=pairs[1:])
    np.savez(folder / "key.npz", images=images)
    np.savez(folder / "shape.npz", inputs=images[:, 1:])
    np.savez(folder / "dtype.npz", inputs=(255 * images).astype(np.uint8))
    np.savez(folder / "nan.npz", inputs=np.where(images > 0.9, np.nan, images))
    np.savez(folder / "empty.npz", inputs=images[:0])
    np.savez(folder / "pickle.npz", inputs=np.array([{}], object))
    np.save(folder / "array.npy", images)
    for name in ("image.keras", "image.h5", "image.npz", "image.png"):
        (folder / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "folder").mkdir()
    return folder


@needs_tensorflow
@pytest.mark.parametrize("source", ["tiny.keras", "tiny.h5", "tiny"])
def test_every_kind_of_file(files: Path, source: str, capfd: pytest.CaptureFixture[str]) -> None:
    tflite = keras_to_tflite(files / source, files / "tiny.npz")
    assert capfd.readouterr() == ("", "")
    check_int8_batch_1(tflite)
    with np.load(files / "tiny.npz") as known:
        (outputs,) = predict(tflite, [known["inputs"]])
        np.testing.assert_allclose(outputs, known["outputs"], atol=0.05 * np.ptp(known["outputs"]))


@needs_tensorflow
def test_inputs_and_outputs_keep_their_order(files: Path) -> None:
    tflite = keras_to_tflite(files / "two.keras", files / "two.npz")
    with np.load(files / "two.npz") as known:
        y, b = predict(tflite, [known["inputs"], known["inputs_1"]])
        np.testing.assert_allclose(y, known["outputs"], atol=0.05 * np.ptp(known["outputs"]))
        np.testing.assert_allclose(b, known["outputs_1"], atol=0.05 * np.ptp(known["outputs_1"]))


@needs_tensorflow
def test_lstm_layers_become_one_operator_each(files: Path) -> None:
    tflite = keras_to_tflite(files / "lstm.keras", files / "lstm.npz")
    check_int8_batch_1(tflite)
    kinds = [node.kind for node in load_tflite(tflite, "lstm").nodes]
    assert kinds.count("UNIDIRECTIONAL_SEQUENCE_LSTM") == 3 and len(kinds) == 5
    with np.load(files / "lstm.npz") as known:
        readings = [known["inputs"], known["inputs_1"]]
        for i in range(16):  # each from an empty memory, as in Keras
            for got, name in zip(
                predict(tflite, [r[i : i + 1] for r in readings]), ("outputs", "outputs_1"), strict=True
            ):
                np.testing.assert_allclose(got.reshape(-1), known[name][i].reshape(-1), atol=0.05)


@needs_tensorflow
@pytest.mark.parametrize("file", ["lstm.h5", "lstm_inside.keras"])
def test_lstm_layer_of_keras_2_or_of_a_model_within(files: Path, file: str) -> None:
    tflite = keras_to_tflite(files / file, files / "sequences.npz")
    assert [n.kind for n in load_tflite(tflite, "lstm").nodes] == ["UNIDIRECTIONAL_SEQUENCE_LSTM", "STRIDED_SLICE"]


@needs_tensorflow
def test_same_bytes_twice(files: Path) -> None:
    assert len({keras_to_tflite(files / "tiny.h5", files / "tiny.npz") for _ in range(2)}) == 1


def test_without_tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (tmp_path / "model.h5").touch()
    with pytest.raises(MidgeError, match=r'pip install "midge\[keras\]"'):
        keras_to_tflite(tmp_path / "model.h5", None)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(MidgeError, match=r"nothing\.h5: no such file"):
        keras_to_tflite(tmp_path / "nothing.h5", None)


@needs_tensorflow
def test_errors_cross_from_the_child(files: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MidgeError, match=r"tiny\.keras: give --calibration .*`inputs` of shape \(N, 8, 8, 2\)"):
        keras_to_tflite(files / "tiny.keras", None)
    assert capfd.readouterr() == ("", "")


@needs_tensorflow
def test_crash_of_the_converter(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "_CHILD", "import os; os.abort()")
    with pytest.raises(MidgeError, match=r"recurrent\.keras: .*crashed \(exit status -6\); "):
        keras_to_tflite(files / "recurrent.keras", files / "vectors.npz")


@needs_tensorflow
@pytest.mark.parametrize(
    ("source", "calibration", "words"),
    [
        ("image.png", None, "image.png: not a Keras model; give a .keras or .h5"),
        ("image.keras", None, "image.keras: Keras cannot load it"),
        ("image.h5", None, "image.h5: Keras cannot load it"),
        ("only.weights.h5", None, "No model config found"),
        ("folder", None, "folder that holds saved_model.pb"),
        ("custom.keras", None, "custom.keras: Keras does not know 'Doubled'"),
        ("custom.h5", None, "custom.h5: Keras does not know 'Doubled'"),
        ("lambda.keras", None, "has a Lambda layer"),
        ("tokens.keras", None, "is int32, but only float32"),
        ("open.keras", None, "has shape (None, None, 2), but only the batch size may be open"),
        ("tiny.keras", "nothing.npz", "nothing.npz: no such file"),
        ("tiny.keras", "image.npz", "image.npz: not a readable .npz"),
        ("tiny.keras", "pickle.npz", "pickle.npz: not a readable .npz"),
        ("tiny.keras", "array.npy", "array.npy: not a readable .npz"),
        ("tiny.keras", "key.npz", "key.npz: has no `inputs`"),
        ("tiny.keras", "shape.npz", "`inputs` has shape (16, 7, 8, 2), not (N, 8, 8, 2)"),
        ("tiny.keras", "dtype.npz", "`inputs` is uint8; it must hold N typical readings as float32"),
        ("tiny.keras", "nan.npz", "`inputs` holds NaN or infinity"),
        ("tiny.keras", "empty.npz", "`inputs` is empty"),
        ("two.keras", "vectors.npz", "has no `inputs_1`"),
        ("two.keras", "uneven.npz", "`inputs_1` has 15 readings but `inputs` 16"),
        ("unsupported.keras", "vectors.npz", "cannot convert this model to int8 ('tf.Erfinv' op"),
    ],
)
def test_refusals(
    files: Path, source: str, calibration: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the child process, whose start takes seconds."""
    if source != "image.png":
        monkeypatch.setattr(importer, "keras_to_tflite", importer.convert_here)
    with pytest.raises(MidgeError) as raised:
        importer.keras_to_tflite(files / source, calibration and files / calibration)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
