"""Random but sensible Keras models, as int8 .tflite files by TensorFlow's converter: a seed is a model.

BLOCKS holds everything a model may consist of. Importing this module imports TensorFlow.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its sums, and so the calibrated ranges, depend on the processor

import keras
import numpy as np
import tensorflow as tf
import tflite as schema
from keras import layers, ops
from tensorflow.lite.python.convert_phase import ConverterError

T = TypeVar("T")
Tensor = keras.KerasTensor

MAX_SIDE = 20
MAX_CHANNELS = 16
MAX_SIZE = 1600  # elements of a tensor, so that pure Python takes its part of a second
CALIBRATION_ROWS = 8
TEST_ROWS = 6
ATTEMPTS = 5  # models to draw until one makes sense; some in a hundred do not


@dataclass(frozen=True)
class RandomGraph:
    """A model, inputs for it of the model's own dtypes, (N, *shape) each, and the blocks it was made of."""

    seed: int
    tflite: bytes
    inputs: list[np.ndarray]
    blocks: list[str]


class Draw:
    """A model in the making: random numbers, the tensors so far, and those of them that no block reads yet."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.tensors: list[Tensor] = []
        self.leaves: list[Tensor] = []
        self._read: list[Tensor] = []

    def integer(self, low: int, high: int) -> int:
        """From low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]

    def add(self, made: Sequence[Tensor], x: Tensor | None = None) -> None:
        """Tensors that a block made of x and the partners it asked for."""
        read = [*self._read, x]
        self.leaves = [leaf for leaf in self.leaves if not any(leaf is t for t in read)] + list(made)
        self.tensors += made

    def partner(self, suits: Callable[[Tensor], bool]) -> Tensor | None:
        """A tensor made before that suits, or None."""
        suitable = [t for t in self.tensors if suits(t)]
        if suitable:
            self._read.append(self.pick(suitable))
            return self._read[-1]
        return None

    def pick_tensor(self) -> Tensor:
        """The tensor that the next block reads: mostly the newest tensor, else any."""
        self._read = []
        if self.chance(0.6):
            return self.tensors[-1]
        return self.pick(self.leaves if self.chance(0.6) else self.tensors)

    def channels(self, *sides: int) -> int:
        return self.integer(1, max(1, min(MAX_CHANNELS, MAX_SIZE // math.prod(sides))))

    def activation(self) -> str | None:
        """One that a convolution takes in."""
        return self.pick([None, "relu", "relu", "relu6"])


class Block(NamedTuple):
    ranks: Sequence[int]
    weight: float
    make: Callable[[Draw, Tensor], Tensor | Sequence[Tensor] | None]  # None: it does not suit this tensor


BLOCKS: dict[str, Block] = {}
VECTOR, SEQUENCE, IMAGE = 2, 3, 4  # ranks, batch axis included
ANY = (VECTOR, SEQUENCE, IMAGE)


def block(*ranks: int, weight: float = 1) -> Callable:
    """Enters a function, by its name, as a block for tensors of these ranks."""

    def enter(make: Callable) -> Callable:
        BLOCKS[make.__name__] = Block(ranks, weight, make)
        return make

    return enter


def sides(x: Tensor) -> tuple[int, ...]:
    """Height and width of an image, the length of a sequence."""
    return tuple(x.shape[1:-1])


def size(x: Tensor) -> int:
    return math.prod(x.shape[1:])


def by_rank(x: Tensor, one: type, two: type) -> type:
    """The layer class for sequences or for images."""
    return one if len(x.shape) == SEQUENCE else two


# Convolutions and pools.


def window(
    draw: Draw, x: Tensor, largest: int = 5, dilates: bool = True, square_strides: bool = False
) -> dict[str, Any]:
    """Arguments of a layer that slides a window: strides or dilations, and a window that fits."""
    count = len(sides(x))
    padding = draw.pick(["same", "valid"])

    def numbers(high: int, equal: bool) -> tuple[int, ...]:
        return (draw.integer(1, high),) * count if equal else tuple(draw.integer(1, high) for _ in range(count))

    strides = numbers(3, square_strides or draw.chance(0.7)) if draw.chance(0.5) else (1,) * count
    dilations = numbers(3, draw.chance(0.5)) if dilates and set(strides) == {1} and draw.chance(0.4) else (1,) * count
    limits = [largest] * count
    if padding == "valid":
        limits = [min(largest, (side - 1) // dilation + 1) for side, dilation in zip(sides(x), dilations, strict=True)]
    window = {"padding": padding, "strides": strides}
    if dilates:
        window["dilation_rate"] = dilations
    return window | {"kernel_size": tuple(draw.integer(1, limit) for limit in limits)}


@block(SEQUENCE, IMAGE, weight=6)
def conv(draw: Draw, x: Tensor) -> Tensor:
    layer = by_rank(x, layers.Conv1D, layers.Conv2D)
    arguments = {"activation": draw.activation(), "use_bias": draw.chance(0.8)}
    return layer(draw.channels(*sides(x)), **window(draw, x), **arguments)(x)


@block(SEQUENCE, IMAGE, weight=2)
def pointwise(draw: Draw, x: Tensor) -> Tensor:
    layer = by_rank(x, layers.Conv1D, layers.Conv2D)
    return layer(draw.channels(*sides(x)), 1, activation=draw.activation())(x)


@block(SEQUENCE, IMAGE, weight=4)
def depthwise(draw: Draw, x: Tensor) -> Tensor | None:
    multiplier = draw.pick([1, 1, 1, 2, 3])
    if size(x) * multiplier > MAX_SIZE:
        return None
    layer = by_rank(x, layers.DepthwiseConv1D, layers.DepthwiseConv2D)
    arguments = {"depth_multiplier": multiplier, "activation": draw.activation()}
    return layer(**window(draw, x, square_strides=True), **arguments)(x)


@block(SEQUENCE, IMAGE, weight=2)
def separable(draw: Draw, x: Tensor) -> Tensor:
    layer = by_rank(x, layers.SeparableConv1D, layers.SeparableConv2D)
    x = layer(draw.channels(*sides(x)), **window(draw, x, dilates=False, square_strides=True), use_bias=False)(x)
    return layers.ReLU(draw.pick([None, 6.0]))(layers.BatchNormalization()(x))


@block(IMAGE, weight=2)
def residual(draw: Draw, x: Tensor) -> Tensor:
    """Of ResNet; with a stride the image goes through a convolution of its own."""
    stride, filters = draw.pick([1, 1, 2]), x.shape[-1] if draw.chance(0.5) else draw.channels(*sides(x))
    y = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False)(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.BatchNormalization()(layers.Conv2D(filters, draw.pick([1, 3]), padding="same")(y))
    if stride == 2 or filters != x.shape[-1]:
        x = layers.Conv2D(filters, 1, stride)(x)
    return layers.ReLU()(layers.Add()([x, y]))


@block(IMAGE, weight=2)
def inverted_residual(draw: Draw, x: Tensor) -> Tensor | None:
    """Of MobileNet 2."""
    channels = x.shape[-1]
    if 3 * size(x) > MAX_SIZE:
        return None
    y = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(draw.integer(2, 3) * channels, 1)(x)))
    y = layers.ReLU(6.0)(layers.BatchNormalization()(layers.DepthwiseConv2D(draw.pick([3, 5]), padding="same")(y)))
    y = layers.BatchNormalization()(layers.Conv2D(channels, 1, use_bias=False)(y))
    return layers.Add()([x, y])


@block(IMAGE)
def padded_conv(draw: Draw, x: Tensor) -> Tensor:
    """As in MobileNet: padding on two sides, then a VALID convolution with a stride."""
    x = layers.ZeroPadding2D(((draw.integer(0, 1), 1), (draw.integer(0, 1), 1)))(x)
    if min(sides(x)) < 3 or draw.chance(0.3):
        return layers.DepthwiseConv2D(2, 1)(x)
    return layers.Conv2D(draw.channels(*sides(x)), 3, draw.pick([1, 2]), activation=draw.activation())(x)


@block(SEQUENCE, IMAGE)
def average_pool(draw: Draw, x: Tensor) -> Tensor:
    arguments = window(draw, x, largest=4, dilates=False)
    arguments["pool_size"] = arguments.pop("kernel_size")
    return by_rank(x, layers.AveragePooling1D, layers.AveragePooling2D)(**arguments)(x)


@block(SEQUENCE, IMAGE, weight=2)
def max_pool(draw: Draw, x: Tensor) -> Tensor:
    arguments = window(draw, x, largest=4, dilates=False)
    arguments["pool_size"] = arguments.pop("kernel_size")
    return by_rank(x, layers.MaxPooling1D, layers.MaxPooling2D)(**arguments)(x)


@block(SEQUENCE, IMAGE)
def global_average(draw: Draw, x: Tensor) -> Tensor:
    layer = by_rank(x, layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D)
    return layer(keepdims=draw.chance(0.5))(x)


@block(IMAGE)
def whole_pool(draw: Draw, x: Tensor) -> Tensor:
    """A window of the image's size, as older models have it in place of a global pool."""
    return draw.pick([layers.AveragePooling2D, layers.MaxPooling2D])(sides(x))(x)


@block(SEQUENCE, IMAGE)
def global_max(draw: Draw, x: Tensor) -> Tensor:
    layer = by_rank(x, layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D)
    return layer(keepdims=draw.chance(0.5))(x)


@block(IMAGE)
def conv_transpose(draw: Draw, x: Tensor) -> Tensor | None:
    stride = draw.pick([1, 2, (1, 2), 3])
    height, width = np.multiply(stride, sides(x)) + 4
    if max(height, width) > MAX_SIDE:
        return None
    filters, kernel = draw.channels(height, width), (draw.integer(1, 4), draw.integer(1, 4))
    arguments = {"padding": draw.pick(["same", "valid"]), "use_bias": draw.chance(0.7)}
    return layers.Conv2DTranspose(filters, kernel, stride, activation=draw.activation(), **arguments)(x)


# Dense layers.


@block(VECTOR, weight=4)
def dense(draw: Draw, x: Tensor) -> Tensor:
    return layers.Dense(draw.integer(1, 24), activation=draw.activation(), use_bias=draw.chance(0.8))(x)


@block(SEQUENCE, IMAGE)
def dense_on_last_axis(draw: Draw, x: Tensor) -> Tensor:
    return layers.Dense(draw.channels(*sides(x)), activation=draw.activation())(x)


@block(SEQUENCE)
def attention(draw: Draw, x: Tensor) -> Tensor | None:
    """One head: softmax(Q K^T) V, and the residual."""
    if x.shape[-1] == 1:  # TensorFlow's converter fails
        return None
    depth = draw.integer(2, 8)
    query, key = layers.Dense(depth)(x), layers.Dense(depth)(x)
    scores = ops.softmax(ops.matmul(query, ops.transpose(key, (0, 2, 1))))
    return layers.Add()([x, ops.matmul(scores, layers.Dense(x.shape[-1])(x))])


# Functions of one value, and normalisation.


def function(name: str, make: Callable[[], Callable], weight: float = 0.4) -> None:
    BLOCKS[name] = Block(ANY, weight, lambda draw, x: make()(x))


function("relu", layers.ReLU, 1)
function("relu6", lambda: layers.ReLU(6.0), 1)
function("leaky_relu", layers.LeakyReLU)
function("tanh", lambda: layers.Activation("tanh"))
function("sigmoid", lambda: layers.Activation("sigmoid"))
function("hard_swish", lambda: layers.Activation("hard_swish"))
function("swish", lambda: layers.Activation("silu"))
function("batch_norm", layers.BatchNormalization, 1)


@block(*ANY, weight=0.4)
def prelu(draw: Draw, x: Tensor) -> Tensor:
    """A slope for each channel, or for every value."""
    return layers.PReLU(shared_axes=list(range(1, len(x.shape) - 1)) if draw.chance(0.7) else None)(x)


@block(*ANY, weight=0.4)
def softmax(draw: Draw, x: Tensor) -> Tensor | None:
    return layers.Softmax()(x) if 2 <= x.shape[-1] <= 200 else None  # TFLM aborts on some rows of 512 and more


@block(*ANY, weight=0.3)
def log_softmax(draw: Draw, x: Tensor) -> Tensor | None:
    return layers.Activation("log_softmax")(x) if 2 <= x.shape[-1] <= 200 else None


@block(VECTOR, SEQUENCE)
def l2_normalise(draw: Draw, x: Tensor) -> Tensor:
    """Of an embedding."""
    return layers.Lambda(lambda x: tf.math.l2_normalize(x, -1))(layers.Dense(draw.integer(2, 12))(x))


# Two tensors and more.

ARITHMETIC = {
    "add": ops.add,
    "subtract": ops.subtract,
    "multiply": ops.multiply,
    "maximum": ops.maximum,
    "minimum": ops.minimum,
}


def arithmetic(name: str, operation: Callable) -> None:
    """Blocks with another tensor of the same shape, one that broadcasts, and a constant."""

    def like(draw: Draw, x: Tensor) -> Tensor:
        other = draw.partner(lambda t: t.shape == x.shape and t is not x)
        if other is None:
            other = layers.Dense(x.shape[-1])(x)
        return operation(x, other)

    def broadcast(draw: Draw, x: Tensor) -> Tensor:
        def suits(t: Tensor) -> bool:
            axes = list(zip(t.shape[::-1], x.shape[::-1], strict=False))
            return len(t.shape) <= len(x.shape) and t.shape != x.shape and all(a in (1, b) for a, b in axes)

        other = draw.partner(suits)
        if other is None:
            axes = list(range(1, len(x.shape) - 1)) or [1]
            other = layers.Dense(x.shape[-1])(ops.mean(x, draw.pick([axes, axes[:1], axes[-1:]]), keepdims=True))
        return operation(x, other) if draw.chance(0.6) else operation(other, x)

    def constant(draw: Draw, x: Tensor) -> Tensor:
        # With the last axis of 1 TensorFlow's converter fails on some graphs.
        shape = [side if draw.chance(0.6) else 1 for side in x.shape[draw.integer(1, len(x.shape)) : -1]]
        shape = draw.pick([[], [*shape, x.shape[-1]], [*shape, x.shape[-1]]])
        other = draw.rng.normal(0, 1, shape).astype(np.float32)
        return operation(x, other) if draw.chance(0.6) else operation(other, x)

    BLOCKS[name] = Block(ANY, 0.5, like)
    BLOCKS[f"{name}_broadcast"] = Block(ANY, 0.3, broadcast)
    BLOCKS[f"{name}_constant"] = Block(ANY, 0.3, constant)


for name, operation in ARITHMETIC.items():
    arithmetic(name, operation)


@block(*ANY, weight=2)
def concatenate(draw: Draw, x: Tensor) -> Tensor | None:
    """Of tensors that differ in one axis at most."""
    axis = draw.integer(1, len(x.shape) - 1)
    others = [*x.shape[:axis], *x.shape[axis + 1 :]]

    def suits(t: Tensor) -> bool:
        return len(t.shape) == len(x.shape) and [*t.shape[:axis], *t.shape[axis + 1 :]] == others

    parts = [x] + [draw.partner(suits) for _ in range(draw.integer(1, 2))]
    if sum(map(size, parts)) > MAX_SIZE:
        return None
    return layers.Concatenate(axis)(parts)


@block(IMAGE, weight=2)
def inception(draw: Draw, x: Tensor) -> Tensor:
    branches = [
        layers.Conv2D(draw.integer(1, 5), 1, activation=draw.activation())(x),
        layers.Conv2D(draw.integer(1, 5), draw.pick([3, (1, 3), (5, 1)]), padding="same", activation="relu")(x),
        layers.MaxPooling2D(3, 1, padding="same")(x),
        layers.AveragePooling2D(2, 1, padding="same")(x),
    ]
    kept = [branch for branch in branches if draw.chance(0.7)]
    return layers.Concatenate()(kept) if len(kept) > 1 else branches[0]


@block(IMAGE, weight=2)
def squeeze_excite(draw: Draw, x: Tensor) -> Tensor:
    channels = x.shape[-1]
    gate = layers.GlobalAveragePooling2D(keepdims=draw.chance(0.5))(x)
    gate = layers.Dense(max(1, channels // 2), activation="relu")(gate)
    gate = layers.Dense(channels, activation=draw.pick(["sigmoid", "hard_sigmoid"]))(gate)
    return layers.Multiply()([x, layers.Reshape((1, 1, channels))(gate)])


@block(*ANY, weight=0.5)
def stack(draw: Draw, x: Tensor) -> Tensor | None:
    other = draw.partner(lambda t: t.shape == x.shape)
    if len(x.shape) == IMAGE or other is None or size(x) * 2 > MAX_SIZE:
        return None
    return ops.stack([x, other], draw.integer(1, len(x.shape)))


# Parts of tensors, and tensors in another order.


@block(*ANY)
def split(draw: Draw, x: Tensor) -> Sequence[Tensor] | None:
    axis = draw.integer(1, len(x.shape) - 1)
    side = x.shape[axis]
    if side < 2:
        return None
    whole = [n for n in (2, 3) if side % n == 0]
    if whole and draw.chance(0.6):
        return ops.split(x, draw.pick(whole), axis)
    return ops.split(x, [draw.integer(1, side - 1)], axis)


@block(SEQUENCE, IMAGE, weight=0.4)
def unstack(draw: Draw, x: Tensor) -> Sequence[Tensor] | None:
    axes = [axis for axis in range(1, len(x.shape)) if 2 <= x.shape[axis] <= 4]
    return ops.unstack(x, axis=draw.pick(axes)) if axes else None


@block(*ANY)
def strided_slice(draw: Draw, x: Tensor) -> Tensor:
    """Some elements of every axis, perhaps backwards; an axis may vanish."""
    index: list[Any] = [slice(None)]
    for side in x.shape[1:]:
        first, last = sorted(draw.integer(0, side) for _ in range(2))
        some = slice(first, max(last, first + 1) if first < side else None) if first < side else slice(None)
        every = slice(draw.integer(0, min(2, side - 1)), None, draw.integer(1, 3))
        index.append(draw.pick([slice(None), slice(None), some, every]))
    if len(x.shape) > VECTOR and draw.chance(0.2):
        axis = draw.integer(1, len(x.shape) - 1)
        index[axis] = draw.integer(0, x.shape[axis] - 1)
    return x[tuple(index)]


@block(*ANY, weight=0.5)
def cut(draw: Draw, x: Tensor) -> Tensor:
    """SLICE: begin and size."""
    begin = [0] + [draw.integer(0, side - 1) for side in x.shape[1:]]
    shape = [1] + [draw.integer(1, side - first) for side, first in zip(x.shape[1:], begin[1:], strict=True)]
    return ops.slice(x, begin, shape)


@block(SEQUENCE, IMAGE, weight=0.5)
def crop(draw: Draw, x: Tensor) -> Tensor | None:
    if min(sides(x)) < 5:
        return None
    edges = [(draw.integer(0, 2), draw.integer(0, 2)) for _ in sides(x)]
    return layers.Cropping1D(edges[0])(x) if len(x.shape) == SEQUENCE else layers.Cropping2D(tuple(edges))(x)


@block(SEQUENCE, IMAGE)
def pad(draw: Draw, x: Tensor) -> Tensor | None:
    """With zeros or another constant, in any axis."""
    if draw.chance(0.5):
        edges = [(draw.integer(0, 2), draw.integer(0, 2)) for _ in sides(x)]
        y = layers.ZeroPadding1D(edges[0])(x) if len(x.shape) == SEQUENCE else layers.ZeroPadding2D(tuple(edges))(x)
    else:
        edges = [(0, 0)] + [(draw.integer(0, 1), draw.integer(0, 2)) for _ in x.shape[1:]]
        y = ops.pad(x, edges, constant_values=0)
    return y if size(y) <= MAX_SIZE else None


@block(IMAGE)
def resize(draw: Draw, x: Tensor) -> Tensor | None:
    """To a multiple, or to any size, with each convention for what the centre of a pixel is."""
    height, width = sides(x)
    shape = draw.pick([(2 * height, 2 * width), (draw.integer(1, MAX_SIDE), draw.integer(1, MAX_SIDE))])
    if math.prod(shape) * x.shape[-1] > MAX_SIZE:
        return None
    centres = draw.pick([{"half_pixel_centers": True}, {"align_corners": True}, {}])
    to = draw.pick([tf.raw_ops.ResizeBilinear, tf.raw_ops.ResizeNearestNeighbor])
    return layers.Lambda(lambda x: to(images=x, size=shape, **centres))(x)


@block(SEQUENCE, IMAGE)
def permute(draw: Draw, x: Tensor) -> Tensor:
    return layers.Permute(tuple(int(axis) + 1 for axis in draw.rng.permutation(len(x.shape) - 1)))(x)


@block(IMAGE, weight=0.5)
def shuffle(draw: Draw, x: Tensor) -> Tensor | None:
    """ShuffleNet's order of channels: five dimensions on the way."""
    groups = [n for n in (2, 3, 4) if x.shape[-1] % n == 0]
    if not groups:
        return None
    count = draw.pick(groups)
    y = ops.reshape(x, (1, *sides(x), count, x.shape[-1] // count))
    return ops.reshape(ops.transpose(y, (0, 1, 2, 4, 3)), x.shape)


@block(*ANY)
def reshape(draw: Draw, x: Tensor) -> Tensor:
    """To any rank: axes are merged, and split where they can be."""
    rest, shape = size(x), []
    for _ in range(draw.integer(0, 2)):
        divisors = [n for n in range(1, MAX_SIDE + 1) if rest % n == 0]
        shape.append(draw.pick(divisors))
        rest //= shape[-1]
    return layers.Reshape((*shape, rest))(x)


@block(SEQUENCE, IMAGE)
def flatten(draw: Draw, x: Tensor) -> Tensor:
    return layers.Flatten()(x)


@block(VECTOR, SEQUENCE)
def expand(draw: Draw, x: Tensor) -> Tensor:
    return ops.expand_dims(x, draw.integer(1, len(x.shape)))


@block(SEQUENCE, IMAGE)
def squeeze(draw: Draw, x: Tensor) -> Tensor | None:
    axes = [axis for axis in range(1, len(x.shape)) if x.shape[axis] == 1]
    return ops.squeeze(x, draw.pick(axes)) if axes else None


def reduction(name: str, reduce: Callable) -> None:
    def make(draw: Draw, x: Tensor) -> Tensor | None:
        axes = [axis for axis in range(1, len(x.shape)) if draw.chance(0.5)]
        keep = draw.chance(0.5) or len(axes) == len(x.shape) - 1  # something of rank 2 stays
        return reduce(x, axes, keepdims=keep) if axes else None

    BLOCKS[name] = Block(ANY, 0.5, make)


reduction("mean", ops.mean)
reduction("sum", ops.sum)


# Whole models.


def _input(draw: Draw) -> Tensor:
    rank = draw.pick([IMAGE, IMAGE, IMAGE, IMAGE, SEQUENCE, SEQUENCE, VECTOR])
    if rank == VECTOR:
        shape: tuple[int, ...] = (draw.integer(1, 40),)
    else:
        shape = tuple(draw.integer(1 if draw.chance(0.1) else 4, MAX_SIDE) for _ in range(rank - 2))
        shape += (min(draw.pick([1, 2, 3, 4, 8]), draw.channels(*shape)),)
    return keras.Input(shape, batch_size=1)


def _step(draw: Draw) -> str:
    """Adds one block to the graph."""
    while True:
        x = draw.pick_tensor()
        fitting = [name for name, block in BLOCKS.items() if len(x.shape) in block.ranks]
        weights = np.array([BLOCKS[name].weight for name in fitting])
        name = str(draw.rng.choice(fitting, p=weights / weights.sum()))
        made = BLOCKS[name].make(draw, x)
        if made is not None:
            draw.add(made if isinstance(made, list | tuple) else [made], x)
            return name


def _head(draw: Draw, x: Tensor) -> Tensor:
    """A vector of some values: what becomes of loose ends."""
    if len(x.shape) == IMAGE and draw.chance(0.5):
        x = layers.GlobalAveragePooling2D()(x)
    elif len(x.shape) > VECTOR:
        x = layers.Flatten()(x)
    return layers.Dense(draw.pick([2, 5, 10]), activation=draw.pick([None, "softmax", "sigmoid", "relu"]))(x)


def build(draw: Draw) -> tuple[keras.Model, list[str]]:
    """A model with random weights, and the names of its blocks."""
    keras.utils.clear_session()
    inputs = [_input(draw) for _ in range(draw.pick([1, 1, 1, 1, 2, 2, 3]))]
    draw.add(inputs)
    names = [_step(draw) for _ in range(draw.integer(2, 9))]
    outputs = [y for y in draw.leaves if not any(y is x for x in inputs)]
    loose = [y for y in draw.leaves if any(y is x for x in inputs)] + outputs[:-3]
    outputs = outputs[-3:]
    if loose or draw.chance(0.5):
        heads = [_head(draw, x) for x in [*loose, outputs.pop()]]
        outputs.append(layers.Concatenate()(heads) if len(heads) > 1 else heads[0])
    inner = [x for x in draw.tensors if not any(x is y for y in [*inputs, *outputs])]
    if inner and draw.chance(0.15):
        outputs.insert(draw.integer(0, len(outputs)), draw.pick(inner))
    if inner and draw.chance(0.15):
        names.append("arg_max")
        x = draw.pick(inner)
        axis = draw.integer(1, len(x.shape) - 1)
        outputs.append(layers.Lambda(lambda x: tf.argmax(x, axis, output_type=tf.int32))(x))
    model = keras.Model(inputs, outputs)
    for variable in model.variables:
        variable.assign(_values(draw, variable))
    return model, names


def _values(draw: Draw, variable: keras.Variable) -> np.ndarray:
    """Numbers as training leaves them, by the variable's role; some channels are dead."""
    rng, shape, role = draw.rng, variable.shape, variable.name
    match role:
        case "bias" | "beta" | "moving_mean":
            return rng.normal(0, 0.4, shape)
        case "gamma" | "moving_variance":
            return rng.uniform(0.3, 2, shape)
        case "alpha":
            return rng.uniform(-0.2, 0.6, shape)
    fan_in = math.prod(shape[:2] if "depthwise" in role else shape[:-1])
    values = rng.normal(0, 1.3 / math.sqrt(fan_in), shape)
    if draw.chance(0.2):
        axis = draw.integer(len(shape) - 2, len(shape) - 1)
        live = rng.random(shape[axis]) < 0.7
        live[rng.integers(shape[axis])] = True
        values = np.moveaxis(np.moveaxis(values, axis, -1) * live, -1, axis)
    return values


def random_graph(seed: int) -> RandomGraph:
    """The model of a seed, int8 inside, with int8 or float32 edges."""
    rng = np.random.default_rng(seed)
    for _ in range(ATTEMPTS):
        draw = Draw(rng)
        model, blocks = build(draw)
        floats = draw.chance(0.4)
        calibration, readings = _rows(rng, model, CALIBRATION_ROWS), _rows(rng, model, TEST_ROWS)
        try:
            tflite = _quantise(model, calibration, floats)
        except (ConverterError, RuntimeError):  # it has bugs of its own: some chains of reshapes, for one
            continue
        if _is_sensible(tflite):
            inputs = [2 * x if floats else _int8_rows(draw, x.shape) for x in readings]
            return RandomGraph(seed, tflite, inputs, blocks)
    raise AssertionError(f"seed {seed}: none of {ATTEMPTS} models makes sense")


def _rows(rng: np.random.Generator, model: keras.Model, count: int) -> list[np.ndarray]:
    """Readings for every input."""
    middle, width = rng.normal(0, 0.5), rng.uniform(0.3, 2)
    return [rng.normal(middle, width, (count, *x.shape)).astype(np.float32) for x in model.inputs]


def _quantise(model: keras.Model, calibration: list[np.ndarray], floats: bool) -> bytes:
    signature = [tf.TensorSpec(x.shape, tf.float32) for x in model.inputs]
    # Without a signature the order of inputs and outputs is the model's.
    function = tf.function(lambda *x: model(x, training=False), autograph=False).get_concrete_function(*signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: map(list, zip(*calibration, strict=True))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    if not floats:
        converter.inference_input_type = converter.inference_output_type = tf.int8
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return converter.convert()


def _is_sensible(tflite: bytes) -> bool:
    """False where a layer gave nothing but zeros in calibration: its scale is 8e-9 then, and TFLM aborts on what
    follows. False where an input is an output, and where the converter left floats in the middle."""
    model = schema.Model.GetRootAs(tflite)
    graph = model.Subgraphs(0)
    inputs, outputs = {*graph.InputsAsNumpy()}, {*graph.OutputsAsNumpy()}
    edges = {schema.BuiltinOperator.QUANTIZE: inputs, schema.BuiltinOperator.DEQUANTIZE: outputs}
    for k in range(graph.OperatorsLength()):
        operator = graph.Operators(k)
        edge = edges.get(model.OperatorCodes(operator.OpcodeIndex()).BuiltinCode(), {})
        for index in (*operator.InputsAsNumpy(), *operator.OutputsAsNumpy()):
            tensor = graph.Tensors(index) if index >= 0 else None
            if tensor and tensor.Type() == schema.TensorType.FLOAT32 and index not in edge:
                return False
        made = map(graph.Tensors, operator.OutputsAsNumpy())
        if any(t.Type() == schema.TensorType.INT8 and t.Quantization().Scale(0) < 1e-6 for t in made):
            return False
    return not inputs & outputs


def _int8_rows(draw: Draw, shape: tuple[int, ...]) -> np.ndarray:
    """Over the whole range, close together, and at the ends."""
    whole = draw.rng.integers(-128, 128, shape)
    close = np.rint(draw.rng.normal(draw.integer(-100, 100), 20, shape))
    values = np.where(np.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1)) % 2, whole, close)
    values[-1] = draw.pick([-128, 0, 127])
    return np.clip(values, -128, 127).astype(np.int8)
