"""Single-operator models that every backend must run exactly as TensorFlow Lite Micro does.

CASES is a fixed table, the product of every line of `_GRIDS`; `random_cases` draws more of the
same kinds from the same vocabulary for longer campaigns. What a case leaves open (weights,
zero points, scales) comes from a generator seeded with the case's name.
"""

import itertools
import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.random import Generator

from tflite_models import Quant, one_operator, window_output

Made = tuple[bytes, list[np.ndarray]]
ACTIVATIONS = ["NONE", "RELU", "RELU6", "RELU_N1_TO_1"]
PADDINGS = ["SAME", "VALID"]


@dataclass(frozen=True)
class Case:
    """A model of one operator and some inputs for it: (N, *shape), one row a run."""

    name: str
    operator: str
    parameters: Mapping[str, Any]

    @cached_property
    def _made(self) -> Made:
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        return _MAKERS[self.operator](rng, **self.parameters)

    @property
    def tflite(self) -> bytes:
        return self._made[0]

    @property
    def inputs(self) -> list[np.ndarray]:
        return self._made[1]


# Parts of a model, drawn at random where the case does not say.


def _scale(rng: Generator, low: float, high: float) -> float:
    return float(np.float32(math.exp(rng.uniform(math.log(low), math.log(high)))))


def _zero_point(rng: Generator, given: int | None) -> int:
    return int(rng.integers(-128, 128)) if given is None else given


def _rows(rng: Generator, shape: Sequence[int], zero_point: int = 0) -> np.ndarray:
    """Seven readings: over the whole range, close together, at the ends, and at zero."""
    size = math.prod(shape)
    rows = [
        *rng.integers(-128, 128, (2, size)),
        np.clip(np.rint(rng.normal(rng.integers(-128, 128), 4, size)), -128, 127),
        np.full(size, -128),
        np.full(size, 127),
        np.where(np.arange(size) % 2, 127, -128),
        np.full(size, zero_point),
    ]
    return np.stack(rows).astype(np.int8).reshape(-1, *shape)


def _weights(rng: Generator, kind: str, shape: Sequence[int], channel_axis: int) -> np.ndarray:
    match kind:
        case "uniform":
            weights = rng.integers(-127, 128, shape)
        case "normal":
            weights = np.clip(np.rint(rng.normal(0, 25, shape)), -127, 127)
        case "small":
            weights = rng.integers(-1, 2, shape)
        case "zero rows":
            channels = np.arange(shape[channel_axis])
            live = np.expand_dims(channels % 2, [i for i in range(len(shape)) if i != channel_axis])
            weights = rng.integers(-127, 128, shape) * live
        case _:
            weights = np.full(shape, int(kind))
    return weights.astype(np.int8)


def _layer(
    rng: Generator,
    shape: Sequence[int],
    channel_axis: int,
    *,
    x_zero: int | None = None,
    y_zero: int | None = None,
    weights: str = "uniform",
    scales: str | tuple[float, float, float] = "channel",
    multiplier: float | None = None,
    bias: str | None = "ties",
) -> tuple[Quant, dict[str, Any]]:
    """Numbers of a layer with weights: the input's quantisation, and arguments of the layer.

    `multiplier` is input scale × weight scale / output scale, by default what maps the layer's
    sums to the output's range. `scales`: one for every channel, one per tensor, channels spread
    over 2^20, or exactly (input, weights, output). `bias`: "ties" puts the sums of an input of
    zeros on, and on both sides of, the points where the output's rounding turns; "huge" and
    "extreme" are 2^30 and as far as the sums have room. No sum leaves int32, nor does one that
    is shifted left for a multiplier above 1: what C++ does then is undefined.
    """
    channels = shape[channel_axis]
    values = _weights(rng, weights, shape, channel_axis)
    others = tuple(axis for axis in range(len(shape)) if axis != channel_axis)
    products = 255 * int(np.abs(values.astype(np.int64)).sum(others).max())
    if multiplier is None:
        multiplier = 50 / (73 * 73 * math.sqrt(math.prod(shape) / channels))
    multiplier = min(multiplier, 2**29 / max(products, 1))
    x_scale, y_scale = _scale(rng, 1e-3, 1), _scale(rng, 0.02, 0.08)
    weight_scales = np.array([multiplier * y_scale / x_scale])
    match scales:
        case "channel":
            weight_scales = weight_scales * rng.uniform(0.3, 1, channels)
        case "spread":
            weight_scales = weight_scales * 2.0 ** -np.linspace(0, 20, channels)
        case (x_scale, weight_scale, y_scale):
            weight_scales = np.array([weight_scale])
    real = np.float64(weight_scales.astype(np.float32)) * x_scale / y_scale * np.ones(channels)
    # A multiplier a hair below a power of two is rounded up to it.
    left_shift = max(0, math.frexp(real.max() * (1 + 2**-30))[1])
    room = 2 ** (31 - left_shift) - 1 - products
    y_zero = _zero_point(rng, y_zero)
    sign = np.where(np.arange(channels) % 2, 1, -1)
    biases = {
        "ties": np.rint((rng.integers(-128, 128, channels) - y_zero + 0.5) / real) + rng.integers(-1, 2, channels),
        "huge": sign * (2**30 - rng.integers(0, 1000, channels)),
        "extreme": sign * (room - rng.integers(0, 1000, channels)),
    }
    return (x_scale, _zero_point(rng, x_zero)), {
        "weights": values,
        "bias": None if bias is None else np.clip(biases[bias], -room, room),
        "weight_scales": weight_scales,
        "quant": (y_scale, y_zero),
    }


