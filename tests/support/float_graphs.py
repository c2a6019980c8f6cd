"""Graphs of floats for the quantiser: single layers with sensible weights, and random graphs of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from midge_host.ir import batch
from midge_host.ir import operators as ir
from midge_host.ir.builder import Builder
from midge_host.ir.graph import Graph, Tensor
from midge_host.ir.operators import Activation

RNG = np.random.Generator
SAME = ((1, 1), (1, 1))
NONE = ((0, 0), (0, 0))
MAX_SIZE = 1200

MAKERS: dict[str, Callable[[Builder, RNG], Tensor]] = {}


def graph(name: str, seed: int = 0) -> Graph:
    """One of MAKERS."""
    builder = Builder(name)
    builder.output(MAKERS[name](builder, np.random.default_rng(seed)))
    return builder.graph


def readings(graph: Graph, count: int = 48, seed: int = 1) -> list[np.ndarray]:
    """Normally distributed ones for each input."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(count, *e.tensor.shape)).astype(np.float32) for e in graph.inputs]


def weights(rng: RNG, *shape: int) -> np.ndarray:
    """Such that sums have about the size of what is summed; the first axis, or the last of depthwise ones, differs."""
    depth = np.prod(shape[1:]) if shape[0] > 1 or len(shape) == 2 else np.prod(shape[1:-1])
    return (rng.normal(size=shape) / np.sqrt(depth)).astype(np.float32)


def maker(function: Callable[[Builder, RNG], Tensor]) -> Callable[[Builder, RNG], Tensor]:
    MAKERS[function.__name__] = function
    return function


def convolution(b: Builder, x: Tensor, rng: RNG, channels: int, **fields: object) -> Tensor:
    fields = {"strides": (1, 1), "padding": SAME, "activation": Activation.RELU, **fields}
    w = weights(rng, channels, 3, 3, x.shape[3])
    return b.add(ir.Conv2D, "conv", source=x, weights=w, bias=rng.normal(size=channels) * 0.1, **fields)


def dense(b: Builder, x: Tensor, rng: RNG, units: int, **fields: object) -> Tensor:
    w = weights(rng, units, x.shape[-1])
    return b.add(ir.Dense, "dense", source=x, weights=w, bias=rng.normal(size=units) * 0.1, **fields)


@maker
def images(b: Builder, rng: RNG) -> Tensor:
    y = convolution(b, b.input("x", (1, 8, 8, 3)), rng, 5)
    w = weights(rng, 1, 3, 3, 10)
    y = b.add(ir.DepthwiseConv2D, "d", source=y, weights=w, strides=(2, 2), padding=SAME, activation=Activation.RELU6)
    y = b.add(
        ir.TransposeConv2D,
        "t",
        source=y,
        weights=weights(rng, 4, 3, 3, 10),
        strides=(2, 2),
        padding=SAME,
        activation=Activation.RELU,
    )
    y = b.add(ir.MaxPool2D, "m", source=y, kernel=(2, 2), strides=(2, 2), padding=NONE)
    y = b.add(ir.AveragePool2D, "a", source=y, kernel=(2, 2), strides=(1, 1), padding=NONE)
    return b.add(ir.Softmax, "s", source=dense(b, b.add(ir.Mean, "mean", source=y, axes=(1, 2)), rng, 3))


@maker
def pairs(b: Builder, rng: RNG) -> Tensor:
    x, y = b.input("x", (1, 4, 6)), b.input("y", (1, 4, 6))
    z = b.add(ir.Mul, "mul", first=b.add(ir.Add, "add", first=x, second=y), second=y)
    z = b.add(ir.Maximum, "max", first=b.add(ir.Sub, "sub", first=z, second=x), second=np.float32([-1.0]))
    z = b.add(ir.PRelu, "prelu", first=b.add(ir.Minimum, "min", first=z, second=y), second=np.abs(rng.normal(size=6)))
    return b.add(ir.MatMul, "mm", first=z, second=x, transpose_second=True)


@maker
def functions(b: Builder, rng: RNG) -> Tensor:
    x = b.input("x", (1, 4, 6))
    kinds = (ir.Logistic, ir.Tanh, ir.HardSwish, ir.Elu, ir.Relu, ir.Abs, ir.Neg, ir.L2Normalize, ir.LogSoftmax)
    made = [b.add(kind, kind.__name__, source=x) for kind in kinds]
    made[-1] = b.add(ir.LeakyRelu, "leaky", source=made[-1], alpha=0.1)
    squared = b.add(ir.Neg, "minus", source=b.add(ir.Square, "square", source=x))
    return b.add(ir.Concatenate, "all", sources=[*made, squared], axis=1)


