"""Whole models that the tests make: every backend, every place for the weights, TFLM's bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import models
import tflm
from midge_host import backends
from midge_host.conversion import convert
from midge_host.device import model_file
from tflite_models import ModelBuilder

EVERYWHERE = [("numpy", "auto"), ("wasm", "auto")] + [
    (name, weights)
    for name in ("cpython", "portable", "micropython", "micropython-portable")
    for weights in ("ram", "stream", "map")
    if not (weights == "map" and name.startswith("micropython"))  # the unix port maps no files
]


@pytest.mark.parametrize("two_outputs", [False, True])
@pytest.mark.parametrize(("backend", "weights"), EVERYWHERE)
def test_exact_everywhere(make_model, backend: str, weights: str, two_outputs: bool) -> None:
    data, inputs = models.residual(two_outputs=two_outputs), models.residual_inputs(5)
    got = backends.run(backend, make_model(data), inputs, weights).outputs
    for mine, reference in zip(got, tflm.run(data, inputs), strict=True):
        np.testing.assert_array_equal(mine, reference)


@pytest.mark.parametrize("seed", range(5))
def test_other_weights(make_model, seed: int) -> None:
    data, inputs = models.residual(seed), models.residual_inputs(20, seed)
    got = backends.run("cpython", make_model(data), inputs).outputs[0]
    np.testing.assert_array_equal(got, tflm.run(data, inputs)[0])


def test_passes_leave_nothing_to_do(make_model) -> None:
    """Padding and a ReLU of the same scale are taken in by the convolution."""
    model = model_file.read(make_model(models.residual()))
    operators = [model.operator(i).name for i in range(len(model.records))]
    assert "PAD" not in operators
    assert operators.count("LUT") == 1  # the logistic; the ReLU is a clamp
    assert model.records[0]["pad_top"] == 1 and model.records[0]["pad_left"] == 2


def test_passes_see_readers_behind_a_reshape(make_model) -> None:
    """A tensor that is read beside its reshape: neither the padding nor the ReLU may vanish into its neighbour."""
    rng = np.random.default_rng(0)
    m = ModelBuilder()
    x = m.tensor((1, 2, 2, 3), quant=(0.02, -5))
    padded = m.pad(x, [(0, 0), (1, 0), (0, 1), (0, 0)])
    w = rng.integers(-127, 128, (4, 2, 2, 3)).astype(np.int8)
    y = m.conv_2d(padded, w, weight_scales=0.004, padding="VALID", quant=(0.03, -20))
    outputs = [m.relu(y), m.softmax(m.reshape(y, (1, 16))), m.softmax(m.reshape(padded, (1, 27)))]
    data = m.build([x], outputs)
    inputs = [rng.integers(-128, 128, (9, 1, 2, 2, 3)).astype(np.int8)]
    got = backends.run("cpython", make_model(data), inputs).outputs
    for mine, reference in zip(got, tflm.run(data, inputs), strict=True):
        np.testing.assert_array_equal(mine, reference)


@pytest.mark.parametrize("backend", ["numpy", "cpython", "portable"])
def test_a_clamp_behind_each_operator(make_model, backend: str) -> None:
    """It becomes the limits of the operator's record."""
    m, quant = ModelBuilder(), (0.0374, 57)
    a, b = m.tensor((1, 4, 3, 6), quant=quant), m.tensor((1, 4, 3, 6), quant=quant)
    values = [binary(a, b, quant=quant) for binary in (m.add, m.sub, m.mul, m.prelu)]
    values += [m.maximum(a, b), m.minimum(a, b), m.reduce_max(a, [2]), m.mean(a, [2])]
    values += [m.max_pool_2d(a, (2, 1)), m.average_pool_2d(a, (2, 1))]
    data = m.build([a, b], [m.relu6(x, quant=(0.0102, -128)) for x in values])
    rng = np.random.default_rng(0)
    inputs = [rng.integers(-128, 128, (9, 1, 4, 3, 6)).astype(np.int8) for _ in range(2)]
    got = backends.run(backend, make_model(data), inputs).outputs
    for mine, reference in zip(got, tflm.run(data, inputs), strict=True):
        np.testing.assert_array_equal(mine, reference)


def test_one_tensor_as_two_outputs(make_model) -> None:
    """As TensorFlow's converter writes it where two outputs turn out to be the same."""
    m = ModelBuilder()
    x = m.tensor((1, 5), quant=(0.02, -5))
    y, z = m.dequantize(m.logistic(x)), m.dequantize(m.relu(x))
    data = m.build([x], [y, z, y])
    inputs = [np.random.default_rng(0).integers(-128, 128, (9, 1, 5)).astype(np.int8)]
    got = backends.run("cpython", make_model(data), inputs).outputs
    for mine, reference in zip(got, tflm.run(data, inputs), strict=True):
        np.testing.assert_array_equal(mine, reference)


def test_conversion_is_deterministic(tmp_path: Path) -> None:
    source = tmp_path / "model.tflite"
    source.write_bytes(models.residual())
    convert(source, tmp_path / "a.midge")
    convert(source, tmp_path / "b.midge")
    assert (tmp_path / "a.midge").read_bytes() == (tmp_path / "b.midge").read_bytes()


def test_file_reads_back_as_written(make_model) -> None:
    path = make_model(models.residual())
    assert model_file.read(path).to_bytes() == path.read_bytes()


def test_labels_and_provenance(tmp_path: Path) -> None:
    source, labels, output = tmp_path / "m.tflite", tmp_path / "labels.txt", tmp_path / "m.midge"
    source.write_bytes(models.residual())
    labels.write_text("nought\none\ntwo\nthree\nfoür\n", encoding="utf-8")
    convert(source, output, labels=labels, name="counter")
    model = model_file.read(output)
    assert model.labels == ["nought", "one", "two", "three", "foür"]
    assert model.info["name"] == "counter" and model.info["source"] == "m.tflite" and len(model.info["sha256"]) == 64