# One maker for every operator: parameters of a case -> model and inputs.


def _made(rng: Generator, operator: str, x_shape: Sequence[int], x_quant: Quant, **arguments: Any) -> Made:
    model = one_operator(operator, x_shape, x_quant, **arguments)
    return model, [_rows(rng, x_shape, x_quant[1])]


_WINDOW = ("strides", "dilations", "padding", "activation")


def _conv_2d(
    rng: Generator,
    image: tuple[int, int] = (6, 7),
    channels: int = 3,
    filters: int = 4,
    kernel: tuple[int, int] = (3, 3),
    **parameters: Any,
) -> Made:
    window = {key: parameters.pop(key) for key in _WINDOW if key in parameters}
    quant, layer = _layer(rng, (filters, *kernel, channels), 0, **parameters)
    return _made(rng, "conv_2d", (1, *image, channels), quant, **layer, **window)


def _depthwise_conv_2d(
    rng: Generator,
    image: tuple[int, int] = (6, 7),
    channels: int = 4,
    depth_multiplier: int = 1,
    kernel: tuple[int, int] = (3, 3),
    **parameters: Any,
) -> Made:
    window = {key: parameters.pop(key) for key in _WINDOW if key in parameters}
    quant, layer = _layer(rng, (1, *kernel, channels * depth_multiplier), 3, **parameters)
    return _made(rng, "depthwise_conv_2d", (1, *image, channels), quant, **layer, **window)


def _fully_connected(
    rng: Generator,
    shape: tuple[int, ...] = (1, 20),
    form: str = "rows",
    filters: int = 5,
    activation: str = "NONE",
    **parameters: Any,
) -> Made:
    """`form`: what a row is: the last axis, with the others kept or not, or everything."""
    depth = math.prod(shape[1:]) if form == "flat" else shape[-1]
    quant, layer = _layer(rng, (filters, depth), 0, **parameters)
    keep = {"activation": activation, "keep_num_dims": form == "kept"}
    return _made(rng, "fully_connected", shape, quant, **layer, **keep)


def _pool(operator: str) -> Callable[..., Made]:
    def make(
        rng: Generator,
        image: tuple[int, int] = (6, 7),
        channels: int = 3,
        kernel: tuple[int, int] = (2, 2),
        x_zero: int | None = None,
        **parameters: Any,
    ) -> Made:
        quant = _scale(rng, 0.02, 0.08), _zero_point(rng, x_zero)
        return _made(rng, operator, (1, *image, channels), quant, window=kernel, **parameters)

    return make