@maker
def moves(b: Builder, rng: RNG) -> Tensor:
    x = b.input("x", (1, 4, 6, 2))
    y = b.add(ir.Pad, "pad", source=x, paddings=((0, 0), (1, 1), (0, 2), (0, 0)), value=-3.0)
    y = b.add(ir.Transpose, "turned", source=y, axes=(0, 2, 1, 3))
    y = b.add(ir.Slice, "part", source=y, index=(slice(0, 1), slice(1, 8, 2)))
    y = b.add(ir.Stack, "stack", sources=b.add_parts(ir.Split, "split", [(1, 4, 6, 1)] * 2, source=y, axis=3), axis=1)
    y = b.add(ir.Reshape, "flat", source=y, shape=(1, 8, 6, 1))
    y = b.add(ir.ResizeNearest, "near", source=y, shape=(1, 16, 12, 1))
    y = b.add(ir.ResizeBilinear, "between", source=y, half_pixel_centers=True, shape=(1, 8, 8, 1))
    return b.add(ir.ReduceMax, "largest", source=y, axes=(1,))


@maker
def lstm(b: Builder, rng: RNG) -> Tensor:
    x, cells = b.input("x", (1, 10, 6)), 8
    hidden, cell = (Tensor(name, (1, cells), "float32", is_variable=True) for name in ("hidden", "cell"))
    y = b.add(
        ir.Lstm,
        "lstm",
        source=x,
        kernels=[weights(rng, cells, 6) for _ in range(4)],
        recurrent=[weights(rng, cells, cells) for _ in range(4)],
        biases=[rng.normal(size=cells) * 0.1 for _ in range(4)],
        hidden=hidden,
        cell=cell,
    )
    return dense(b, b.add(ir.Slice, "last", source=y, index=(slice(None), -1)), rng, 3)


@maker
def svdf(b: Builder, rng: RNG) -> Tensor:
    state = Tensor("state", (1, 40), "float32", is_variable=True)
    y = b.add(
        ir.Svdf,
        "svdf",
        source=b.input("x", (1, 10)),
        feature_weights=weights(rng, 8, 10),
        time_weights=weights(rng, 8, 5),
        bias=rng.normal(size=4) * 0.1,
        state=state,
        rank=2,
        activation=Activation.RELU,
    )
    return dense(b, y, rng, 3)


@maker
def fixed_beside_free(b: Builder, rng: RNG) -> Tensor:
    """A softmax has one scale for ever: what it is joined with has another."""
    x = b.input("x", (1, 10))
    parts = [b.add(ir.Softmax, "softmax", source=x), dense(b, x, rng, 3), np.float32([[2.5]])]
    return b.add(ir.Concatenate, "joined", sources=parts, axis=1)


# Random graphs. A step makes a tensor of one; None where it does not suit.

Step = Callable[[Builder, Tensor, RNG], "Tensor | None"]


def _activation(rng: RNG) -> Activation:
    return list(Activation)[int(rng.integers(0, 3))]


def _conv(b: Builder, x: Tensor, rng: RNG) -> Tensor | None:
    if len(x.shape) != 4:
        return None
    stride = int(rng.integers(1, 3)) if min(x.shape[1:3]) > 3 else 1
    return convolution(b, x, rng, int(rng.integers(1, 9)), strides=(stride, stride), activation=_activation(rng))


def _depthwise(b: Builder, x: Tensor, rng: RNG) -> Tensor | None:
    if len(x.shape) != 4:
        return None
    w = weights(rng, 1, 3, 3, x.shape[3] * int(rng.integers(1, 3)))
    bias = rng.normal(size=w.shape[3]) * 0.1
    fields = {"strides": (1, 1), "padding": SAME, "activation": _activation(rng)}
    return b.add(ir.DepthwiseConv2D, "depthwise", source=x, weights=w, bias=bias, **fields)


def _dense(b: Builder, x: Tensor, rng: RNG) -> Tensor | None:
    if len(x.shape) != 2:
        return None
    return dense(b, x, rng, int(rng.integers(1, 13)), activation=_activation(rng))


def _normalised(b: Builder, x: Tensor, rng: RNG) -> Tensor:
    """A BatchNormalization."""
    scaled = b.add(ir.Mul, "scaled", first=x, second=rng.uniform(0.5, 2, x.shape[-1]))
    return b.add(ir.Add, "shifted", first=scaled, second=rng.normal(size=x.shape[-1]) * 0.3)


def _function(b: Builder, x: Tensor, rng: RNG) -> Tensor:
    kinds = (ir.Relu, ir.Relu6, ir.Logistic, ir.Tanh, ir.HardSwish, ir.Elu, ir.Abs, ir.Neg, ir.Square)
    return b.add(kinds[int(rng.integers(0, len(kinds)))], "function", source=x)


def _leaky(b: Builder, x: Tensor, rng: RNG) -> Tensor:
    return b.add(ir.LeakyRelu, "leaky", source=x, alpha=float(rng.uniform(0.05, 0.5)))


