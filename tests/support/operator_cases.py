"""Single-operator models that every backend must run exactly as TensorFlow Lite Micro does, those of `BEYOND_TFLM` as
TensorFlow Lite.

CASES is a fixed table, the product of every line of `_GRIDS`; `random_cases` draws more of the
same kinds from the same vocabulary for longer campaigns. What a case leaves open (weights,
zero points, scales) comes from a generator seeded with the case's name.
"""

import itertools
import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.random import Generator

import tflm
from tflite_models import ModelBuilder, Quant, one_operator, window_output

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

    def expected(self) -> list[np.ndarray]:
        """The reference's outputs."""
        run = tflm.run_tensorflow_lite if self.operator in BEYOND_TFLM else tflm.run
        return run(self.tflite, self.inputs)


# Parts of a model, drawn at random where the case does not say.


def _scale(rng: Generator, low: float, high: float) -> float:
    return float(np.float32(math.exp(rng.uniform(math.log(low), math.log(high)))))


def _zero_point(rng: Generator, given: int | None) -> int:
    return int(rng.integers(-128, 128)) if given is None else given


def _quant(rng: Generator, dtype: str, scale: float, zero_point: int | None) -> Quant:
    """A tensor's quantisation; that of int16 has no zero point."""
    return scale, _zero_point(rng, zero_point) if dtype == "int8" else 0


def _rows(rng: Generator, shape: Sequence[int], zero_point: int = 0, dtype: str = "int8") -> np.ndarray:
    """Seven readings: over the whole range, close together, at the ends, and at zero."""
    size = math.prod(shape)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    rows = [
        *rng.integers(low, high + 1, (2, size)),
        np.clip(np.rint(rng.normal(rng.integers(low, high + 1), high / 32, size)), low, high),
        np.full(size, low),
        np.full(size, high),
        np.where(np.arange(size) % 2, high, low),
        np.full(size, zero_point),
    ]
    return np.stack(rows).astype(dtype).reshape(-1, *shape)


def _weights(rng: Generator, kind: str, shape: Sequence[int], channel_axis: int) -> np.ndarray:
    match kind:
        case "uniform":
            weights = rng.integers(-127, 128, shape)
        case "normal":
            weights = np.clip(np.rint(rng.normal(0, 25, shape)), -127, 127)
        case "int4":
            weights = rng.integers(-8, 8, shape)
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
    dtype: str = "int8",
    bias_dtype: str = "int32",
) -> tuple[Quant, dict[str, Any]]:
    """Numbers of a layer with weights: the input's quantisation, and arguments of the layer.

    `multiplier` is input scale × weight scale / output scale, by default what maps the layer's
    sums to the output's range. `scales`: one for every channel, one per tensor, channels spread
    over 2^20, or exactly (input, weights, output). `bias`: "ties" puts the sums of an input of
    zeros on, and on both sides of, the points where the output's rounding turns; "huge" and
    "extreme" are 2^30 and as far as the sums have room. No sum leaves int32, nor does one that
    is shifted left for a multiplier above 1: what C++ does then is undefined. With an int64 bias,
    which only int16 activations have, the room is what TFLM's int64 multiplication takes, 2^47.
    """
    channels = shape[channel_axis]
    values = _weights(rng, weights, shape, channel_axis)
    others = tuple(axis for axis in range(len(shape)) if axis != channel_axis)
    # The largest input, and the usual size of inputs and outputs.
    largest, x_size, y_size = (255, 73, 50) if dtype == "int8" else (2**15, 18900, 12000)
    products = largest * int(np.abs(values.astype(np.int64)).sum(others).max())
    if multiplier is None:
        multiplier = y_size / (x_size * 73 * math.sqrt(math.prod(shape) / channels))
    multiplier = min(multiplier, 2**29 / max(products, 1))
    x_scale, y_scale = _scale(rng, 1e-3, 1), _scale(rng, 0.02, 0.08)
    if dtype == "int16":
        y_scale, x_zero, y_zero = y_scale / 256, 0, 0
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
    room = (2 ** (31 - left_shift) if bias_dtype == "int32" else min(2**46, 2**30 / real.max())) - 1 - products
    room -= 128  # for the zero point, which is added to a sum times a factor of almost 1
    y_zero = _zero_point(rng, y_zero)
    sign = np.where(np.arange(channels) % 2, 1, -1)
    biases = {
        "ties": np.rint((rng.integers(-128, 128, channels) - y_zero + 0.5) / real) + rng.integers(-1, 2, channels),
        "huge": sign * (2**30 - rng.integers(0, 1000, channels)),
        "extreme": sign * (room - rng.integers(0, 1000, channels)),
    }
    return (x_scale, _zero_point(rng, x_zero)), {
        "weights": values,
        "bias": None if bias is None else np.clip(biases[bias], -room, room).astype(bias_dtype),
        "weight_scales": weight_scales,
        "quant": (y_scale, y_zero),
    }


# One maker for every operator: parameters of a case -> model and inputs.


def _made(
    rng: Generator, operator: str, x_shape: Sequence[int], x_quant: Quant, dtype: str = "int8", **arguments: Any
) -> Made:
    model = ModelBuilder()
    x = model.tensor(x_shape, dtype, x_quant)
    y = getattr(model, operator)(x, **arguments)
    return model.build([x], y if isinstance(y, list) else [y]), [_rows(rng, x_shape, x_quant[1], dtype)]


def _constants(rng: Generator, shape: Sequence[int], dtype: str = "int8") -> np.ndarray:
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max + 1, shape).astype(dtype)


_BITS4 = {"bits": 4, "weights": "int4"}
_WINDOW = ("strides", "dilations", "padding", "activation", "bits")