def _mean(
    rng: Generator,
    reduction: tuple[tuple[int, ...], tuple[int, ...]] = ((1, 5, 4, 3), (1, 2)),
    keep_dims: bool = True,
    scales: tuple[float, float] | None = None,
    x_zero: int | None = None,
    y_zero: int | None = None,
) -> Made:
    """`reduction`: input shape and axes; `scales`: input and output, by default the same."""
    shape, axes = reduction
    x_scale, y_scale = scales or [_scale(rng, 1e-3, 1)] * 2
    quant = x_scale, _zero_point(rng, x_zero)
    # As converters do: the same scale comes with the same zero point.
    output = y_scale, _zero_point(rng, y_zero if scales else quant[1])
    return _made(rng, "mean", shape, quant, axes=axes, keep_dims=keep_dims, quant=output)


def _add(
    rng: Generator,
    shape: tuple[int, ...] = (1, 3, 5, 4),
    scales: tuple[float, float, float] | None = None,
    zero_points: tuple[int, int, int] | None = None,
    activation: str = "NONE",
) -> Made:
    """Scales and zero points of the first input, the second, and the output."""
    zeros = zero_points or [_zero_point(rng, None) for _ in range(3)]
    a, b, y = zip(scales or [_scale(rng, 0.02, 0.08) for _ in range(3)], zeros, strict=True)
    tflite = one_operator("add", shape, a, second_quant=b, quant=y, activation=activation)
    # Shifted by one, so that the same kinds of rows meet others too.
    return tflite, [_rows(rng, shape, a[1]), np.roll(_rows(rng, shape, b[1]), 1, axis=0)]


