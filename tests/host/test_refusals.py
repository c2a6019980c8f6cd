"""Layers that midge does not have, or not in this form: a sentence with the layer's name, the reason and what to do.

TFLM, too, refuses those of TFLM_REFUSES; the others it runs, or its answer has no meaning.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import tflm
from midge_host.conversion import build
from midge_host.errors import MidgeError, UnsupportedError
from midge_host.frontends import tflite
from tflite_models import UNIT, ModelBuilder, one_operator

Q = (0.05, 3)


def _one(
    code: str,
    inputs: Sequence[tuple[Any, ...]],
    output: tuple[Any, ...],
    constants: Sequence[Any] = (),
    options_table: str = "",
    **options: Any,
) -> bytes:
    """One operator: (shape, dtype, quantisation) of its computed inputs and its output; int32 constants come last."""
    m = ModelBuilder()
    xs = [m.tensor(*x) for x in inputs]
    y = m.tensor(*output)
    m.op(code.upper(), [*xs, *(m.constant(np.array(c, np.int32)) for c in constants)], [y], 1, options_table, **options)
    return m.build(xs, [y])


IMAGE = ((1, 4, 6, 2), "int8", Q)
WIDE = ((1, 4, 6, 2), "int16", (1e-3, 0))
CONCATENATION = ("ConcatenationOptions", {"Axis": 3})


def _concatenation(second: tuple[float, int], **options: Any) -> bytes:
    inputs = [IMAGE, ((1, 4, 6, 2), "int8", second)]
    table, axis = CONCATENATION
    return _one("concatenation", inputs, ((1, 4, 6, 4), "int8", Q), options_table=table, **axis, **options)


def _computed_parameter(code: str, shape: tuple[int, ...], **options: Any) -> bytes:
    """The second input, a parameter, is one of the model's inputs."""
    return _one(code, [IMAGE, (shape, "int32")], IMAGE, **options)


def _depthwise16(bias: type, scale: float) -> bytes:
    m = ModelBuilder()
    x = m.tensor((1, 4, 4, 3), "int16", (1e-3, 0))
    w = np.ones((1, 2, 2, 3), np.int8)
    y = m.depthwise_conv_2d(x, w, np.zeros(3, bias), weight_scales=scale, quant=(1e-3, 0))
    return m.build([x], [y])


def _times_eight_factors(m: ModelBuilder, x: int) -> int:
    return m.floats("MUL", x, m.constant(np.arange(8, dtype=np.float32)), table="MulOptions")


def _padded_with_floats() -> bytes:
    """What TensorFlow's converter makes of a constant value beside int16."""
    m = ModelBuilder()
    x, y = m.tensor((1, 8), "int16", (1e-3, 0)), m.tensor((1, 9), "int16", (1e-3, 0))
    paddings, value = (m.constant(np.array(c, t)) for c, t in (([[0, 0], [1, 0]], np.int32), (0.7, np.float32)))
    m.op("PADV2", [x, paddings, value], [y], 1, "PadV2Options")
    return m.build([x], [y])


TFLM_REFUSES: dict[str, tuple[bytes, str]] = {
    "activation of a concatenation": (_concatenation(Q, FusedActivationFunction=1), "activation"),
    "scales of a concatenation": (_concatenation((0.1, 3)), "other scales"),
    "zero points of a concatenation": (_concatenation((0.05, 4)), "other scales"),
    "bilinear corners and centres": (
        one_operator("resize_bilinear", (1, 4, 6, 2), Q, size=(7, 9), align_corners=True, half_pixel_centers=True),
        "choose one",
    ),
    "argmax of int64": (
        _one("arg_max", [IMAGE], ((1, 4, 6), "int64"), [3], "ArgMaxOptions", OutputType=4),
        "int64",
    ),
    "activation of a norm": (
        _one("l2_normalization", [IMAGE], ((1, 4, 6, 2), "int8", UNIT), [], "L2NormOptions", FusedActivationFunction=1),
        "activation",
    ),
    "another scale of log-softmax": (_one("log_softmax", [IMAGE], IMAGE), "1/16"),
    "comparison of int16": (_one("less", [WIDE, WIDE], ((1, 4, 6, 2), "bool")), "int16"),
    "quotients of int16": (_one("div", [WIDE, WIDE], WIDE, options_table="DivOptions"), "int16"),
    **{
        f"{code} of int16": (_one(code, [WIDE], output, *constants), "int16")
        for code, output, *constants in (
            ("hard_swish", WIDE),
            ("elu", WIDE),
            ("log_softmax", WIDE),
            ("l2_normalization", WIDE, [], "L2NormOptions"),
        )
    },
    "arg_max of int16": (_one("arg_max", [WIDE], ((1, 4, 6), "int32"), [3], "ArgMaxOptions", OutputType=2), "int16"),
    "resize_bilinear of int16": (
        _one("resize_bilinear", [WIDE], WIDE, [[4, 6]], "ResizeBilinearOptions"),
        "activations have 16 bits",
    ),
    "prelu of int16": (_one("prelu", [WIDE, WIDE], WIDE), "int16"),
    "hard swish of scales far apart": (
        _one("hard_swish", [((1, 8), "int8", (0.5, 0))], ((1, 8), "int8", (0.001, 0))),
        "too far apart",
    ),
}

