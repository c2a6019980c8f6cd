"""The quantiser: graphs of floats beside what comes of them, their rewrites, readings that tell nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from float_graphs import MAKERS, SAME, convolution, dense, graph, readings, weights
from midge_host.backends.numpy import encode as encode_reading
from midge_host.conversion import build
from midge_host.device import reference
from midge_host.device.model_file import ModelFile
from midge_host.device.numerics import quantize_multiplier, rescale
from midge_host.errors import MidgeError
from midge_host.ir import batch
from midge_host.ir import operators as ir
from midge_host.ir.builder import Builder
from midge_host.ir.evaluate import Evaluator
from midge_host.ir.graph import Graph, Tensor
from midge_host.passes import FLOAT_PASSES
from midge_host.quantize import Options, is_float, quantise, simplified
from midge_host.quantize.calibrate import of_values
from midge_host.quantize.judge import rounded
from midge_host.quantize.ranges import METHODS, find_range, to_quantization
from quantise import DATA, measure


def outputs(model: ModelFile, inputs: list[np.ndarray]) -> np.ndarray:
    """What a device gives for readings (N, *shape), as real numbers; each begins with a fresh state."""
    output, rows = model.outputs[0], []
    for row in zip(*inputs, strict=True):
        stored = [encode_reading(t, v.reshape(t.shape)) for t, v in zip(model.inputs, row, strict=True)]
        rows.append(reference.predict(model, reference.start(model), stored)[0])
    return (np.array(rows).astype(np.float64) - output.zero_point) * output.scale


def floats(graph: Graph, inputs: list[np.ndarray]) -> np.ndarray:
    rows = []
    for row in zip(*inputs, strict=True):
        rows.append(Evaluator(graph).predict(row)[0])
    return np.array(rows)


def decibels(wanted: np.ndarray, found: np.ndarray) -> float:
    found = found.reshape(wanted.shape)
    return float(10 * np.log10(np.square(wanted).sum() / np.square(wanted - found).sum()))


# The least signal-to-noise ratio, in dB, with 8 and with 16 bits. Most functions have no form of 16 bits.
EXPECTED = {
    "images": (25, 30),
    "pairs": (25, 28),
    "functions": (20, 20),
    "moves": (35, 35),
    "lstm": (30, 40),
    "svdf": (28, 28),
    "fixed_beside_free": (30, 40),
}


@pytest.mark.parametrize("precision", ["int8", "int16"])
@pytest.mark.parametrize("name", MAKERS)
def test_layers_stay_near_their_floats(name: str, precision: str) -> None:
    source = graph(name)
    inputs = readings(source)
    quantised = quantise(source, inputs, Options(precision=precision))  # type: ignore[arg-type]
    assert is_float(source) and not is_float(quantised.graph)
    model = build(quantised.graph)
    few = [x[:12] for x in inputs]
    assert decibels(floats(source, few), outputs(model, few)) > EXPECTED[name][precision == "int16"]


def test_same_model_and_readings_give_the_same_bytes() -> None:
    source = graph("images")
    first, second = (build(quantise(source, readings(source)).graph).to_bytes() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", MAKERS)
def test_batches_are_readings_one_by_one(name: str) -> None:
    source = graph(name)
    inputs = readings(source, 3)
    values = batch.run(source, inputs)[id(source.outputs[0].tensor)]
    one_by_one = Evaluator(source)
    for i, value in enumerate(values):
        np.testing.assert_allclose(one_by_one.predict([x[i] for x in inputs])[0], value, rtol=1e-4, atol=1e-5)


# Rewrites of floats.


def _batch_norm(b: Builder, x: Tensor, rng: np.random.Generator) -> Tensor:
    channels = x.shape[-1]
    scaled = b.add(ir.Mul, "scaled", first=x, second=rng.uniform(0.5, 2, channels))
    return b.add(ir.Add, "shifted", first=scaled, second=rng.normal(size=channels))


def _before_relu(b: Builder, rng: np.random.Generator) -> Tensor:
    y = convolution(b, b.input("x", (1, 6, 6, 3)), rng, 4, activation=ir.Activation.NONE)
    return b.add(ir.Relu, "relu", source=_batch_norm(b, y, rng))


def _behind_relu(b: Builder, rng: np.random.Generator) -> Tensor:
    y = _batch_norm(b, convolution(b, b.input("x", (1, 6, 6, 3)), rng, 4), rng)
    return convolution(b, y, rng, 5, padding=((0, 0), (0, 0)))


def _behind_relu_padded(b: Builder, rng: np.random.Generator) -> Tensor:
    """What pads has no offset: the sum stays, the product does not."""
    y = _batch_norm(b, convolution(b, b.input("x", (1, 6, 6, 3)), rng, 4), rng)
    return convolution(b, y, rng, 5, padding=SAME)


def _behind_relu6(b: Builder, rng: np.random.Generator) -> Tensor:
    y = convolution(b, b.input("x", (1, 6, 6, 3)), rng, 4, activation=ir.Activation.RELU6)
    return convolution(b, _batch_norm(b, y, rng), rng, 5, padding=((0, 0), (0, 0)))


def _depthwise(b: Builder, rng: np.random.Generator) -> Tensor:
    y = _batch_norm(b, convolution(b, b.input("x", (1, 6, 6, 3)), rng, 4), rng)
    fields = {"weights": weights(rng, 1, 3, 3, 8), "strides": (1, 1), "padding": ((0, 0), (0, 0))}
    return _batch_norm(b, b.add(ir.DepthwiseConv2D, "d", source=y, **fields), rng)


def _groups(b: Builder, rng: np.random.Generator) -> Tensor:
    y = _batch_norm(b, convolution(b, b.input("x", (1, 6, 6, 3)), rng, 4), rng)
    fields = {"weights": weights(rng, 6, 3, 3, 2), "strides": (1, 1), "padding": ((0, 0), (0, 0))}
    return b.add(ir.Conv2D, "grouped", source=y, **fields)


def _flat(b: Builder, rng: np.random.Generator) -> Tensor:
    y = _batch_norm(b, convolution(b, b.input("x", (1, 4, 4, 3)), rng, 4), rng)
    return dense(b, b.add(ir.Reshape, "flat", source=y, shape=(1, 64)), rng, 3)


def _quotient_and_difference(b: Builder, rng: np.random.Generator) -> Tensor:
    y = dense(b, b.input("x", (1, 8)), rng, 4)
    y = b.add(ir.Div, "quotient", first=b.add(ir.Sub, "less", first=y, second=rng.normal(size=4)), second=np.float32(3))
    return dense(b, b.add(ir.Mul, "twice", first=np.float32(2), second=y), rng, 3)


@pytest.mark.parametrize(
    ("make", "left"),
    [
        (_before_relu, 1),
        (_behind_relu, 2),
        (_behind_relu_padded, 3),
        (_behind_relu6, 2),
        (_depthwise, 2),
        (_groups, 2),
        (_quotient_and_difference, 2),
    ],
)
def test_products_and_sums_with_constants_fold(make: Callable, left: int) -> None:
    b = Builder("model")
    b.output(make(b, np.random.default_rng(5)))
    inputs = readings(b.graph, 4)
    wanted, rewritten = floats(b.graph, inputs), simplified(b.graph)
    assert len(rewritten.nodes) == left
    np.testing.assert_allclose(floats(rewritten, inputs), wanted, rtol=1e-5, atol=1e-5)
    assert rewritten.nodes[-1].name == b.graph.nodes[-1].name
    assert len(b.graph.nodes) > left  # the source stays as it is


def test_what_a_flatten_reads_is_folded_too() -> None:
    b = Builder("model")
    b.output(_flat(b, np.random.default_rng(5)))
    inputs = readings(b.graph, 4)
    np.testing.assert_allclose(floats(simplified(b.graph), inputs), floats(b.graph, inputs), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", MAKERS)
def test_rewrites_keep_the_outputs(name: str) -> None:
    source = graph(name)
    inputs = readings(source, 4)
    wanted = floats(source, inputs)
    for rewrite in FLOAT_PASSES:
        rewrite(source)
    np.testing.assert_allclose(floats(source, inputs), wanted, rtol=1e-5, atol=1e-5)


# Readings.


def _unlike(count: int = 64) -> np.ndarray:
    """Accelerations in g beside rates in degrees a second."""
    rng = np.random.default_rng(3)
    return (rng.normal(size=(count, 1, 20, 6)) * [1, 1, 1, 300, 300, 300] + [0, 0, 1, 0, 0, 0]).astype(np.float32)


def _motion(normalises: bool, pads: bool) -> Graph:
    """Both kinds of channels count as much."""
    b, rng = Builder("motion"), np.random.default_rng(4)
    x, scales = b.input("x", (1, 20, 6)), np.float32([1, 1, 1, 300, 300, 300])
    y = x
    if normalises:
        y = b.add(ir.Mul, "scaled", first=b.add(ir.Sub, "centred", first=x, second=scales * 0.1), second=1 / scales)
    w = weights(rng, 8, 1, 3, 6)
    y = b.add(
        ir.Conv2D,
        "conv",
        source=b.add(ir.Reshape, "image", source=y, shape=(1, 1, 20, 6)),
        weights=w if normalises else (w / scales).astype(np.float32),
        bias=rng.normal(size=8) * 0.1,
        strides=(1, 1),
        padding=((0, 0), (1, 1)) if pads else ((0, 0), (0, 0)),
        activation=ir.Activation.RELU,
    )
    b.output(dense(b, b.add(ir.Mean, "mean", source=y, axes=(1, 2)), rng, 3))
    return b.graph


@pytest.mark.parametrize("pads", [False, True])
@pytest.mark.parametrize("normalises", [False, True])
def test_channels_of_other_ranges_get_scales_of_their_own(normalises: bool, pads: bool) -> None:
    source, inputs = _motion(normalises, pads), [_unlike()]
    quantised = quantise(source, inputs)
    model = build(quantised.graph)
    assert len(model.inputs[0].channel_scales) == 6
    assert model.inputs[0].channel_scales[3] > 50 * model.inputs[0].channel_scales[0]
    operators = {model.operator(i).name for i in range(len(model.records))}
    assert operators <= {"CONV_2D", "MEAN", "FULLY_CONNECTED"}
    assert decibels(floats(source, inputs), outputs(model, inputs)) > 25
    if not normalises:
        assert any("a scale for each channel" in choice for choice in quantised.choices)


def test_one_scale_for_pixels_that_the_model_divides() -> None:
    """A Rescaling by 1/255 is a scale of 1: no work, and no channels."""
    b, rng = Builder("pixels"), np.random.default_rng(4)
    y = b.add(ir.Mul, "rescaled", first=b.input("x", (1, 6, 6, 3)), second=np.float32(1 / 255))
    b.output(convolution(b, y, rng, 4))
    pixels = [np.random.default_rng(1).integers(0, 256, (32, 6, 6, 3)).astype(np.float32)]
    tensor = build(quantise(b.graph, pixels).graph).inputs[0]
    assert (round(tensor.scale, 6), tensor.zero_point, tensor.channel_scales) == (1.0, -128, ())


def test_lstm_takes_scales_of_channels() -> None:
    source = graph("lstm")
    inputs = [readings(source)[0] * np.float32([1, 1, 1, 200, 200, 200])]
    for kernel in source.nodes[0].kernels:  # type: ignore[attr-defined]
        kernel.data = kernel.data / np.float32([1, 1, 1, 200, 200, 200])
    model = build(quantise(source, inputs).graph)
    assert len(model.inputs[0].channel_scales) == 6
    few = [inputs[0][:12]]
    assert decibels(floats(source, few), outputs(model, few)) > 30


def _changed(change: Callable[[np.ndarray], np.ndarray | list]) -> list[np.ndarray]:
    changed = change(readings(graph("fixed_beside_free"))[0])
    return changed if isinstance(changed, list) else [changed]


def _with_nan(x: np.ndarray) -> np.ndarray:
    x[7, 0, 3] = np.nan
    return x


BAD_READINGS: dict[str, tuple[Callable[[np.ndarray], np.ndarray | list], str]] = {
    "none": (lambda x: [], "give --calibration DATA"),
    "empty": (lambda x: x[:0], "has no readings"),
    "two inputs": (lambda x: [x, x], "2 inputs, the model has 1"),
    "shape": (lambda x: x[..., :9], r"shape \(48, 1, 9\), but \(N, 10\) is needed"),
    "NaN": (_with_nan, "reading 7 holds NaN"),
    "constant": (lambda x: np.zeros_like(x), "every value is 0"),
    "words": (lambda x: x.astype(str), "give numbers"),
}


@pytest.mark.parametrize("case", BAD_READINGS)
def test_readings_that_tell_nothing(case: str) -> None:
    change, message = BAD_READINGS[case]
    with pytest.raises(MidgeError, match=message):
        quantise(graph("fixed_beside_free"), _changed(change))


# Ranges and widths.


def test_ranges_include_zero_and_are_one_for_the_type() -> None:
    values = np.random.default_rng(0).normal(3, 0.1, 5000).astype(np.float32)
    for method in METHODS:
        low, high = find_range(of_values(values), method, "int8")
        assert low == 0 and 3 < high <= values.max() + 1e-5
        known = to_quantization(low, high, "int8")
        assert known.zero_point[0] == -128


def test_an_outlier_is_cut_off_by_all_but_min_max() -> None:
    values = np.append(np.random.default_rng(0).normal(0, 1, 100_000), 400).astype(np.float32)
    highs = {method: find_range(of_values(values), method, "int8")[1] for method in METHODS}
    assert highs["percentile 99.99"] < 20 < highs["mean-squared error"] < highs["min-max"] == 400


def test_layers_that_need_16_bits_get_them() -> None:
    """A small difference of large numbers, behind layers that do well with 8 bits."""
    b, rng = Builder("difference"), np.random.default_rng(2)
    source = b.input("x", (1, 8))
    x, other = (dense(b, source, rng, 6, activation=ir.Activation.NONE) for _ in range(2))
    large = b.add(ir.Mul, "large", first=other, second=np.float32(50))
    both = b.add(ir.Add, "both", first=large, second=b.add(ir.Tanh, "small", source=x))
    b.output(dense(b, b.add(ir.Sub, "less", first=both, second=large), rng, 3))
    inputs = readings(b.graph)
    narrow, wide = (quantise(b.graph, inputs, Options(precision)) for precision in ("int8", "auto"))  # type: ignore[arg-type]
    few = [inputs[0][:16]]
    with_8, with_16 = (decibels(floats(b.graph, few), outputs(build(q.graph), few)) for q in (narrow, wide))
    assert with_8 < 20 < 25 < with_16
    assert any("16 bits" in choice and "'less'" in choice for choice in wide.choices)
    assert not any("16 bits" in choice for choice in narrow.choices)


def test_auto_keeps_8_bits_where_they_do() -> None:
    source = graph("images")
    made = quantise(source, readings(source), Options("auto")).graph
    assert {t.dtype for node in made.nodes for t in node.outputs} == {"int8"}


def test_sums_are_rounded_as_on_a_device() -> None:
    rng = np.random.default_rng(7)
    sums, step = rng.integers(-300, 300, (4000, 6)), 0.07
    scales = step * np.array([0.9137, 0.4171, 0.3037, 0.1373, 0.0611, 0.0131])
    numbers = np.array([quantize_multiplier(s) for s in scales / step])
    expected = rescale(sums, numbers[:, 0], numbers[:, 1])
    found = rounded((sums * scales).astype(np.float32), scales, step)
    np.testing.assert_array_equal(found, expected)
    assert (np.rint(sums * scales / step) != expected).mean() > 0.05


def test_ranges_get_room_where_other_readings_ask_for_it() -> None:
    """None where there are too few to leave some out: those at hand never ask for more."""
    source = graph("images")
    drawn = readings(source)[0]
    some, least = (quantise(source, [drawn[:count]]).choices[-1] for count in (6, 3))
    assert "times as wide" in some and "times as wide" not in least


@pytest.mark.thorough
@pytest.mark.skipif(not DATA.exists(), reason=f"no reference models in {DATA}")
@pytest.mark.parametrize(("name", "real", "bound"), [("mnist_cnn_fp32", 97.4, 97.3), ("ad01_fp32", 9.707, 9.76)])
def test_real_models_keep_their_accuracy(name: str, real: float, bound: float) -> None:
    """Per cent of digits; a mean squared error, which is better where it is less."""
    found = measure(f"models/{name}.tflite", Options())
    assert found[0] == pytest.approx(real, abs=0.001)
    assert found[1] >= bound if name == "mnist_cnn_fp32" else found[1] <= bound