def _pool(b: Builder, x: Tensor, rng: RNG) -> Tensor | None:
    if len(x.shape) != 4 or min(x.shape[1:3]) < 2:
        return None
    kind = (ir.MaxPool2D, ir.AveragePool2D)[int(rng.integers(0, 2))]
    return b.add(kind, "pool", source=x, kernel=(2, 2), strides=(2, 2), padding=NONE)


def _mean(b: Builder, x: Tensor, rng: RNG) -> Tensor | None:
    return b.add(ir.Mean, "mean", source=x, axes=(1, 2)) if len(x.shape) == 4 else None


def _residual(b: Builder, x: Tensor, rng: RNG) -> Tensor | None:
    if len(x.shape) != 4:
        return None
    kind = (ir.Add, ir.Sub, ir.Mul, ir.Maximum, ir.Minimum)[int(rng.integers(0, 5))]
    y = convolution(b, x, rng, x.shape[3], activation=_activation(rng))
    return b.add(kind, "both", first=x, second=y)


def _branches(b: Builder, x: Tensor, rng: RNG) -> Tensor | None:
    y = _function(b, x, rng)
    return b.add(ir.Concatenate, "joined", sources=[x, y], axis=len(x.shape) - 1)


def _pad(b: Builder, x: Tensor, rng: RNG) -> Tensor | None:
    pads = ((0, 0), *((int(rng.integers(0, 2)), 1) for _ in x.shape[1:-1]), (0, 0))
    return b.add(ir.Pad, "padded", source=x, paddings=pads)


def _softmax(b: Builder, x: Tensor, rng: RNG) -> Tensor:
    return b.add(ir.Softmax, "softmax", source=x)


def _part(b: Builder, x: Tensor, rng: RNG) -> Tensor | None:
    if x.shape[-1] < 2:
        return None
    return b.add(ir.Slice, "part", source=x, index=(*[slice(None)] * (len(x.shape) - 1), slice(0, x.shape[-1] // 2)))


STEPS: tuple[Step, ...] = (
    _conv,
    _conv,
    _conv,
    _depthwise,
    _depthwise,
    _dense,
    _dense,
    _normalised,
    _normalised,
    _function,
    _leaky,
    _pool,
    _mean,
    _residual,
    _residual,
    _branches,
    _pad,
    _softmax,
    _part,
)


def random_graph(seed: int) -> Graph:
    """2 to 8 steps from an image, a vector or both."""
    rng = np.random.default_rng(seed)
    b = Builder(f"random_{seed}")
    shape = (1, *(int(rng.integers(3, 9)) for _ in range(2)), int(rng.integers(1, 5)))
    x = b.input("x", shape if rng.random() < 0.7 else (1, int(rng.integers(2, 20))))
    left = int(rng.integers(2, 9))
    while left:
        made = STEPS[int(rng.integers(0, len(STEPS)))](b, x, rng)
        if made is not None and made.size <= MAX_SIZE:
            x, left = made, left - 1
    b.output(x)
    return b.graph


def classifier(seed: int) -> tuple[Graph, Callable[[int, int], np.ndarray]]:
    """A net of random layers, of which the last one is fitted to tell readings of some kinds apart, and what draws
    (count, seed) such readings."""
    rng = np.random.default_rng(seed)
    b = Builder(f"classifier{seed}")
    side, depth, kinds = int(rng.integers(5, 9)), int(rng.integers(1, 4)), int(rng.integers(2, 7))
    patterns = rng.normal(size=(kinds, 1, side, side, depth))

    def draw(count: int, seed: int) -> np.ndarray:
        others = np.random.default_rng((1, seed))
        chosen = patterns[np.arange(count) % kinds]
        return (2 * chosen + others.normal(size=chosen.shape)).astype(np.float32)

    x = b.input("x", (1, side, side, depth))
    for _ in range(rng.integers(1, 4)):
        stride = int(rng.integers(1, 3))
        x = convolution(b, x, rng, int(rng.integers(8, 25)), strides=(stride, stride))
        if rng.integers(2):
            w = weights(rng, 1, 3, 3, x.shape[3])
            x = b.add(ir.DepthwiseConv2D, "depthwise", source=x, weights=w, strides=(1, 1), padding=SAME)
    x = b.add(ir.Mean, "mean", source=x, axes=(1,), keep_dims=False)
    x = b.add(ir.Reshape, "flat", source=x, shape=(1, x.size))
    x = dense(b, x, rng, int(rng.integers(16, 49)), activation=Activation.RELU)
    read = draw(600, 0)
    values = np.c_[batch.run(b.graph, [read])[id(x)].reshape(len(read), -1), np.ones(len(read))]
    wanted = 8 * np.eye(kinds)[np.arange(len(read)) % kinds]
    fitted = np.linalg.solve(values.T @ values + np.eye(values.shape[1]), values.T @ wanted).astype(np.float32)
    x = b.add(ir.Dense, "kinds", source=x, weights=fitted[:-1].T, bias=fitted[-1])
    b.output(b.add(ir.Softmax, "scores", source=x))
    return b.graph, draw