REFUSED: dict[str, tuple[bytes, str]] = {
    **TFLM_REFUSES,
    "paddings of int16 with a float": (_padded_with_floats(), "not one int16"),
    "another scale of tanh": (_one("tanh", [IMAGE], ((1, 4, 6, 2), "int8", (1 / 256, 0))), "1/128"),
    "another scale of a norm": (_one("l2_normalization", [IMAGE], IMAGE, [], "L2NormOptions"), "1/128"),
    "another scale of tanh of int16": (_one("tanh", [WIDE], WIDE), "1/32768"),
    "another scale of softmax of int16": (_one("softmax", [WIDE], WIDE, [], "SoftmaxOptions", Beta=1.0), "1/32768"),
    "steep tanh of int16": (_one("tanh", [((1, 8), "int16", (3.0, 0))], ((1, 8), "int16", (2.0**-15, 0))), "too large"),
    "negative slope of int16": (_one("leaky_relu", [WIDE], WIDE, [], "LeakyReluOptions", Alpha=-0.5), "negative"),
    "zero point of an int16 tensor": (_one("relu", [((1, 8), "int16", (0.1, 3))], ((1, 8), "int16", Q)), "impossible"),
    "factor of products of int16": (
        _one("batch_matmul", [WIDE, WIDE], ((1, 4, 6, 6), "int16", (1e-9, 0)), [], "BatchMatMulOptions", AdjY=True),
        "by more than 128",
    ),
    "int32 bias of an int16 depthwise convolution": (_depthwise16(np.int32, 1.0), "not 3 int64"),
    "factor of an int16 convolution": (_depthwise16(np.int64, 1e5), "by more than 128"),
    "zero point of int16": (_one("relu", [((1, 8), "int16", (1e-3, 3))], ((1, 8), "int16", (1e-3, 3))), "impossible"),
    "floats with a factor for each channel": (
        one_operator("float_functions", (1, 8), Q, functions=[_times_eight_factors], quant=Q),
        "float32",
    ),
    "unknown function of floats": (
        one_operator("float_functions", (1, 8), Q, functions=["BITCAST"], quant=Q),
        "BITCAST",
    ),
    "selection of int32": (
        _one("select_v2", [((1, 8), "bool"), ((1, 8), "int32"), ((1, 8), "int32")], ((1, 8), "int32")),
        "int32",
    ),
    "quotients of scales far apart": (
        _one(
            "div",
            [((1, 8), "int8", (1.0, 0)), ((1, 8), "int8", (1e-5, 0))],
            ((1, 8), "int8", (1e-3, 0)),
            options_table="DivOptions",
        ),
        "too far apart",
    ),
    "rsqrt of negative numbers": (one_operator("rsqrt", (1, 8), Q), "negative"),
    "elu beyond float32": (_one("elu", [((1, 8), "int8", (1e37, 0))], ((1, 8), "int8", (1e-3, 0))), "too far apart"),
    "bilinear behind the image": (one_operator("resize_bilinear", (1, 1, 1, 2), Q, size=(1, 70)), "70 of 1"),
    "images of three dimensions": (
        _one(
            "resize_bilinear",
            [((4, 6, 2), "int8", Q)],
            ((5, 5, 2), "int8", Q),
            [[5, 5]],
            "ResizeBilinearOptions",
        ),
        "4 dimensions",
    ),
    "channels of a resize": (
        _one("resize_nearest_neighbor", [IMAGE], ((1, 4, 6, 3), "int8", Q), [[4, 6]], "ResizeNearestNeighborOptions"),
        "it makes",
    ),
    "computed axis": (_computed_parameter("arg_max", (1,), options_table="ArgMaxOptions"), "axis"),
    "computed order": (_computed_parameter("transpose", (4,)), "computed|constant"),
    "classes of a log-softmax": (one_operator("log_softmax", (1, 4096), Q), "4096 classes"),
    "elements of a norm": (one_operator("l2_normalization", (1, 33026), Q), "33026"),
    "products of matrices": (
        _one(
            "batch_matmul",
            [((1, 33026), "int8", Q), ((33026, 1), "int8", Q)],
            ((1, 1), "int8", Q),
            [],
            "BatchMatMulOptions",
        ),
        "33026",
    ),
    "batches of matrices": (
        _one(
            "batch_matmul",
            [((2, 2, 2, 2, 3, 4), "int8", Q), ((4, 5), "int8", Q)],
            ((2, 2, 2, 2, 3, 5), "int8", Q),
            [],
            "BatchMatMulOptions",
        ),
        "4 batch dimensions",
    ),
    "matrices that do not fit": (
        _one("batch_matmul", [((3, 4), "int8", Q), ((5, 6), "int8", Q)], ((3, 6), "int8", Q), [], "BatchMatMulOptions"),
        "do not make",
    ),
}


def refusal(data: bytes) -> str:
    with pytest.raises(UnsupportedError) as error:
        build(tflite.load_tflite(data, "m.tflite"))
    return str(error.value)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", REFUSED)
def test_refusal_in_words(name: str) -> None:
    data, words = REFUSED[name]
    text = refusal(data)
    assert text.startswith("layer '") and "; " in text and "\n" not in text
    assert any(word in text for word in words.split("|")), text


@pytest.mark.parametrize("name", TFLM_REFUSES)
def test_tflm_refuses_too(name: str) -> None:
    data, _ = TFLM_REFUSES[name]
    graph = tflite.load_tflite(data, "m.tflite")
    with pytest.raises(tflm.Refused):
        tflm.run(data, [np.zeros((1, *e.tensor.shape), e.dtype) for e in graph.inputs])


EXTREMES = [1e-38, 1e-30, 1e-9, 1.0, 1e9, 1e30, 1e38]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["relu", "leaky_relu", "hard_swish", "elu", "abs", "rsqrt", "quantize"])
def test_extreme_scales(name: str) -> None:
    """A table or a refusal."""
    options = {"alpha": -0.3} if name == "leaky_relu" else {}
    for x, y in itertools.product(EXTREMES, EXTREMES):
        try:
            data = one_operator(name, (1, 8), (x, -128), quant=(y, 0), **options)
            build(tflite.load_tflite(data, "m.tflite"))
        except MidgeError as error:
            assert "\n" not in str(error)