def _reshape(rng: Generator, shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> Made:
    before, after = shapes
    return _made(rng, "reshape", before, (_scale(rng, 1e-3, 1), 3), shape=after)


def _softmax(
    rng: Generator,
    shape: tuple[int, ...] = (1, 10),
    beta: float = 1.0,
    x_scale: float = 0.1,
    x_zero: int | None = None,
) -> Made:
    return _made(rng, "softmax", shape, (x_scale, _zero_point(rng, x_zero)), beta=beta)


def _logistic(rng: Generator, x_scale: float = 0.1, x_zero: int | None = None) -> Made:
    tflite = one_operator("logistic", (1, 256), (x_scale, _zero_point(rng, x_zero)))
    return tflite, [np.arange(-128, 128, dtype=np.int8).reshape(1, 1, 256)]


def _rectifier(operator: str) -> Callable[..., Made]:
    def make(
        rng: Generator,
        x_scale: float = 0.05,
        ratio: float = 1.0,
        x_zero: int | None = None,
        y_zero: int | None = None,
    ) -> Made:
        output = x_scale * ratio, _zero_point(rng, y_zero)
        tflite = one_operator(operator, (1, 256), (x_scale, _zero_point(rng, x_zero)), quant=output)
        return tflite, [np.arange(-128, 128, dtype=np.int8).reshape(1, 1, 256)]

    return make


def _pad(rng: Generator, paddings: tuple[tuple[int, int], ...], x_zero: int | None = None) -> Made:
    shape = [int(n) for n in rng.integers(1, 6, len(paddings))]
    quant = _scale(rng, 1e-3, 1), _zero_point(rng, x_zero)
    return _made(rng, "pad", shape, quant, paddings=paddings)


def _quantize(rng: Generator, shape: tuple[int, ...] = (1, 4, 5), y_scale: float = 0.05, y_zero: int = 3) -> Made:
    scale = np.float32(y_scale)
    steps = rng.integers(-140, 141, (4, *shape)).astype(np.float32)
    values = np.stack([*rng.normal(0, 80, (4, *shape)), *steps, *(steps + np.float32(0.5))])
    tflite = one_operator("quantize", shape, None, quant=(y_scale, y_zero))
    return tflite, [(values.astype(np.float32) - np.float32(y_zero)) * scale]


def _dequantize(rng: Generator, shape: tuple[int, ...] = (1, 4, 5), x_scale: float = 0.05, x_zero: int = 3) -> Made:
    return _made(rng, "dequantize", shape, (x_scale, x_zero))


_MAKERS: dict[str, Callable[..., Made]] = {
    "conv_2d": _conv_2d,
    "depthwise_conv_2d": _depthwise_conv_2d,
    "fully_connected": _fully_connected,
    "average_pool_2d": _pool("average_pool_2d"),
    "max_pool_2d": _pool("max_pool_2d"),
    "mean": _mean,
    "add": _add,
    "reshape": _reshape,
    "softmax": _softmax,
    "logistic": _logistic,
    "relu": _rectifier("relu"),
    "relu6": _rectifier("relu6"),
    "pad": _pad,
    "quantize": _quantize,
    "dequantize": _dequantize,
}

# The table: operators, and for some of their parameters the values to combine.

_CONVOLUTIONS = ["conv_2d", "depthwise_conv_2d"]
_LAYERS = [*_CONVOLUTIONS, "fully_connected"]
_POOLS = ["average_pool_2d", "max_pool_2d"]
_ENDS = [-128, 0, 127]
_EPSILON = 2.0**-23
_FINE = {"multiplier": [1e-7, 3e-4], "scales": ["channel", "tensor"]}

_GRIDS: list[tuple[list[str], dict[str, list[Any]]]] = [
    # Windows.
    (
        _CONVOLUTIONS,
        {"kernel": [(1, 1), (1, 3), (3, 1), (2, 2), (4, 3), (5, 5)], "padding": PADDINGS},
    ),
    (
        _CONVOLUTIONS,
        {"strides": [(2, 2), (3, 3), (1, 2), (3, 1)], "image": [(7, 8)], "padding": PADDINGS},
    ),
    (_CONVOLUTIONS, {"strides": [(2, 2), (3, 3)], "kernel": [(1, 1)], "image": [(7, 8), (9, 5)]}),
    (
        _CONVOLUTIONS,
        {"dilations": [(2, 2), (3, 3), (1, 2), (3, 1)], "image": [(8, 7)], "padding": PADDINGS},
    ),
    (_CONVOLUTIONS, {"dilations": [(2, 3)], "strides": [(3, 2)], "image": [(11, 9)]}),
    # 1-D convolutions, and kernels larger than the image.
    (_CONVOLUTIONS, {"image": [(1, 12)], "kernel": [(1, 5)], "strides": [(1, 1), (1, 3)]}),
    (_CONVOLUTIONS, {"image": [(12, 1)], "kernel": [(5, 1)], "padding": PADDINGS}),
    (_CONVOLUTIONS, {"image": [(1, 1), (1, 9), (9, 1), (2, 3)], "kernel": [(3, 3), (5, 4)]}),
    (_CONVOLUTIONS, {"image": [(2, 2)], "kernel": [(5, 5)], "strides": [(2, 2)]}),
    (_CONVOLUTIONS, {"activation": ACTIVATIONS, "scales": ["channel", "tensor"]}),
    # Channels.
    (["conv_2d"], {"filters": [1, 2, 7], "channels": [1, 2, 5], "kernel": [(3, 2)]}),
    (["conv_2d"], {"filters": [2, 16], "channels": [8, 33], "kernel": [(1, 1)]}),
    (["depthwise_conv_2d"], {"channels": [1, 2, 3], "depth_multiplier": [1, 2, 3, 8]}),
    (["depthwise_conv_2d"], {"channels": [17], "kernel": [(3, 3), (5, 1)]}),
    (
        ["fully_connected"],
        {"shape": [(1, 1), (1, 33), (2, 7), (8, 20)], "filters": [1, 2, 9], "form": ["rows"]},
    ),
    (["fully_connected"], {"shape": [(1, 4000)], "scales": ["channel", "tensor"]}),
    (["fully_connected"], {"shape": [(1, 3, 8), (1, 2, 3, 4)], "form": ["rows", "kept", "flat"]}),
    (["fully_connected"], {"activation": ACTIVATIONS, "scales": ["channel", "tensor"]}),
    # Limits of the activation that fall on the middle between two integers in float32.
    (
        _LAYERS,
        {
            "activation": ["RELU6", "RELU_N1_TO_1"],
            "scales": [
                (0.5, 4e-4, 0.11881188303232193),
                (0.5, 2e-4, 0.05714285746216774),
                (0.5, 7e-3, 2.0),
            ],
            "y_zero": [0],
        },
    ),
    # Numbers: multipliers about 1, above it, tiny and vanishing; saturation; extreme weights.
    (_LAYERS, {"multiplier": [0.9999, 1.0, 1.5, 37.0], "weights": ["small"]}),
    (_LAYERS, {"multiplier": [1e-3, 1e-6, 1e-9]}),
    # Sums near 2^31 and many thresholds, where the last bits of the multiplier show.
    (["conv_2d"], {"channels": [1], "filters": [64], "kernel": [(1, 1)], **_FINE}),
    (["depthwise_conv_2d"], {"channels": [64], "kernel": [(1, 1)], **_FINE}),
    (["fully_connected"], {"shape": [(1, 1)], "filters": [64], **_FINE}),
    # The smallest multiplier that is not 0 is 2^-32.
    (
        _LAYERS,
        {
            "multiplier": [1e-9, 3e-10, 2.4e-10, 2.2e-10, 1e-12],
            "scales": ["tensor"],
            "bias": ["extreme"],
        },
    ),
    (_LAYERS, {"scales": [(1 + _EPSILON, 1 - _EPSILON, 1.0), (0.5, 2.0**-20, 4.0), "spread"]}),
    (_LAYERS, {"x_zero": _ENDS, "y_zero": _ENDS}),
    (_LAYERS, {"weights": ["-128", "-127", "127", "zero rows", "normal"]}),
    (_LAYERS, {"bias": [None, "huge"], "scales": ["channel", "tensor"]}),
    (_LAYERS, {"bias": ["huge"], "multiplier": [1e-7, 0.4]}),
    # Pooling.
    (_POOLS, {"kernel": [(1, 1), (2, 2), (3, 3), (5, 4)], "padding": PADDINGS}),
    (_POOLS, {"strides": [(1, 1), (1, 2), (3, 3)], "padding": PADDINGS}),
    (_POOLS, {"image": [(1, 1), (1, 9), (9, 1)], "kernel": [(3, 2)], "padding": ["SAME"]}),
    (_POOLS, {"activation": ACTIVATIONS, "x_zero": [-128, 5]}),
    (_POOLS, {"image": [(25, 5)], "kernel": [(25, 5)], "channels": [1, 2, 17], "x_zero": _ENDS}),
    # MEAN.
    (
        ["mean"],
        {
            "reduction": [
                ((1, 5, 4, 3), axes) for axes in [(1, 2), (2, 1), (1,), (2,), (3,), (1, 2, 3), (-1,), (-3, -2)]
            ],
            "keep_dims": [True, False],
            "scales": [None, (0.5, 0.35)],
        },
    ),
    (["mean"], {"reduction": [((1, 6, 5), (1,)), ((4, 6), (1,)), ((9,), (0,))]}),
    (["mean"], {"reduction": [((2, 3, 3, 2), (1, 2)), ((2, 3, 3, 2), (0,))]}),
    (["mean"], {"x_zero": _ENDS, "y_zero": _ENDS, "scales": [(0.1, 0.037), (0.1, 0.1)]}),
    # Here the truncation of multiplier / count shows.
    (["mean"], {"reduction": [((1, 7, 1, 4), (1, 2))], "scales": [(0.625, 1.0)], "x_zero": [0]}),
    # ADD.
    (["add"], {"activation": ACTIVATIONS, "shape": [(1, 3, 5, 4), (7,)]}),
    (["add"], {"shape": [(1,), (1, 9), (2, 3, 5), (1, 1, 1, 2)]}),
    (["add"], {"zero_points": list(itertools.product([-128, 127], repeat=3))}),
    (
        ["add"],
        {
            "scales": [
                (0.05, 0.05, 0.05),
                (1.0, 1e-3, 0.5),
                (1e-3, 1.0, 0.02),
                (1.0, 1e-6, 0.9),
                (1e-4, 1e-4, 3.0),
                (3.0, 2.0, 1e-3),
                (0.5, 0.25, 0.125),
                (0.5, 0.5, 1.0),
                (0.25, 0.75, 2.0),
            ],
        },
    ),
    # Activations and probabilities.
    # TFLM ends the process where the exponentials sum to 512 or more.
    (["softmax"], {"shape": [(1, 1), (1, 2), (1, 3), (1, 10), (1, 511)], "beta": [0.5, 1.0, 2.0]}),
    (["softmax"], {"shape": [(1, 511)], "x_scale": [0.05, 0.053, 0.057, 0.11]}),
    (["softmax"], {"x_scale": [1e-6, 1e-3, 0.02, 0.7, 4.0, 100.0], "shape": [(1, 10)]}),
    (["softmax"], {"shape": [(5, 4), (7,), (1, 3, 6), (1, 2, 3, 4)], "x_zero": [-128, 127]}),
    (["logistic"], {"x_scale": [1e-5, 0.01, 0.05, 0.1, 0.6, 7.0], "x_zero": [None, *_ENDS]}),
    (["relu", "relu6"], {"ratio": [1.0, 0.3, 2.0, 2.5], "x_scale": [0.05], "y_zero": _ENDS}),
    (["relu", "relu6"], {"x_zero": _ENDS, "x_scale": [0.01, 0.0471, 0.3]}),
    # Data movement and the model's edges.
    (
        ["pad"],
        {
            "paddings": [
                ((0, 0), (1, 1), (1, 1), (0, 0)),
                ((0, 0), (0, 1), (2, 0), (0, 0)),
                ((0, 0), (3, 1), (0, 2), (1, 2)),
                ((0, 0), (0, 0), (0, 0), (0, 5)),
                ((0, 0), (0, 0), (0, 0), (0, 0)),
                ((1, 2), (0, 1), (1, 0), (2, 1)),
                ((0, 0), (2, 1), (1, 3)),
                ((1, 2), (3, 4)),
                ((0, 0), (2, 0)),
                ((2, 3),),
            ],
        },
    ),
    (["pad"], {"paddings": [((0, 0), (1, 2), (2, 1), (0, 0))], "x_zero": _ENDS}),
    (
        ["reshape"],
        {
            "shapes": [
                ((1, 2, 3, 4), (1, 24)),
                ((1, 24), (1, 4, 3, 2)),
                ((1, 1, 1, 5), (5,)),
                ((6,), (1, 6, 1)),
            ],
        },
    ),
    (["quantize"], {"y_scale": [1e-3, 0.0625, 0.1, 1.0, 30.0], "y_zero": _ENDS}),
    (["dequantize"], {"x_scale": [1e-3, 0.1, 30.0], "x_zero": _ENDS}),
    (["quantize", "dequantize"], {"shape": [(1, 2, 3, 4), (9,)]}),
]


def _fits(parameters: Mapping[str, Any]) -> bool:
    """Whether a window without padding finds room in its image."""
    if parameters.get("padding") != "VALID":
        return True
    ones = (1, 1)
    sizes = zip(
        parameters.get("image", (6, 7)),
        parameters.get("kernel", (3, 3)),
        parameters.get("strides", ones),
        parameters.get("dilations", ones),
        strict=True,
    )
    return all(window_output(*size, "VALID") > 0 for size in sizes)


def _text(value: Any) -> str:
    return "x".join(map(_text, value)) if isinstance(value, tuple) else str(value)


def _table() -> Iterator[Case]:
    for operators, grid in _GRIDS:
        for operator, values in itertools.product(operators, itertools.product(*grid.values())):
            parameters = dict(zip(grid, values, strict=True))
            words = [f"{key}={_text(value)}" for key, value in parameters.items()]
            yield Case(f"{operator} {' '.join(words)}", operator, parameters)


CASES: list[Case] = list(_table())


def random_cases(count: int, seed: int) -> Iterator[Case]:
    """Draw cases that combine, for a random operator, values from all lines of the table."""
    rng = np.random.default_rng(seed)
    vocabulary: dict[str, dict[str, list[Any]]] = {operator: {} for operator in _MAKERS}
    for case in CASES:
        for key, value in case.parameters.items():
            vocabulary[case.operator].setdefault(key, []).append(value)
    for number in range(count):
        operator = list(_MAKERS)[rng.integers(len(_MAKERS))]
        parameters: dict[str, Any] = {}
        while not parameters or not _fits(parameters):
            parameters = {key: values[rng.integers(len(values))] for key, values in vocabulary[operator].items()}
        yield Case(f"{operator} random {seed}.{number}", operator, parameters)
