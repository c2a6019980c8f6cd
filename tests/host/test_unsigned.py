"""Models of the former uint8 kind become int8 ones. TFLM has no kernels for them: TensorFlow Lite is the reference."""

from __future__ import annotations

import numpy as np
import pytest

import midge
from midge_host import backends
from midge_host.commands.info import facts
from midge_host.conversion import build
from midge_host.errors import UnsupportedError
from midge_host.frontends import tflite
from tflite_models import ModelBuilder, window_output
from tflm import tensorflow_lite

IMAGE = (1, 7, 6, 3)
X, Y = (0.02, 119), (0.9, 131)
BACKENDS = ["numpy", "cpython", "portable", "micropython"]


def layer(kind: str, weights_zero: int, padding: str) -> tuple[bytes, np.ndarray]:
    """A model of one layer with uint8 weights from 0 to 255."""
    rng = np.random.default_rng(weights_zero)
    shape = {"CONV_2D": (4, 3, 2, 3), "DEPTHWISE_CONV_2D": (1, 3, 2, 6), "FULLY_CONNECTED": (5, 126)}[kind]
    channels = shape[3] if kind == "DEPTHWISE_CONV_2D" else shape[0]
    m = ModelBuilder()
    x = m.tensor(IMAGE, "uint8", quant=X, name="image")
    w = m.constant(rng.integers(0, 256, shape).astype(np.uint8), quant=(0.013, weights_zero))
    b = m.constant(rng.integers(-900, 900, channels).astype(np.int32), quant=(X[0] * 0.013, 0))
    same = padding == "SAME"
    fields = {"Padding": 0 if same else 1, "StrideH": 1, "StrideW": 2, "DilationHFactor": 1, "DilationWFactor": 1}
    tables = {"CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions"}
    if kind == "FULLY_CONNECTED":
        y, fields = m.tensor((1, 5), "uint8", quant=Y), {}
    else:
        y = m.tensor((1, 7 if same else 5, 3, channels), "uint8", quant=Y)
    if kind == "DEPTHWISE_CONV_2D":
        fields["DepthMultiplier"] = 2
    m.op(kind, [x, w, b], [y], 1, tables.get(kind, "FullyConnectedOptions"), **fields, FusedActivationFunction=1)
    readings = rng.integers(0, 256, (8, *IMAGE)).astype(np.uint8)
    return m.build([x], [y]), readings


@pytest.mark.parametrize("weights_zero", [128, 127, 90, 255, 0])
@pytest.mark.parametrize(
    ("kind", "padding"),
    [
        ("CONV_2D", "SAME"),
        ("CONV_2D", "VALID"),
        ("DEPTHWISE_CONV_2D", "SAME"),
        ("DEPTHWISE_CONV_2D", "VALID"),
        ("FULLY_CONNECTED", ""),
    ],
)
def test_layers(make_model, kind: str, padding: str, weights_zero: int) -> None:
    model, readings = layer(kind, weights_zero, padding)
    expected = tensorflow_lite(model, readings)
    path = make_model(model)
    for name in BACKENDS:
        got = backends.run(name, path, [readings]).outputs[0]
        np.testing.assert_array_equal(got.reshape(expected.shape), expected, err_msg=name)


@pytest.mark.parametrize(
    ("window", "padding"),
    [((2, 2), "VALID"), ((2, 2), "SAME"), ((3, 3), "VALID"), ((3, 3), "SAME"), ((7, 6), "VALID"), ((1, 4), "SAME")],
)
def test_averages(make_model, window: tuple[int, int], padding: str) -> None:
    """Halves are rounded upwards."""
    m = ModelBuilder()
    x = m.tensor(IMAGE, "uint8", quant=X)
    sizes = [window_output(n, k, k, 1, padding) for n, k in zip(IMAGE[1:3], window, strict=True)]
    y = m.tensor((1, *sizes, IMAGE[3]), "uint8", quant=X)
    fields = {"Padding": ["SAME", "VALID"].index(padding), "StrideH": window[0], "StrideW": window[1]}
    m.op("AVERAGE_POOL_2D", [x], [y], 1, "Pool2DOptions", **fields, FilterHeight=window[0], FilterWidth=window[1])
    model = m.build([x], [y])
    readings = np.random.default_rng(3).integers(0, 256, (20, *IMAGE)).astype(np.uint8)
    expected = tensorflow_lite(model, readings)
    path = make_model(model)
    for name in BACKENDS:
        got = backends.run(name, path, [readings]).outputs[0]
        np.testing.assert_array_equal(got.reshape(expected.shape), expected, err_msg=name)


def test_relu6_to_another_scale_is_refused() -> None:
    """TensorFlow Lite rescales, TFLM does not: the bytes would mean something else."""
    m = ModelBuilder()
    x = m.tensor((1, 256), "uint8", quant=(0.05, 120))
    data = m.build([x], [m.relu6(x, (6 / 255, 0))])
    with pytest.raises(UnsupportedError, match="different scales"):
        build(tflite.load_tflite(data, "m.tflite"))


@pytest.mark.parametrize("backend", ["native", "portable"])
def test_zero_points_are_those_of_uint8(make_model, backend: str) -> None:
    """real = scale * (q - zero_point), with the bytes that scripts give and get."""
    m = ModelBuilder()
    x = m.tensor((1, 6), "uint8", quant=(0.05, 120))
    path = make_model(m.build([x], [m.relu(x)]))
    model = midge.load(str(path), backend=backend)
    reading, raw = bytes([0, 1, 119, 120, 121, 255]), bytearray(6)
    for tensor, found in zip(
        [*model.inputs, *model.outputs], [*facts(path)["inputs"], *facts(path)["outputs"]], strict=True
    ):
        assert (tensor.dtype, tensor.zero_point, found["zero_point"]) == ("uint8", 120, 120)
    model.predict_into(reading, raw)
    assert list(raw) == [120, 120, 120, 120, 121, 255]
    output, real = model.outputs[0], model.predict(reading)
    assert real == pytest.approx([output.scale * (q - output.zero_point) for q in raw])
    assert model.predict([0.05 * (q - 120) for q in reading]) == real