def _conv_2d(
    rng: Generator,
    image: tuple[int, int] = (6, 7),
    channels: int = 3,
    filters: int = 4,
    kernel: tuple[int, int] = (3, 3),
    groups: int = 1,
    **parameters: Any,
) -> Made:
    window = {key: parameters.pop(key) for key in _WINDOW if key in parameters}
    groups = np.gcd.reduce([groups, channels, filters])  # what a random case may have of them
    quant, layer = _layer(rng, (filters, *kernel, channels // groups), 0, **parameters)
    dtype = parameters.get("dtype", "int8")
    return _made(rng, "conv_2d", (1, *image, channels), quant, dtype, **layer, **window)


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
    dtype = parameters.get("dtype", "int8")
    return _made(rng, "depthwise_conv_2d", (1, *image, channels), quant, dtype, **layer, **window)


def _transpose_conv(
    rng: Generator,
    image: tuple[int, int] = (4, 3),
    channels: int = 3,
    filters: int = 4,
    kernel: tuple[int, int] = (3, 3),
    size: tuple[int, int] | None = None,
    **parameters: Any,
) -> Made:
    window = {key: parameters.pop(key) for key in _WINDOW if key in parameters}
    quant, layer = _layer(rng, (filters, *kernel, channels), 0, **parameters)
    dtype = parameters.get("dtype", "int8")
    return _made(rng, "transpose_conv", (1, *image, channels), quant, dtype, **layer, **window, size=size)


def _fully_connected(
    rng: Generator,
    shape: tuple[int, ...] = (1, 20),
    form: str = "rows",
    filters: int = 5,
    activation: str = "NONE",
    bits: int = 8,
    **parameters: Any,
) -> Made:
    """`form`: what a row is: the last axis, with the others kept or not, or everything."""
    depth = math.prod(shape[1:]) if form == "flat" else shape[-1]
    quant, layer = _layer(rng, (filters, depth), 0, **parameters)
    keep = {"activation": activation, "keep_num_dims": form == "kept", "bits": bits}
    return _made(rng, "fully_connected", shape, quant, parameters.get("dtype", "int8"), **layer, **keep)


def _pool(operator: str) -> Callable[..., Made]:
    def make(
        rng: Generator,
        image: tuple[int, int] = (6, 7),
        channels: int = 3,
        kernel: tuple[int, int] = (2, 2),
        x_zero: int | None = None,
        dtype: str = "int8",
        **parameters: Any,
    ) -> Made:
        quant = _quant(rng, dtype, _scale(rng, 0.02, 0.08), x_zero)
        return _made(rng, operator, (1, *image, channels), quant, dtype, window=kernel, **parameters)

    return make


def _reduction(operator: str) -> Callable[..., Made]:
    def make(
        rng: Generator,
        reduction: tuple[tuple[int, ...], tuple[int, ...]] = ((1, 5, 4, 3), (1, 2)),
        keep_dims: bool = True,
        scales: tuple[float, float] | None = None,
        x_zero: int | None = None,
        y_zero: int | None = None,
        dtype: str = "int8",
    ) -> Made:
        """`reduction`: input shape and axes; `scales`: input and output, by default the same."""
        shape, axes = reduction
        x_scale, y_scale = scales or [_scale(rng, 1e-3, 1)] * 2
        quant = _quant(rng, dtype, x_scale, x_zero)
        # As converters do: the same scale comes with the same zero point.
        output = _quant(rng, dtype, y_scale, y_zero if scales else quant[1])
        return _made(rng, operator, shape, quant, dtype, axes=axes, keep_dims=keep_dims, quant=output)

    return make


def _binary(operator: str, default: Sequence[tuple[int, ...]] = ((1, 3, 5, 4),) * 2) -> Callable[..., Made]:
    def make(
        rng: Generator,
        shape: tuple[int, ...] | None = None,
        shapes: Sequence[tuple[int, ...]] = default,
        constant: int | None = None,
        scales: tuple[float, float, float] | None = None,
        zero_points: tuple[int, int, int] | None = None,
        dtype: str = "int8",
        **options: Any,
    ) -> Made:
        """Scales and zero points of the first input, the second, and the output; `shape` of both inputs.

        `constant`: which of the two inputs is one.
        """
        if operator in ("maximum", "minimum"):  # they know one quantisation
            zeros, scales = [_zero_point(rng, None)] * 3, [_scale(rng, 0.02, 0.08)] * 3
        else:
            zeros = zero_points or [_zero_point(rng, None) for _ in range(3)]
            options["quant"] = None
        if dtype == "int16":
            zeros, scales = [0] * 3, scales or [_scale(rng, 1e-4, 4e-4) for _ in range(3)]
            if operator == "prelu":  # the slope is int8
                zeros[1] = _zero_point(rng, None)
        second = "int8" if operator == "prelu" else dtype
        quants = list(zip(scales or [_scale(rng, 0.02, 0.08) for _ in range(3)], zeros, strict=True))
        if operator == "compare":
            del options["quant"]
        elif "quant" in options:
            options["quant"] = quants[2]
        shapes = [shape or s for s in shapes]
        model = ModelBuilder()
        tensors = [
            model.constant(_constants(rng, s, d), quant=q) if constant == i else model.tensor(s, d, q)
            for i, (s, q, d) in enumerate(zip(shapes, quants, (dtype, second), strict=False))
        ]
        # Shifted by one, so that the same kinds of rows meet others too.
        rows = [np.roll(_rows(rng, shapes[i], quants[i][1], dtype), i, axis=0) for i in (0, 1) if i != constant]
        if operator == "div" and constant != 1:  # by 0: TFLM has no answer
            rows[-1] = np.where(rows[-1] == quants[1][1], rows[-1] + 1, rows[-1]).astype(dtype)
        inputs = [t for i, t in enumerate(tensors) if i != constant]
        return model.build(inputs, [getattr(model, operator)(*tensors, **options)]), rows

    return make


def _select(
    rng: Generator,
    shapes: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] = ((1, 3, 4),) * 3,
    constant: int | None = None,
    dtype: str = "int8",
) -> Made:
    """Shapes of the condition, which compares two values, and of the two to choose from."""
    model = ModelBuilder()
    low, high = (model.tensor(shapes[0], quant=(0.05, z)) for z in (3, -9))
    quant = _quant(rng, dtype, 0.07, None)
    pair = [
        model.constant(_constants(rng, s, dtype), quant=quant) if i == constant else model.tensor(s, dtype, quant)
        for i, s in enumerate(shapes[1:])
    ]
    y = model.select(model.compare(low, high), *pair)
    kept = [t for i, t in enumerate(pair) if i != constant]
    rows = [_rows(rng, shapes[0]), np.roll(_rows(rng, shapes[0]), 1, axis=0)]
    rows += [np.roll(_rows(rng, s, 0, dtype), 2, axis=0) for i, s in enumerate(shapes[1:]) if i != constant]
    return model.build([low, high, *kept], [y]), rows


def _sums(rng: Generator, form: str, axis: int = 1, real: bool = False, **options: bool) -> Made:
    """`real`: of floats, between DEQUANTIZE and QUANTIZE."""
    model = ModelBuilder()
    shape, quant, y_quant = (1, 5, 4), (0.05, 3), (0.1, -7)
    xs = [model.tensor(shape, quant=quant) for _ in range(3 if form == "add_n" else 1)]
    terms, output = ([model.dequantize(x) for x in xs], None) if real else (xs, y_quant)
    y = model.add_n(*terms, quant=output) if form == "add_n" else model.cumsum(terms[0], axis, quant=output, **options)
    y = model.quantize(y, (0.0903, -7)) if real else y
    return model.build(xs, [y]), [np.roll(_rows(rng, shape), i, axis=0) for i in range(len(xs))]


def _logic(rng: Generator, form: str) -> Made:
    """Comparisons and what is made of them: bytes of 0 and 1, or a choice."""
    model = ModelBuilder()
    shape = (1, 3, 4)
    a, b = (model.tensor(shape, quant=(0.05, z)) for z in (3, -9))
    greater, close = model.compare(a, b), model.compare(a, b, "LESS_EQUAL")
    match form:
        case "not":
            y = model.logical_not(greater)
        case "select":
            threshold = model.compare(a, model.constant(np.array(20, np.int8), quant=(0.05, 3)), "LESS")
            y = model.select(model.logical(threshold, model.logical_not(close), "OR"), a, b)
        case "cast":
            y = model.tensor(shape, "float32")
            model.op("CAST", [greater], [y])
            y = model.quantize(y, (1 / 255, -128))
        case _:
            y = model.logical(greater, model.compare(a, b, "NOT_EQUAL"), form)
    return model.build([a, b], [y]), [_rows(rng, shape), np.roll(_rows(rng, shape), 1, axis=0)]


def _batch_matmul(
    rng: Generator,
    batches: tuple[tuple[int, ...], tuple[int, ...]] = ((1,), (1,)),
    sizes: tuple[int, int, int] = (3, 5, 4),
    adj_x: bool = False,
    adj_y: bool = False,
    multiplier: float | None = None,
    **parameters: Any,
) -> Made:
    """`sizes`: rows of the first factor, columns of both, columns of the product."""
    m, k, n = sizes
    shapes = [
        (*batches[0], *((k, m) if adj_x else (m, k))),
        (*batches[1], *((n, k) if adj_y else (k, n))),
    ]
    y_scale = 0.05
    b_scale = (multiplier or 50 / (73 * 73 * math.sqrt(k))) * y_scale / 0.1
    if parameters.get("dtype") == "int16":
        b_scale, y_scale = b_scale / 256, y_scale / 256
    parameters["scales"] = (0.1, b_scale, y_scale)
    return _binary("batch_matmul", shapes)(rng, adj_x=adj_x, adj_y=adj_y, **parameters)


def _fully_connected_of(
    rng: Generator,
    shape: tuple[int, ...] = (3, 6),
    filters: int = 5,
    bias: str | None = None,
    multiplier: float | None = None,
    **parameters: Any,
) -> Made:
    """Two inputs: the second are the weights. `bias`: as large as the sums, or nearly what int32 holds."""
    depth, y_scale = shape[-1], 0.05
    largest = {"usual": 5000 * math.sqrt(depth), "huge": 2**30}[bias] if bias else 0
    parameters["scales"] = (0.1, (multiplier or 50 / (73 * 73 * math.sqrt(depth))) * y_scale / 0.1, y_scale)
    values = np.rint(rng.uniform(-largest, largest, filters)) if bias else None
    return _binary("fully_connected_of", (shape, (filters, depth)))(rng, bias=values, **parameters)


def _several(operator: str) -> Callable[..., Made]:
    """CONCATENATION and PACK: shapes of the inputs, and the axis."""

    def make(
        rng: Generator,
        shapes: tuple[tuple[tuple[int, ...], ...], int],
        constant: int | None = None,
        x_zero: int | None = None,
    ) -> Made:
        quant = _scale(rng, 1e-3, 1), _zero_point(rng, x_zero)
        constant = constant if len(shapes[0]) > 1 else None
        model = ModelBuilder()
        tensors = [
            model.constant(_constants(rng, s), quant=quant) if i == constant else model.tensor(s, quant=quant)
            for i, s in enumerate(shapes[0])
        ]
        y = getattr(model, operator)(*tensors, axis=shapes[1])
        kept = [i for i in range(len(tensors)) if i != constant]
        rows = [np.roll(_rows(rng, shapes[0][i], quant[1]), i, axis=0) for i in kept]
        return model.build([tensors[i] for i in kept], [y]), rows

    return make


def _moved(operator: str, *names: str) -> Callable[..., Made]:
    """Operators that only move values: `form` is the input's shape and the arguments of these names."""

    def make(rng: Generator, form: tuple[Any, ...], x_zero: int | None = None, dtype: str = "int8") -> Made:
        shape, *arguments = form
        quant = _quant(rng, dtype, _scale(rng, 1e-3, 1), x_zero)
        return _made(rng, operator, shape, quant, dtype, **dict(zip(names, arguments, strict=False)))

    return make


def _gather(rng: Generator, form: tuple[Any, ...], dtype: str = "int8") -> Made:
    """`form`: the input's shape, the shape of random indices or "3,1,0", the axis, how many dimensions are batches."""
    shape, indices, axis, *batch_dims = form
    quant = _quant(rng, dtype, _scale(rng, 1e-3, 1), None)
    if isinstance(indices, str):
        chosen = np.array([int(i) for i in indices.split(",")])
    else:
        chosen = rng.integers(0, shape[axis], indices)
    return _made(rng, "gather", shape, quant, dtype, indices=chosen, axis=axis, batch_dims=sum(batch_dims))


def _gather_computed(rng: Generator, form: tuple[Any, ...], constant: bool = False, rows: bool = False) -> Made:
    """Indices that are an input of the model. `form` as for `_gather`. constant: what they take from. rows: by
    EMBEDDING_LOOKUP."""
    shape, indices, axis = form
    model, quant = ModelBuilder(), (_scale(rng, 1e-3, 1), _zero_point(rng, None))
    x = model.constant(_constants(rng, shape), quant=quant) if constant else model.tensor(shape, quant=quant)
    chosen = model.tensor(indices, "int32")
    are_rows = rows and constant and axis == 0 and len(indices) == 1  # EMBEDDING_LOOKUP has no other indices
    y = model.embedding_lookup(x, chosen) if are_rows else model.gather(x, chosen, axis)
    places = rng.integers(0, shape[axis], (7, *indices)).astype(np.int32)
    inputs, values = ([chosen], [places]) if constant else ([x, chosen], [_rows(rng, shape, quant[1]), places])
    return model.build(inputs, [y]), values


def _strided_slice(rng: Generator, form: tuple[Any, ...], x_zero: int | None = None) -> Made:
    """`form`: shape, begin, end, strides and masks, for instance "begin=1 shrink_axis=4"."""
    shape, begin, end, strides, masks = form
    pairs = dict(word.split("=") for word in masks.split())
    bits = {f"{name}_mask": int(value) for name, value in pairs.items()}
    quant = _scale(rng, 1e-3, 1), _zero_point(rng, x_zero)
    return _made(rng, "strided_slice", shape, quant, begin=begin, end=end, strides=strides, **bits)


def _reshape(rng: Generator, shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> Made:
    before, after = shapes
    return _made(rng, "reshape", before, (_scale(rng, 1e-3, 1), 3), shape=after)


def _softmax(
    rng: Generator,
    shape: tuple[int, ...] = (1, 10),
    beta: float = 1.0,
    x_scale: float = 0.1,
    x_zero: int | None = None,
    dtype: str = "int8",
    y_dtype: str | None = None,
) -> Made:
    quant = _quant(rng, dtype, x_scale, x_zero)
    return _made(rng, "softmax", shape, quant, dtype, beta=beta, y_dtype=y_dtype or dtype)


def _every_value(dtype: str) -> np.ndarray:
    """One row of all values that a type has."""
    limits = np.iinfo(dtype)
    return np.arange(limits.min, limits.max + 1, dtype=dtype).reshape(1, -1, 256)


def _rectifier(operator: str) -> Callable[..., Made]:
    """Functions of one value: `ratio` is the output's scale by the input's."""

    def make(
        rng: Generator,
        x_scale: float = 0.05,
        ratio: float = 1.0,
        x_zero: int | None = None,
        y_zero: int | None = None,
        dtype: str = "int8",
        **arguments: Any,
    ) -> Made:
        rows = _every_value(dtype)
        output = {"quant": _quant(rng, dtype, x_scale * ratio, y_zero)}
        model = ModelBuilder()
        x = model.tensor(rows.shape[1:], dtype, _quant(rng, dtype, x_scale, x_zero))
        return model.build([x], [getattr(model, operator)(x, **output, **arguments)]), [rows]

    return make


# Floats between DEQUANTIZE and QUANTIZE.


def _leaky_relu(m: ModelBuilder, x: int) -> int:
    return m.floats("LEAKY_RELU", x, table="LeakyReluOptions", Alpha=0.3)


def _softplus(m: ModelBuilder, x: int) -> int:
    """log(1 + exp(x)), times x."""
    more = m.floats("ADD", m.floats("EXP", x), 1.0, table="AddOptions")
    return m.floats("MUL", m.floats("LOG", more), x, table="MulOptions")


def _thresholds(m: ModelBuilder, x: int) -> int:
    """x, or half of it where it is above 0.3."""
    truth = m.compare(x, m.constant(np.float32(0.3)), "GREATER")
    y = m.tensor(m.tensors[x].shape, "float32")
    m.op("SELECT_V2", [truth, m.floats("MUL", x, 0.5, table="MulOptions"), x], [y])
    return y


def _halves(m: ModelBuilder, x: int) -> int:
    """The floor and the rest of quotients."""
    low = m.floats("MAXIMUM", m.floats("FLOOR_DIV", x, 0.3), -9.0)
    return m.floats("SUB", m.floats("FLOOR_MOD", x, 0.7), low, table="SubOptions")


def _moves(m: ModelBuilder, x: int) -> int:
    """A function of a half of the transposed tensor."""
    rows, columns = m.tensors[x].shape
    parts = [m.tensor((columns // 2, rows), "float32") for _ in range(2)]
    turned = m.tensor((columns, rows), "float32")
    m.op("TRANSPOSE", [x, m.constant(np.array([1, 0], np.int32))], [turned])
    m.op("SPLIT", [m.constant(np.array(0, np.int32)), turned], parts, options_table="SplitOptions", NumSplits=2)
    return m.floats("NEG", parts[1])


def _joins(m: ModelBuilder, x: int) -> int:
    """Two functions of a tensor and a constant, side by side; and a function of all."""
    rows, columns = m.tensors[x].shape
    whole = m.tensor((2 * rows + 1, columns), "float32")
    constant = m.constant(np.linspace(-3, 3, columns, dtype=np.float32).reshape(1, -1))
    three = [m.floats("ABS", x), m.floats("SQUARE", x), constant]
    m.op("CONCATENATION", three, [whole], options_table="ConcatenationOptions", Axis=0)
    return m.floats("TANH", whole)


def _fixed_output(operator: str) -> Callable[..., Made]:
    """Functions of one value whose output's scale TensorFlow Lite fixes."""

    def make(rng: Generator, x_scale: float = 0.1, x_zero: int | None = None, dtype: str = "int8") -> Made:
        rows = _every_value(dtype)
        model = ModelBuilder()
        x = model.tensor(rows.shape[1:], dtype, _quant(rng, dtype, x_scale, x_zero))
        return model.build([x], [getattr(model, operator)(x)]), [rows]

    return make


def _rows_of(operator: str) -> Callable[..., Made]:
    """An operator over the last axis."""

    def make(rng: Generator, shape: tuple[int, ...] = (1, 10), x_scale: float = 0.1, x_zero: int | None = None) -> Made:
        return _made(rng, operator, shape, (x_scale, _zero_point(rng, x_zero)))

    return make


def _pad(rng: Generator, paddings: tuple[tuple[int, int], ...], x_zero: int | None = None, dtype: str = "int8") -> Made:
    shape = [int(n) for n in rng.integers(1, 6, len(paddings))]
    quant = _quant(rng, dtype, _scale(rng, 1e-3, 1), x_zero)
    return _made(rng, "pad", shape, quant, dtype, paddings=paddings)


def _padv2(
    rng: Generator,
    paddings: tuple[tuple[int, int], ...],
    x_zero: int | None = None,
    value: int | None = None,
    dtype: str = "int8",
) -> Made:
    shape = [int(n) for n in rng.integers(1, 6, len(paddings))]
    quant = _quant(rng, dtype, _scale(rng, 1e-3, 1), x_zero)
    return _made(rng, "padv2", shape, quant, dtype, paddings=paddings, value=_zero_point(rng, value))


def _resize(operator: str) -> Callable[..., Made]:
    def make(
        rng: Generator,
        image: tuple[int, int] = (5, 4),
        size: tuple[int, int] = (9, 7),
        channels: int = 3,
        centres: str = "legacy",
        x_zero: int | None = None,
        dtype: str = "int8",
    ) -> Made:
        # TFLM has both at once for nearest neighbours only.
        corners = ("corners", "both") if operator == "resize_nearest_neighbor" else ("corners",)
        options = {"align_corners": centres in corners, "half_pixel_centers": centres in ("half pixel", "both")}
        quant = _quant(rng, dtype, _scale(rng, 1e-3, 1), x_zero)
        return _made(rng, operator, (1, *image, channels), quant, dtype, size=size, **options)

    return make


# Layers with a state: 21 readings.


def _sequence(rng: Generator, shape: Sequence[int], zero_point: int, dtype: str = "int8") -> np.ndarray:
    return np.concatenate([rng.permuted(_rows(rng, shape, zero_point, dtype), axis=0) for _ in range(3)])


def _svdf(
    rng: Generator,
    sizes: tuple[int, int, int, int] = (8, 4, 1, 5),
    state: str = "int16",
    batch: int = 1,
    multiplier: float = 1.0,
    x_zero: int | None = None,
    y_zero: int | None = None,
    state_zero: int = 0,
) -> Made:
    """`sizes`: inputs, units, rank, memory. `multiplier`: 1 makes the most of the state's range without saturation."""
    inputs, units, rank, memory = sizes
    quant = 0.05, _zero_point(rng, x_zero)
    feature = rng.integers(-127, 128, (units * rank, inputs)).astype(np.int8)
    # No sum over time leaves int32.
    largest = 127 if state == "int8" else min(32767, 2**30 // (2**15 * memory * rank))
    time = rng.integers(-largest, largest + 1, (units * rank, memory)).astype(state)
    state_size, time_size = (50 if state == "int8" else 12000), largest / math.sqrt(3)
    state_scale, y_scale = 0.01, 0.05
    feature_scale = multiplier * state_size / (73 * 73 * math.sqrt(inputs)) * state_scale / quant[0]
    time_scale = 50 / (state_size * time_size * math.sqrt(memory * rank)) * y_scale / state_scale
    model = ModelBuilder()
    x = model.tensor((batch, inputs), quant=quant)
    y = model.svdf(
        x,
        feature,
        time,
        np.rint(rng.normal(0, 20, units) * y_scale / (time_scale * state_scale)),
        rank=rank,
        scales=(feature_scale, time_scale, state_scale),
        state_zero=state_zero if state == "int8" else 0,
        quant=(y_scale, _zero_point(rng, y_zero)),
    )
    return model.build([x], [y]), [_sequence(rng, (batch, inputs), quant[1])]


def _lstm(
    rng: Generator,
    sizes: tuple[int, int, int, int] = (1, 4, 5, 6),
    weights: str = "uniform",
    gain: float = 1.0,
    cell_exponent: int = -11,
    cell_clip: float = 0.0,
    time_major: bool = False,
    x_zero: int | None = None,
    y_zero: int | None = None,
    dtype: str = "int8",
) -> Made:
    """`sizes`: batch, time, inputs, cells. `gain`: of the weights; large ones saturate the gates."""
    batch, time, inputs, cells = sizes
    steps = 128 if dtype == "int8" else 2**15
    quant = (2 / steps, _zero_point(rng, x_zero)) if dtype == "int8" else (2 / steps, 0)
    output = (1 / steps, _zero_point(rng, y_zero)) if dtype == "int8" else (1 / steps, 0)
    input_scales = [gain * _scale(rng, 0.5, 2) / (64 * math.sqrt(inputs)) for _ in range(4)]
    bias = rng.normal(0, 1, (4, cells)) / (np.array(input_scales)[:, None] * quant[0])
    shape = (time, batch, inputs) if time_major else (batch, time, inputs)
    model = ModelBuilder()
    x = model.tensor(shape, dtype, quant)
    y = model.lstm(
        x,
        _weights(rng, weights, (4, cells, inputs), 1),
        _weights(rng, weights, (4, cells, cells), 1),
        np.clip(np.rint(bias), -(2**30), 2**30),
        input_scales=input_scales,
        recurrent_scales=[gain * _scale(rng, 0.5, 2) / (64 * math.sqrt(cells)) for _ in range(4)],
        cell_scale=2.0**cell_exponent,
        quant=output,
        cell_clip=cell_clip,
        time_major=time_major,
    )
    return model.build([x], [y]), [_sequence(rng, shape, quant[1], dtype)]


def _variable(
    rng: Generator, form: str = "stream", kept: int = 4, new: int = 1, channels: int = 3, x_zero: int | None = None
) -> Made:
    """Variables as streaming models use them: the last rows stay until the next reading."""
    quant = _scale(rng, 1e-3, 1), _zero_point(rng, x_zero)
    model = ModelBuilder()
    x = model.tensor((1, new, channels), quant=quant)

    def variable(rows: int) -> int:
        return model.variable(_constants(rng, (1, rows, channels)), quant)

    if form == "stream":
        state = variable(kept)
        window = model.concatenation(model.read_variable(state, (1, kept, channels), quant), x, axis=1)
        last = model.strided_slice(window, (0, new, 0), (0, 0, 0), (1, 1, 1), begin_mask=5, end_mask=7)
        model.assign_variable(state, last)
        outputs = [window]
    elif form == "sum":
        state = variable(new)
        total = model.add(model.read_variable(state, (1, new, channels), quant), x)
        model.assign_variable(state, total)
        outputs = [total]
    elif form == "delay":  # two steps; the first variable is read before it changes, and again after
        first, second = variable(new), variable(new)
        before = model.read_variable(first, (1, new, channels), quant)
        delayed = model.read_variable(second, (1, new, channels), quant)
        model.assign_variable(first, x)
        model.assign_variable(second, before)
        outputs = [model.read_variable(first, (1, new, channels), quant), model.maximum(before, delayed), delayed]
    else:  # the new rows first, assigned before anything else reads
        state = variable(new)
        model.assign_variable(state, x)
        outputs = [model.maximum(model.read_variable(state, (1, new, channels), quant), x)]
    return model.build([x], outputs), [_sequence(rng, (1, new, channels), quant[1])]


def _quantize(rng: Generator, shape: tuple[int, ...] = (1, 4, 5), y_scale: float = 0.05, y_zero: int = 3) -> Made:
    scale = np.float32(y_scale)
    steps = rng.integers(-140, 141, (4, *shape)).astype(np.float32)
    values = np.stack([*rng.normal(0, 80, (4, *shape)), *steps, *(steps + np.float32(0.5))])
    tflite = one_operator("quantize", shape, None, quant=(y_scale, y_zero))
    return tflite, [(values.astype(np.float32) - np.float32(y_zero)) * scale]


def _quantize_wide(
    rng: Generator,
    dtypes: tuple[str, str] = ("int16", "int8"),
    ratio: float = 256.0,
    shape: tuple[int, ...] = (1, 200),
    x_zero: int | None = None,
    y_zero: int | None = None,
) -> Made:
    """`ratio`: the output's scale by the input's."""
    given = zip((x_zero, y_zero), dtypes, strict=True)
    zeros = [max(_zero_point(rng, z), -128) if d == "int8" else z or 0 for z, d in given]
    output = {"quant": (1e-3 * ratio, zeros[1]), "dtype": dtypes[1]}
    model = ModelBuilder()
    x = model.tensor(shape, dtypes[0], (1e-3, zeros[0]))
    return model.build([x], [model.quantize(x, **output)]), [_rows(rng, shape, zeros[0], dtypes[0])]


def _dequantize(rng: Generator, shape: tuple[int, ...] = (1, 4, 5), x_scale: float = 0.05, x_zero: int = 3) -> Made:
    return _made(rng, "dequantize", shape, (x_scale, x_zero))


_BINARY16 = ("add", "sub", "mul", "maximum", "minimum")

# By family: an operator, and a word for a form of it that one parameter cannot say.
_MAKERS: dict[str, Callable[..., Made]] = {
    "conv_2d": _conv_2d,
    "conv_2d int4": partial(_conv_2d, **_BITS4),
    "depthwise_conv_2d int4": partial(_depthwise_conv_2d, **_BITS4),
    "fully_connected int4": partial(_fully_connected, **_BITS4),
    "conv_2d groups": _conv_2d,
    "conv_2d groups int16": partial(_conv_2d, dtype="int16", bias_dtype="int64"),
    "depthwise_conv_2d": _depthwise_conv_2d,
    "fully_connected": _fully_connected,
    "average_pool_2d": _pool("average_pool_2d"),
    "max_pool_2d": _pool("max_pool_2d"),
    "mean": _reduction("mean"),
    "add": _binary("add"),
    "reshape": _reshape,
    "softmax": _softmax,
    "logistic": _fixed_output("logistic"),
    "relu": _rectifier("relu"),
    "relu6": _rectifier("relu6"),
    "pad": _pad,
    "quantize": _quantize,
    "quantize wide": _quantize_wide,
    "softmax wide": partial(_softmax, y_dtype="int16"),
    "dequantize": _dequantize,
    "conv_2d int16": partial(_conv_2d, dtype="int16", bias_dtype="int64"),
    "depthwise_conv_2d int16": partial(_depthwise_conv_2d, dtype="int16", bias_dtype="int64"),
    "fully_connected int16": partial(_fully_connected, dtype="int16", bias_dtype="int64"),
    **{f"{name} int16": partial(_binary(name), dtype="int16") for name in _BINARY16},
    "prelu int16": partial(_binary("prelu"), dtype="int16"),
    **{f"{name} int16": partial(_pool(name), dtype="int16") for name in ("average_pool_2d", "max_pool_2d")},
    **{f"{name} int16": partial(_reduction(name), dtype="int16") for name in ("mean", "sum")},
    "softmax int16": partial(_softmax, dtype="int16"),
    **{f"{name} int16": partial(_fixed_output(name), dtype="int16") for name in ("logistic", "tanh")},
    **{f"{name} int16": partial(_rectifier(name), dtype="int16") for name in ("relu", "relu6", "leaky_relu")},
    "pad int16": partial(_pad, dtype="int16"),
    "transpose int16": partial(_moved("transpose", "permutation"), dtype="int16"),
    "add broadcast": _binary("add"),
    "sub": _binary("sub"),
    "mul": _binary("mul"),
    "maximum": _binary("maximum"),
    "minimum": _binary("minimum"),
    "prelu": _binary("prelu"),
    "batch_matmul": _batch_matmul,
    "batch_matmul int16": partial(_batch_matmul, dtype="int16"),
    "fully_connected_of": _fully_connected_of,
    "mean axes": _reduction("mean"),
    "sum": _reduction("sum"),
    "reduce_max": _reduction("reduce_max"),
    "reduce_min": _reduction("reduce_min"),
    "arg_min": _moved("arg_min", "axis"),
    "div": _binary("div"),
    "squared_difference": _binary("squared_difference"),
    "squared_difference int16": partial(_binary("squared_difference"), dtype="int16"),
    "compare": _binary("compare"),
    "select": _select,
    "select int16": partial(_select, dtype="int16"),
    "logic": _logic,
    "sums": _sums,
    "concatenation": _several("concatenation"),
    "pack": _several("pack"),
    "split": _moved("split", "axis", "count"),
    "split_v": _moved("split_v", "axis", "sizes"),
    "unpack": _moved("unpack", "axis"),
    "slice": _moved("slice", "begin", "size"),
    "transpose": _moved("transpose", "permutation"),
    "squeeze": _moved("squeeze", "axes"),
    "expand_dims": _moved("expand_dims", "axis"),
    "shape": _moved("flatten"),
    "arg_max": _moved("arg_max", "axis"),
    "strided_slice": _strided_slice,
    "gather": _gather,
    "gather int16": partial(_gather, dtype="int16"),
    "gather computed": _gather_computed,
    "depth_to_space": _moved("depth_to_space", "block"),
    "space_to_depth": _moved("space_to_depth", "block"),
    "tile": _moved("tile", "multiples"),
    "reverse_v2": _moved("reverse_v2", "axes"),
    "reverse_v2 int16": partial(_moved("reverse_v2", "axes"), dtype="int16"),
    "broadcast_to": _moved("broadcast_to", "shape"),
    "broadcast_to int16": partial(_moved("broadcast_to", "shape"), dtype="int16"),
    "mirror_pad": _moved("mirror_pad", "paddings", "mode"),
    "mirror_pad int16": partial(_moved("mirror_pad", "paddings", "mode"), dtype="int16"),
    "reduce_max int16": partial(_reduction("reduce_max"), dtype="int16"),
    "resize_nearest_neighbor int16": partial(_resize("resize_nearest_neighbor"), dtype="int16"),
    "transpose_conv int16": partial(_transpose_conv, dtype="int16", bias_dtype="int64"),
    "pad 5-D": _pad,
    "padv2": _padv2,
    "padv2 int16": partial(_padv2, dtype="int16"),
    "resize_nearest_neighbor": _resize("resize_nearest_neighbor"),
    "resize_bilinear": _resize("resize_bilinear"),
    "transpose_conv": _transpose_conv,
    "tanh": _fixed_output("tanh"),
    "leaky_relu": _rectifier("leaky_relu"),
    "hard_swish": _rectifier("hard_swish"),
    "elu": _rectifier("elu"),
    "float_functions": _rectifier("float_functions"),
    "abs": _rectifier("abs"),
    "rsqrt": _rectifier("rsqrt"),
    "quantize int8": _rectifier("quantize"),
    "log_softmax": _rows_of("log_softmax"),
    "l2_normalization": _rows_of("l2_normalization"),
    "svdf": _svdf,
    "unidirectional_sequence_lstm": _lstm,
    "unidirectional_sequence_lstm int16": partial(_lstm, dtype="int16"),
    "read_variable": _variable,
}

# Families that TFLM has no kernel for, or not of this type.
BEYOND_TFLM = {
    *("tile", "reduce_max int16"),
    *("gather int16", "mirror_pad int16"),
}

# The table: operators, and for some of their parameters the values to combine.

_CONVOLUTIONS = ["conv_2d", "depthwise_conv_2d"]
_LAYERS = [*_CONVOLUTIONS, "fully_connected"]
_POOLS = ["average_pool_2d", "max_pool_2d"]
_ENDS = [-128, 0, 127]
_EPSILON = 2.0**-23
_BIASES = {"bias_dtype": ["int32", "int64"]}
_INT16_WINDOWS = ["conv_2d int16", "depthwise_conv_2d int16"]
_INT16_BOTH = ["conv_2d int16", "fully_connected int16"]
_INT16_LAYERS = [*_INT16_WINDOWS, "fully_connected int16"]
_ARITHMETIC = ["add broadcast", "sub", "mul"]
_BROADCASTS = [
    ((1, 3, 5, 4), (1, 3, 5, 4)),
    ((1, 3, 5, 4), (1, 1, 1, 4)),
    ((1, 1, 1, 4), (1, 3, 5, 4)),
    ((1, 3, 5, 4), (4,)),
    ((1,), (1, 3, 5, 4)),
    ((1, 3, 5, 4), ()),
    ((1, 3, 5, 4), (1, 3, 5, 1)),
    ((1, 3, 1, 4), (1, 1, 5, 1)),
    ((3, 1), (2, 3, 5)),
    ((2, 1, 3, 2, 1), (2, 2, 1, 2, 2)),
]
_THREE_SCALES = [
    (0.05, 0.05, 0.05),
    (1.0, 1e-3, 0.5),
    (1e-3, 1.0, 0.02),
    (1.0, 1e-6, 0.9),
    (1e-4, 1e-4, 3.0),
    (3.0, 2.0, 1e-3),
    (0.5, 0.25, 0.125),
    (0.25, 0.75, 2.0),
]
_POSITIVE = {"zero_points": [(3, -128, -7)]}  # of the second input, but for its least value
_RESIZES = ["resize_nearest_neighbor", "resize_bilinear"]
_LSTMS = ["unidirectional_sequence_lstm", "unidirectional_sequence_lstm int16"]
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
    (
        ["conv_2d groups", "conv_2d groups int16"],
        {"channels": [8], "filters": [8, 24], "groups": [2, 4, 8], "activation": ["NONE", "RELU"]},
    ),
    (
        ["conv_2d groups", "conv_2d groups int16"],
        {"channels": [6], "filters": [9], "groups": [3], "scales": ["tensor", "spread"], "bias": [None, "huge"]},
    ),
    (["conv_2d groups"], {"channels": [9], "filters": [6], "groups": [3], "strides": [(2, 1)], "dilations": [(1, 2)]}),
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
    # Weights of 4 bits, an odd number of them too.
    (["conv_2d int4"], {"channels": [1, 3, 5], "filters": [3], "kernel": [(1, 1), (3, 3)], "scales": ["channel"]}),
    (["depthwise_conv_2d int4"], {"channels": [1, 3], "kernel": [(3, 3)], "scales": ["channel", "tensor"]}),
    (["fully_connected int4"], {"shape": [(1, 1), (2, 7), (1, 4, 8)], "filters": [3], "scales": ["tensor"]}),
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
    # int16 activations. TFLM accumulates in the bias's width; the depthwise one is read as int64, whatever it is.
    (
        _INT16_WINDOWS,
        {"padding": PADDINGS, "strides": [(1, 1), (2, 3)], "kernel": [(3, 3), (1, 4)], "bias": ["ties", None]},
    ),
    (_INT16_WINDOWS, {"dilations": [(2, 1), (1, 3)], "image": [(8, 7)]}),
    (["depthwise_conv_2d int16"], {"depth_multiplier": [2, 3], "channels": [1, 17]}),
    (["conv_2d int16"], {"channels": [33], "filters": [1, 9], "kernel": [(1, 1)], **_BIASES}),
    (["fully_connected int16"], {"shape": [(1, 1), (2, 7), (8, 20), (1, 300)], "filters": [1, 9], **_BIASES}),
    (["fully_connected int16"], {"shape": [(1, 3, 8)], "form": ["kept", "flat"]}),
    (_INT16_LAYERS, {"activation": ACTIVATIONS, "scales": ["channel", "tensor"]}),
    (_INT16_LAYERS, {"multiplier": [1e-3, 1e-7, 1e-9, 0.99], "weights": ["uniform", "small"]}),
    (_INT16_LAYERS, {"bias": [None, "huge", "extreme"], "scales": ["channel", "spread"]}),
    (_INT16_BOTH, {"activation": ACTIVATIONS, "scales": ["channel", "tensor"], **_BIASES}),
    (_INT16_BOTH, {"bias": ["ties", "huge", "extreme"], "multiplier": [None, 1e-3, 1e-7, 0.99], **_BIASES}),
    (["add int16"], {"activation": ACTIVATIONS, "shape": [(1, 3, 5, 4), (7,)]}),
    (
        ["add int16"],
        {
            "scales": [(1e-4, 1e-4, 1e-4), (1e-3, 1e-6, 1e-3), (2e-5, 3e-4, 1e-4), (2.0**-15, 2.0**-14, 2.0**-14)],
        },
    ),
    ([f"{name} int16" for name in _BINARY16], {"shapes": _BROADCASTS, "constant": [None, 1]}),
    (["sub int16", "mul int16"], {"activation": ACTIVATIONS, "scales": [(1e-4, 3e-5, 1e-4), (1e-3, 1e-6, 1e-3)]}),
    (
        ["average_pool_2d int16", "max_pool_2d int16"],
        {"kernel": [(2, 2), (3, 1), (6, 7)], "strides": [(1, 1), (2, 3)], "padding": PADDINGS},
    ),
    (["average_pool_2d int16", "max_pool_2d int16"], {"activation": ACTIVATIONS, "channels": [1, 17]}),
    (
        ["mean int16", "sum int16"],
        {
            "reduction": [((1, 5, 4, 3), (1, 2)), ((1, 5, 4, 3), (1, 3)), ((2, 9), (0,)), ((1, 40, 50, 2), (1, 2))],
            "scales": [None, (0.01, 0.03), (1e-3, 1e-5), (1.0, 0.7)],
        },
    ),
    (
        ["softmax int16"],
        {"shape": [(1, 1), (3, 2), (2, 10), (1, 3, 300), (1, 4000)], "x_scale": [1e-4, 1e-3, 0.01, 1.0]},
    ),
    (["softmax int16"], {"beta": [0.3, 2.0], "x_scale": [1e-3]}),
    (
        ["logistic int16", "tanh int16"],
        {"x_scale": [2.0**-12, 2.0**-11, 2.0**-10, 2.0**-12 * 1.0006, 3e-4, 1e-5, 1e-9, 0.3, 2.5]},
    ),
    (["relu int16", "relu6 int16"], {"x_scale": [1e-3, 1e-4], "ratio": [1.0, 0.4, 1.7]}),
    (["leaky_relu int16"], {"alpha": [0.3, 0.0, 1.0, 2.0, 1e-6], "ratio": [1.0, 0.3, 2.5]}),
    (["pad int16"], {"paddings": [((0, 0), (1, 1), (1, 2), (0, 0)), ((1, 2), (3, 4)), ((2, 3),)]}),
    (["transpose int16"], {"form": [((2, 3, 4), (2, 0, 1)), ((1, 3, 4, 5), (0, 2, 1, 3))]}),
    # Two inputs: shapes that broadcast both ways, constants, scales.
    (_ARITHMETIC, {"shapes": _BROADCASTS, "constant": [None, 0, 1]}),
    (["maximum", "minimum"], {"shapes": _BROADCASTS, "constant": [None, 0, 1]}),
    (_ARITHMETIC, {"activation": ACTIVATIONS, "shapes": _BROADCASTS[:2]}),
    (_ARITHMETIC, {"zero_points": list(itertools.product([-128, 127], repeat=3))}),
    (_ARITHMETIC, {"scales": _THREE_SCALES, "constant": [None, 1]}),
    (
        ["prelu"],
        {"shapes": [((1, 4, 5, 3), alpha) for alpha in [(1, 1, 3), (1,), (4, 5, 3), (1, 5, 1), (3,)]], "constant": [1]},
    ),
    (
        ["prelu int16"],
        {
            "shapes": [((1, 4, 5, 3), alpha) for alpha in [(1, 1, 3), (1,), (4, 5, 3)]],
            "scales": [None, (1e-4, 0.01, 1e-4), (3e-4, 1.0, 1e-4)],
            "constant": [1],
        },
    ),
    (["prelu"], {"shapes": [((7,), (7,)), ((2, 6), (6,)), ((1, 9, 3), (1, 3))], "constant": [1, None]}),
    (
        ["prelu"],
        {
            "scales": [(0.05, 0.01, 0.05), (0.05, 0.01, 0.02), (1.0, 1e-3, 0.01), (0.01, 3.0, 0.5), (1e-3, 1e-3, 1.0)],
            "zero_points": [(3, 0, -7), (-128, -128, -128), (127, 127, 127), (0, 5, 0)],
            "constant": [1],
        },
    ),
    (["batch_matmul"], {"adj_x": [False, True], "adj_y": [False, True], "constant": [None, 1]}),
    (
        ["batch_matmul"],
        {
            "batches": [
                ((), ()),
                ((3,), (3,)),
                ((3,), (1,)),
                ((1,), (3,)),
                ((2, 3), (2, 3)),
                ((2, 1), (1, 3)),
                ((2, 3), (3,)),
                ((2,), (3, 2)),
                ((1, 2, 2), (1, 2, 2)),
            ],
            "adj_y": [False, True],
        },
    ),
    (["batch_matmul"], {"sizes": [(1, 1, 1), (1, 33, 2), (7, 2, 1), (9, 8, 9)], "constant": [None, 0, 1]}),
    (["batch_matmul"], {"zero_points": [(-128, -128, -128), (127, 127, 127), (-128, 127, 0), (0, 0, 0)]}),
    (["batch_matmul"], {"multiplier": [1e-5, 0.9999, 1.0, 3.0], "sizes": [(2, 6, 3)]}),
    (
        ["batch_matmul int16"],
        {"batches": [((), ()), ((2, 1), (1, 3)), ((2,), (2,))], "adj_x": [False, True], "adj_y": [False, True]},
    ),
    (["batch_matmul int16"], {"sizes": [(1, 1, 1), (2, 300, 3)], "constant": [None, 1], "multiplier": [None, 1e-5]}),
    (["fully_connected_of"], {"shape": [(1, 1), (3, 6), (2, 3, 8)], "bias": [None, "usual"], "filters": [1, 5]}),
    (["fully_connected_of"], {"activation": ACTIVATIONS, "bias": [None, "usual"]}),
    (
        ["fully_connected_of"],
        {
            "zero_points": [(-128, -128, -128), (127, 127, 127), (-128, 127, 0)],
            "bias": [None, "huge"],
            "multiplier": [1e-6, 0.4],
        },
    ),
    (["fully_connected_of"], {"shape": [(1, 2, 4)], "keep_num_dims": [True], "constant": [None, 0]}),
    # Reductions over any axes.
    (
        ["mean axes", "sum"],
        {
            "reduction": [
                ((1, 5, 4, 3), axes) for axes in [(1, 3), (0, 2), (0, 1, 3), (0, 1, 2, 3), (-1, 1), (3, 0), (2, 2)]
            ],
            "keep_dims": [True, False],
            "scales": [None, (0.5, 0.35)],
        },
    ),
    (["mean axes", "sum"], {"reduction": [((2, 3, 2, 3), (0, 2)), ((2, 3, 4), (0, 2)), ((4, 3), (0,)), ((9,), (0,))]}),
    (["mean axes", "sum"], {"reduction": [((2, 3, 2, 3, 2), (1, 3)), ((2, 2, 3, 2, 3), (0, 2, 4))]}),
    (["sum"], {"reduction": [((1, 5, 4, 3), axes) for axes in [(1, 2), (1,), (-1,), (2, 3)]], "scales": [(0.1, 0.9)]}),
    (
        ["mean axes", "sum"],
        {
            "reduction": [((1, 4, 3, 5), (1, 3))],
            "x_zero": _ENDS,
            "y_zero": _ENDS,
            "scales": [(0.1, 0.037), (0.1, 0.1), (0.1, 2.0)],
        },
    ),
    (
        ["reduce_max"],
        {
            "reduction": [
                ((1, 5, 4, 3), axes) for axes in [(1, 2), (2,), (-1,), (1, 3), (0, 2), (0, 1, 2, 3), (3, 0), (2, 2)]
            ],
            "keep_dims": [True, False],
        },
    ),
    (["reduce_max"], {"reduction": [((9,), (0,)), ((2, 7), (1,)), ((2, 2, 3, 2, 3), (0, 2, 4)), ((1, 300, 2), (1,))]}),
    (["reduce_max int16"], {"reduction": [((1, 5, 4, 3), (1, 2)), ((2, 7), (1,)), ((2, 2, 3, 2), (0, 2))]}),
    (["reduce_min"], {"reduction": [((1, 5, 4, 3), (1, 2)), ((1, 5, 4, 3), (1, 3)), ((9,), (0,)), ((2, 7), (-1,))]}),
    (["arg_min"], {"form": [((1, 4, 5, 3), 2), ((1, 10), 1)]}),
    # Quotients, differences, comparisons and what they choose. TFLM shifts by 32 and more where a small numerator is
    # divided by a large number and the factor is below 64, and has no meaning there.
    (["div"], {"shapes": _BROADCASTS[1:6:2], "constant": [None, 0], "scales": [(0.05, 0.02, 0.01)], **_POSITIVE}),
    (["div"], {"scales": [(0.03, 0.02, 0.006), (1.0, 0.5, 0.01), (2e-3, 1e-6, 0.9)], **_POSITIVE}),
    (["div"], {"activation": ["RELU6"], "scales": [(0.05, 0.02, 0.01)], "constant": [0], "zero_points": [(3, 127, 0)]}),
    (["squared_difference", "squared_difference int16"], {"shapes": _BROADCASTS[:8:3], "constant": [None, 1]}),
    (["squared_difference"], {"scales": _THREE_SCALES[1::3], "zero_points": [(-128, 127, -128)], "constant": [None]}),
    (["compare"], {"kind": ["EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"]}),
    (["compare"], {"shapes": _BROADCASTS[1::4], "constant": [None, 0], "kind": ["LESS"]}),
    (["compare"], {"scales": [(0.9, 1e-9, 1.0), (1e-3, 2e-3, 1.0)], "kind": ["GREATER", "EQUAL"], "constant": [1]}),
    (
        ["select", "select int16"],
        {"shapes": [((1, 3, 1), (1, 1, 4), (1, 3, 4)), ((2, 1, 2, 1, 2), (2, 2, 1, 2, 1), (1, 2, 2, 1, 1))]},
    ),
    (["select"], {"shapes": [((1, 3, 4),) * 3, ((4,), (2, 3, 4), ())], "constant": [0, 1]}),
    (["sums"], {"form": ["add_n", "cumsum"], "real": [False, True]}),
    (["sums"], {"form": ["cumsum"], "axis": [2], "exclusive": [False, True], "reverse": [True]}),
    (["logic"], {"form": ["AND", "OR", "not", "select", "cast"]}),
    # Several inputs, several outputs.
    (
        ["concatenation"],
        {
            "shapes": [
                (((1, 2, 3, 4), (1, 2, 3, 2)), 3),
                (((1, 2, 3, 4), (1, 5, 3, 4)), 1),
                (((1, 2, 1, 4), (1, 2, 3, 4), (1, 2, 2, 4)), -2),
                (((2, 3), (1, 3)), 0),
                (((5,), (3,)), 0),
                (((5,),), -1),
                (((1, 1, 2),) * 10, 2),
                (((2, 1, 3, 2, 2), (2, 4, 3, 2, 2)), 1),
                (((1, 2, 1, 2, 3), (1, 2, 1, 2, 1)), -1),
            ],
            "constant": [None, 0],
        },
    ),
    (["concatenation"], {"shapes": [(((1, 2, 3), (1, 2, 4)), -1)], "constant": [1], "x_zero": _ENDS}),
    (
        ["pack"],
        {
            "shapes": [(((2, 3),) * 2, axis) for axis in [0, 1, 2, -1, -3]]
            + [(((4,),) * 3, 0), (((4,),) * 3, 1), (((),) * 2, 0), (((1, 2, 3),) * 2, 1), (((1, 2, 2, 3),) * 2, 3)],
            "constant": [None, 1],
        },
    ),
    (
        ["split"],
        {
            "form": [
                ((1, 4, 6, 2), 1, 2),
                ((1, 4, 6, 2), 2, 3),
                ((1, 4, 6, 2), -1, 2),
                ((6,), 0, 6),
                ((4, 3), 0, 2),
                ((1, 3), 1, 1),
                ((2, 2, 2, 4, 3), 3, 2),
            ]
        },
    ),
    (
        ["split_v"],
        {
            "form": [
                ((1, 4, 6, 2), 2, (1, 3, 2)),
                ((1, 4, 6, 2), -2, (2, -1, 1)),
                ((1, 4, 6, 2), 3, (1, 1)),
                ((7,), 0, (6, 1)),
                ((5, 3), 0, (2, 3)),
                ((2, 2, 2, 5, 3), 3, (1, 4)),
            ]
        },
    ),
    (
        ["unpack"],
        {"form": [*(((2, 3, 4), axis) for axis in [0, 1, 2, -1, -2]), ((3,), 0), ((1, 3), 1), ((1, 2, 3, 4), 3)]},
    ),
    # Slices and orders.
    (
        ["slice"],
        {
            "form": [
                ((1, 5, 6, 3), (0, 1, 2, 0), (1, 3, -1, 2)),
                ((1, 5, 6, 3), (0, 0, 0, 0), (-1, -1, -1, -1)),
                ((7,), (3,), (2,)),
                ((4, 5), (1, 4), (2, 1)),
                ((2, 3, 4), (1, 0, 1), (1, 3, 3)),
                ((2, 3, 4, 2, 3), (1, 0, 1, 0, 1), (1, 2, 3, -1, 2)),
            ]
        },
    ),
    (
        ["strided_slice"],
        {
            "form": [
                ((1, 5, 6, 3), (0, 1, 1, 0), (1, 4, 6, 3), (1, 1, 1, 1), ""),
                ((1, 5, 6, 3), (0, 1, 0, 0), (1, 5, 6, 3), (1, 2, 3, 2), ""),
                ((1, 5, 6, 3), (0, -1, -2, 2), (1, -6, -7, -4), (1, -1, -2, -1), ""),
                ((1, 5, 6, 3), (0, -4, -3, 0), (1, -1, 100, 3), (1, 1, 1, 1), ""),
                ((9,), (7,), (1,), (-3,), ""),
                ((9,), (-100,), (100,), (4,), ""),
                ((4, 5), (1, 0), (3, 5), (1, 2), ""),
                ((2, 3, 4), (0, 2, 3), (2, 0, 0), (1, -1, -2), ""),
                *(
                    ((1, 5, 6, 3), (0, 3, 2, 1), (1, 4, 5, 2), (1, 1, 1, 1), masks)
                    for masks in [
                        "begin=13 end=15",
                        "begin=6",
                        "end=6",
                        "begin=15 end=15",
                        "shrink_axis=1",
                        "shrink_axis=2",
                        "shrink_axis=14",
                        "shrink_axis=15",
                        "begin=1 end=1 shrink_axis=8",
                    ]
                ),
                *(
                    ((1, 5, 6, 3), (0, -2, -1, -3), (1, 0, 0, 0), (1, -1, -1, 1), masks)
                    for masks in ["begin=4 end=15", "begin=6 end=14", "end=14 shrink_axis=8"]
                ),
            ]
        },
    ),
    (
        ["transpose"],
        {
            "form": [
                *(((2, 3), order) for order in itertools.permutations(range(2))),
                *(((2, 3, 4), order) for order in itertools.permutations(range(3))),
                *(((1, 3, 4, 2), order) for order in [(0, 2, 1, 3), (0, 3, 1, 2), (0, 2, 3, 1), (3, 2, 1, 0)]),
                *(((2, 3, 4, 5), order) for order in [(1, 0, 3, 2), (2, 3, 0, 1), (0, 1, 3, 2), (1, 2, 3, 0)]),
                *(((2, 3, 2, 3, 2), order) for order in [(4, 3, 2, 1, 0), (0, 2, 1, 3, 4), (1, 3, 0, 4, 2)]),
                ((5,), (0,)),
            ]
        },
    ),
    # Indices of many kinds.
    (
        ["gather", "gather int16"],
        {
            "form": [
                ((1, 4, 5, 3), (4,), 2),
                ((1, 4, 5, 3), (2, 3), -1),
                ((1, 4, 5, 3), (), 1),
                ((1, 4, 5, 3), "3,1,0", 2),
                ((1, 4, 5, 3), "4,2,0", 2),
                ((2, 7), (2, 3), 1, 1),
                ((2, 3, 5, 2), (2, 4), 2, 1),
                ((2, 3, 4), (2, 3, 2), 2, 2),
                ((2, 3, 4), (2, 5), 1, -1),
                ((9,), "5,5,5", 0),
            ]
        },
    ),
    (
        ["gather computed"],
        {"form": [((1, 4, 5, 3), (2, 2), 2), ((50, 4), (1, 6), 0), ((300, 30), (1, 9), 0)], "constant": [False, True]},
    ),
    (["gather computed"], {"form": [((50, 4), (6,), 0), ((9, 2, 3), (4,), 0)], "constant": [True], "rows": [True]}),
    (
        ["mirror_pad", "mirror_pad int16"],
        {
            "form": [
                ((1, 4, 5, 3), ((0, 0), (1, 2), (3, 0), (0, 0)), "REFLECT"),
                ((1, 4, 5, 3), ((0, 0), (4, 1), (2, 5), (0, 0)), "SYMMETRIC"),
                ((1, 4, 5, 3), ((0, 0), (1, 1), (0, 0), (2, 1)), "REFLECT"),
                ((2, 3, 2, 4, 3), ((1, 1), (2, 1), (1, 0), (0, 3), (1, 2)), "REFLECT"),
                ((2, 5), ((0, 0), (0, 0)), "SYMMETRIC"),
                ((7,), ((6, 6),), "REFLECT"),
            ]
        },
    ),
    (
        ["reverse_v2", "reverse_v2 int16"],
        {
            "form": [
                *(((2, 3, 4, 5), axes) for axes in [(0,), (2,), (-1,), (1, 2), (0, 1, 2, 3), (3, 2)]),
                ((6,), (0,)),
            ]
        },
    ),
    (
        ["depth_to_space"],
        {"form": [((1, 3, 4, 8), 2), ((2, 2, 3, 18), 3), ((1, 5, 1, 4), 2), ((1, 2, 2, 3), 1)]},
    ),
    (
        ["space_to_depth"],
        {"form": [((1, 4, 6, 3), 2), ((2, 6, 3, 1), 3), ((1, 2, 2, 3), 1)]},
    ),
    (
        ["broadcast_to", "broadcast_to int16"],
        {
            "form": [
                ((1, 1, 1, 3), (1, 4, 5, 3)),
                ((3, 1), (2, 3, 4)),
                ((1, 2, 1, 3, 1), (2, 2, 3, 3, 4)),
                ((1,), (2, 7)),
                ((2, 3), (2, 3)),
            ]
        },
    ),
    (
        ["tile"],
        {
            "form": [
                ((1, 5, 1, 3), (1, 1, 2, 1)),
                ((1, 3, 2, 2), (2, 2, 3, 2)),
                ((2, 1, 3, 1, 2), (1, 4, 1, 2, 1)),
                ((4,), (3,)),
                ((2, 3), (1, 1)),
            ]
        },
    ),
    (
        ["squeeze"],
        {
            "form": [
                ((1, 3, 1, 4),),
                ((1, 3, 1, 4), (2,)),
                ((1, 3, 1, 4), (-2, 0)),
                ((1, 1, 5, 1, 2), (1, 3)),
                ((5, 1),),
            ]
        },
    ),
    (["expand_dims"], {"form": [*(((2, 3, 4), axis) for axis in [0, 1, 3, -1, -4]), ((5,), 0), ((2, 3, 2, 2), 2)]}),
    (["shape"], {"form": [((1, 2, 3, 4),), ((2, 5, 3),), ((3, 4),), ((1, 2, 2, 3, 2),)]}),
    (
        ["arg_max"],
        {
            "form": [
                *(((1, 4, 5, 3), axis) for axis in [1, 2, 3, -1, -3]),
                *(((1, 10), axis) for axis in [0, 1]),
                ((7,), 0),
                ((3, 300), 1),
                ((2, 2, 3, 4, 2), 3),
            ]
        },
    ),
    (
        ["pad 5-D", "padv2"],
        {"paddings": [((0, 1), (1, 2), (2, 1), (0, 0), (1, 0)), ((0, 0), (0, 0), (1, 0), (0, 2), (0, 0))]},
    ),
    (
        ["padv2"],
        {
            "paddings": [
                ((0, 0), (1, 1), (1, 1), (0, 0)),
                ((1, 2), (0, 1), (1, 0), (2, 1)),
                ((0, 0), (2, 1), (1, 3)),
                ((1, 2), (3, 4)),
                ((2, 3),),
            ],
            "value": [-128, 5, 127],
        },
    ),
    (
        ["padv2 int16"],
        {"paddings": [((0, 0), (1, 2), (2, 1), (0, 1)), ((1, 2), (3, 0))], "value": [300, -1, -32768]},
    ),
    (
        _RESIZES,
        {
            "image": [(5, 4), (1, 1), (1, 7), (9, 2)],
            "size": [(9, 7), (5, 4), (2, 3), (1, 1), (10, 8), (1, 20)],
            "centres": ["legacy", "corners", "half pixel"],
        },
    ),
    (_RESIZES, {"image": [(3, 3)], "size": [(64, 63), (7, 100)], "centres": ["legacy", "corners", "half pixel"]}),
    (["resize_nearest_neighbor"], {"centres": ["both"], "size": [(9, 7), (2, 3), (1, 1), (64, 63)]}),
    (
        ["resize_nearest_neighbor int16"],
        {"size": [(9, 7), (2, 3)], "channels": [1, 3], "centres": ["legacy", "corners", "half pixel"]},
    ),
    (_RESIZES, {"channels": [1, 2, 17], "x_zero": _ENDS}),
    # Transposed convolutions.
    (
        ["transpose_conv"],
        {
            "kernel": [(1, 1), (2, 2), (3, 3), (4, 3), (1, 5)],
            "strides": [(1, 1), (2, 2), (3, 1), (4, 5)],
            "padding": PADDINGS,
        },
    ),
    (["transpose_conv"], {"size": [(7, 5), (8, 5), (7, 6)], "strides": [(2, 2)], "kernel": [(2, 3), (3, 3)]}),
    (["transpose_conv"], {"image": [(1, 1), (1, 9), (9, 1)], "padding": PADDINGS, "strides": [(1, 1), (2, 2)]}),
    (["transpose_conv"], {"channels": [1, 17], "filters": [1, 9], "scales": ["channel", "tensor", "spread"]}),
    (["transpose_conv"], {"bias": [None, "huge", "extreme"], "activation": ACTIVATIONS}),
    (["transpose_conv"], {"x_zero": _ENDS, "y_zero": _ENDS}),
    (["transpose_conv"], {"multiplier": [1e-9, 1e-6, 1.0, 1.5], "weights": ["small", "-128", "zero rows"]}),
    (
        ["transpose_conv int16"],
        {"kernel": [(3, 3), (1, 2)], "strides": [(1, 1), (2, 3)], "padding": PADDINGS, "bias": ["ties", None]},
    ),
    (["transpose_conv int16"], {"bias": ["huge", "extreme"], "activation": ["NONE", "RELU6"], "scales": ["tensor"]}),
    # Functions of one value.
    (["tanh"], {"x_scale": [1e-5, 0.01, 0.03, 0.05, 0.1, 0.6, 7.0], "x_zero": [None, *_ENDS]}),
    (
        ["leaky_relu"],
        {"alpha": [0.3, 0.0, 1.0, -0.5, 2.0, 1e-6], "ratio": [1.0, 0.3, 2.5], "x_zero": [None], "y_zero": [None, 0]},
    ),
    (["hard_swish", "elu"], {"x_scale": [1e-4, 0.01, 0.0235, 0.05, 0.3, 2.0], "ratio": [1.0, 0.4, 0.9, 1.7]}),
    (["leaky_relu"], {"alpha": [0.1], "x_zero": _ENDS, "y_zero": _ENDS}),
    (["hard_swish", "elu"], {"x_zero": _ENDS, "y_zero": _ENDS, "x_scale": [0.05, 0.1]}),
    (
        ["float_functions"],
        {
            "functions": [("ELU",), ("NEG",), ("SQUARE",), ("FLOOR",), ("CEIL",), ("ROUND",), ("ELU", "NEG")],
            "x_scale": [0.05, 0.1875],
            "ratio": [0.25, 3.7],
        },
    ),
    (["float_functions"], {"functions": [("ELU",), ("NEG",)], "x_zero": [-128], "y_zero": [127]}),
    (
        ["float_functions"],
        {
            "functions": [
                *[(name,) for name in ("SIN", "COS", "TANH", "LOGISTIC", "RELU", "RELU6", "ABS", "HARD_SWISH")],
                ("TANH", "EXP"),
                ("ABS", "SQRT"),
                ("EXP", "RSQRT", "LOG"),
                (_leaky_relu,),
                (_softplus,),
                (_thresholds,),
                (_halves,),
                (_moves,),
                (_joins,),
            ],
            "x_scale": [0.05],
            "x_zero": [3],
            "ratio": [0.7],
        },
    ),
    (["abs"], {"ratio": [1.0, 0.3, 2.0, 1e-3], "x_zero": _ENDS, "y_zero": _ENDS}),
    (["rsqrt"], {"x_scale": [1e-4, 0.05, 3.0], "ratio": [0.01, 0.3, 1.0, 300.0], "x_zero": [-128], "y_zero": _ENDS}),
    (
        ["quantize wide"],
        {
            "dtypes": [("int16", "int8"), ("int8", "int16"), ("int16", "int16")],
            "ratio": [256.0, 100.3, 1.0, 0.7, 1 / 256, 1 / 300.0, 1e6, 1e-6],
        },
    ),
    (
        ["quantize wide"],
        {
            "dtypes": [("int16", "int32"), ("int8", "int32"), ("int32", "int16"), ("int32", "int8")],
            "ratio": [3.7, 1e-3],
            "x_zero": [0],
        },
    ),
    (["quantize wide"], {"dtypes": [("int16", "int32"), ("int16", "int8")], "ratio": [2.0, 180.0], "x_zero": [-32768]}),
    (["quantize wide"], {"x_zero": _ENDS, "y_zero": _ENDS, "dtypes": [("int16", "int8"), ("int8", "int16")]}),
    (["softmax wide"], {"shape": [(1, 1), (1, 2), (1, 3), (1, 10), (1, 511)], "beta": [0.5, 1.0, 2.0]}),
    (["softmax wide"], {"x_scale": [1e-6, 1e-3, 0.02, 0.7, 4.0, 100.0], "shape": [(5, 4), (1, 1000)]}),
    (["quantize int8"], {"ratio": [1.0, 0.5, 0.3, 1.9, 2.0, 1000.0, 0.01], "x_zero": _ENDS, "y_zero": _ENDS}),
    # Rows.
    (["log_softmax"], {"shape": [(1, 1), (1, 2), (1, 3), (1, 10), (1, 500), (1, 4000)], "x_scale": [0.1, 0.01, 1.0]}),
    (["log_softmax"], {"x_scale": [1e-6, 1e-3, 0.02, 0.7, 4.0, 100.0], "shape": [(1, 10)]}),
    (["log_softmax"], {"shape": [(5, 4), (7,), (1, 3, 6), (1, 2, 3, 4)], "x_zero": [-128, 127]}),
    (
        ["l2_normalization"],
        {"shape": [(1, 1), (1, 10), (3, 5), (1, 2, 3, 4), (1, 1000), (7,)], "x_zero": [None, *_ENDS]},
    ),
    # Layers with a state.
    (
        ["svdf"],
        {
            "sizes": [(8, 4, 1, 5), (1, 1, 1, 1), (9, 3, 2, 4), (16, 2, 4, 1), (40, 8, 1, 10)],
            "state": ["int16", "int8"],
        },
    ),
    (["svdf"], {"x_zero": _ENDS, "y_zero": _ENDS, "state": ["int16", "int8"]}),
    (["svdf"], {"state_zero": [-128, 5, 127], "state": ["int8"]}),
    (["svdf"], {"batch": [2], "multiplier": [1e-4, 0.3, 20.0], "state": ["int16", "int8"]}),
    (
        _LSTMS,
        {
            "sizes": [(1, 4, 5, 6), (1, 1, 1, 1), (1, 1, 17, 9), (1, 20, 3, 4), (2, 3, 4, 5)],
            "time_major": [False, True],
        },
    ),
    (_LSTMS, {"cell_exponent": [-15, -13, -11, -9], "gain": [1.0, 8.0]}),
    (_LSTMS, {"cell_clip": [0.5, 3.0], "gain": [1.0, 8.0]}),
    (_LSTMS, {"weights": ["-128", "127", "normal", "small"], "gain": [0.01, 1.0, 30.0]}),
    (["unidirectional_sequence_lstm"], {"x_zero": _ENDS, "y_zero": _ENDS}),
    (["read_variable"], {"form": ["stream"], "kept": [1, 4, 20], "new": [1, 3]}),
    (["read_variable"], {"form": ["sum", "delay", "assign first"], "new": [1, 2], "channels": [1, 9]}),
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
    if callable(value):
        return value.__name__.strip("_")
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
