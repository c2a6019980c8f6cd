"""Every operator of the IR. Images are NHWC; pairs are (height, width); paddings are explicit.

The parameters are plain: which axes, what padding before and behind; nothing is left to conventions of a file format.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from types import EllipsisType
from typing import ClassVar

import numpy as np

from .graph import Node, Quantization, Tensor
from .trees import Tree

Pair = tuple[int, int]
# ((before, behind) in height, the same in width).
Padding = tuple[Pair, Pair]
NO_PADDING: Padding = ((0, 0), (0, 0))
# An index of a NumPy array.
Index = tuple[slice | int | EllipsisType | None, ...]


class Activation(str, Enum):
    """A clamp of an operator's real results."""

    NONE = "NONE"
    RELU = "RELU"
    RELU6 = "RELU6"
    RELU_N1_TO_1 = "RELU_N1_TO_1"


# Bases: what groups of operators have in common.


@dataclass(eq=False, kw_only=True)
class Unary(Node):
    """Of one tensor, which is the only one that it computes with."""

    source: Tensor
    output: Tensor


@dataclass(eq=False, kw_only=True)
class Elementwise(Unary):
    """A function of each element."""


@dataclass(eq=False, kw_only=True)
class Binary(Node):
    """Of each two elements of two tensors, which are broadcast as NumPy broadcasts."""

    OPERANDS = ("first", "second")
    first: Tensor
    second: Tensor
    output: Tensor


@dataclass(eq=False, kw_only=True)
class Clamped(Binary):
    activation: Activation = Activation.NONE


@dataclass(eq=False, kw_only=True)
class Weighted(Node):
    OPERANDS = ("source", "weights", "bias")
    CHANNEL_AXIS: ClassVar[int] = 0  # of the weights: that of the output's channels

    source: Tensor
    weights: Tensor
    bias: Tensor | None = None
    output: Tensor
    activation: Activation = Activation.NONE


@dataclass(eq=False, kw_only=True)
class Window(Node):
    """Output pixel o of an axis reads the input's from o * stride - padding on."""

    source: Tensor
    output: Tensor
    strides: Pair
    padding: Padding


@dataclass(eq=False, kw_only=True)
class Reduction(Unary):
    """Over `axes`, which count from 0."""

    axes: tuple[int, ...]
    keep_dims: bool = False


# Convolutions and products.


@dataclass(eq=False, kw_only=True)
class Conv2D(Weighted, Window):
    """weights: (channels, height, width, input channels of a group)."""

    dilations: Pair = (1, 1)


@dataclass(eq=False, kw_only=True)
class DepthwiseConv2D(Weighted, Window):
    """weights: (1, height, width, channels); each input channel makes as many neighbouring ones as the output has
    times its channels."""

    CHANNEL_AXIS = 3
    dilations: Pair = (1, 1)


@dataclass(eq=False, kw_only=True)
class TransposeConv2D(Weighted, Window):
    """Input pixel i of an axis adds to the outputs from i * stride - padding on. A negative padding behind adds pixels
    that get the bias only."""


@dataclass(eq=False, kw_only=True)
class Dense(Weighted):
    """weights: (units, depth). The source is rows of `depth` elements, whatever its shape."""


@dataclass(eq=False, kw_only=True)
class MatMul(Node):
    """The last two dimensions are matrices, those before are broadcast."""

    OPERANDS = ("first", "second")
    first: Tensor
    second: Tensor
    output: Tensor
    transpose_first: bool = False
    transpose_second: bool = False


# Pools and reductions.


@dataclass(eq=False, kw_only=True)
class Pool(Unary, Window):
    kernel: Pair
    activation: Activation = Activation.NONE


@dataclass(eq=False, kw_only=True)
class AveragePool2D(Pool):
    """Of those pixels of a window that lie in the image."""


@dataclass(eq=False, kw_only=True)
class MaxPool2D(Pool): ...


@dataclass(eq=False, kw_only=True)
class Mean(Reduction): ...


@dataclass(eq=False, kw_only=True)
class Sum(Reduction): ...


@dataclass(eq=False, kw_only=True)
class ReduceMax(Reduction): ...


@dataclass(eq=False, kw_only=True)
class ReduceMin(Reduction): ...


@dataclass(eq=False, kw_only=True)
class ReduceProd(Reduction): ...


@dataclass(eq=False, kw_only=True)
class ArgMax(Unary):
    axis: int


@dataclass(eq=False, kw_only=True)
class ArgMin(Unary):
    axis: int


@dataclass(eq=False, kw_only=True)
class CumSum(Unary):
    """Each element and those before it along the axis. exclusive: without itself; reverse: those behind it.
    is_real: sums of real values, as of floats; else TFLM's of int8, which begin at minus the zero point."""

    axis: int
    exclusive: bool = False
    reverse: bool = False
    is_real: bool = False


# Of two tensors.


class Add(Clamped): ...


class Sub(Clamped): ...


class Mul(Clamped): ...


class Div(Clamped): ...


class FloorDiv(Binary): ...


class Maximum(Binary): ...


class Minimum(Binary): ...


class FloorMod(Binary): ...


class Pow(Binary): ...


class SquaredDifference(Binary): ...


class PRelu(Binary):
    """second: the slope of what is negative in `first`; int8 also beside int16."""


@dataclass(eq=False, kw_only=True)
class Comparison(Binary):
    """bool, of real values."""


class Equal(Comparison): ...


class NotEqual(Comparison): ...


class Greater(Comparison): ...


class GreaterEqual(Comparison): ...


class Less(Comparison): ...


class LessEqual(Comparison): ...


class LogicalAnd(Binary): ...


class LogicalOr(Binary): ...


# Of several tensors.


@dataclass(eq=False, kw_only=True)
class Select(Node):
    """The elements of `first` where the condition, a bool, is true, and those of `second` elsewhere; all three are
    broadcast."""

    OPERANDS = ("condition", "first", "second")
    condition: Tensor
    first: Tensor
    second: Tensor
    output: Tensor


@dataclass(eq=False, kw_only=True)
class AddN(Node):
    """The sum of tensors of one shape. is_real: as that of CumSum."""

    OPERANDS = ("sources",)
    sources: list[Tensor]
    output: Tensor
    is_real: bool = False


# Functions of one element.


class Logistic(Elementwise): ...


class Tanh(Elementwise): ...


class HardSwish(Elementwise): ...


class Elu(Elementwise): ...


class Relu(Elementwise): ...


class Relu6(Elementwise): ...


class ReluN1To1(Elementwise): ...


@dataclass(eq=False, kw_only=True)
class LeakyRelu(Elementwise):
    alpha: float


@dataclass(eq=False, kw_only=True)
class Gelu(Elementwise):
    """is_approximate: with tanh in place of the error function."""

    is_approximate: bool = False


class Softplus(Elementwise): ...


class Selu(Elementwise): ...


class Mish(Elementwise): ...


class Erf(Elementwise): ...


class Sign(Elementwise): ...


class Abs(Elementwise): ...


class Rsqrt(Elementwise): ...


class Sqrt(Elementwise): ...


class Exp(Elementwise): ...


class Log(Elementwise): ...


class Sin(Elementwise): ...


class Cos(Elementwise): ...


class Neg(Elementwise): ...


class Square(Elementwise): ...


class Floor(Elementwise): ...


class Ceil(Elementwise): ...


class Round(Elementwise): ...


class Quantize(Elementwise):
    """Of real or of quantised values."""


class Dequantize(Elementwise): ...


class Cast(Elementwise): ...


class LogicalNot(Elementwise): ...


@dataclass(eq=False, kw_only=True)
class Table(Elementwise):
    """int8 (or bool) from int8: table[q + 128] of each stored value q."""

    table: np.ndarray


@dataclass(eq=False, kw_only=True)
class Composite(Elementwise):
    """A function that several operators compute of each element: `nodes`, in their order, of `argument`, which stands
    for the source; the last one's output is the result."""

    argument: Tensor
    nodes: list[Node]


# Over the last axis.


@dataclass(eq=False, kw_only=True)
class Softmax(Unary):
    beta: float = 1.0


@dataclass(eq=False, kw_only=True)
class LogSoftmax(Unary): ...


@dataclass(eq=False, kw_only=True)
class L2Normalize(Unary):
    activation: Activation = Activation.NONE


# Operators that move elements.


@dataclass(eq=False, kw_only=True)
class Reshape(Unary):
    """The elements in their order, in another shape."""


@dataclass(eq=False, kw_only=True)
class Copy(Unary): ...


@dataclass(eq=False, kw_only=True)
class Concatenate(Node):
    OPERANDS = ("sources",)
    sources: list[Tensor]
    output: Tensor
    axis: int
    activation: Activation = Activation.NONE


@dataclass(eq=False, kw_only=True)
class Stack(Node):
    OPERANDS = ("sources",)
    sources: list[Tensor]
    output: Tensor
    axis: int


@dataclass(eq=False, kw_only=True)
class Unstack(Node):
    RESULTS = ("parts",)
    source: Tensor
    parts: list[Tensor]
    axis: int


@dataclass(eq=False, kw_only=True)
class Split(Node):
    """Parts along one axis; their shapes tell where they begin."""

    RESULTS = ("parts",)
    source: Tensor
    parts: list[Tensor]
    axis: int


@dataclass(eq=False, kw_only=True)
class Slice(Unary):
    index: Index


@dataclass(eq=False, kw_only=True)
class Transpose(Unary):
    axes: tuple[int, ...]


@dataclass(eq=False, kw_only=True)
class Gather(Node):
    """The source's elements along `axis` that `indexes` name. The first `batch_dims` dimensions of the two are the
    same ones: each index of them has indexes of its own."""

    OPERANDS = ("source", "indexes")
    source: Tensor
    indexes: Tensor
    output: Tensor
    axis: int
    batch_dims: int = 0


@dataclass(eq=False, kw_only=True)
class Broadcast(Unary):
    """The source, repeated to the output's shape."""


@dataclass(eq=False, kw_only=True)
class Tile(Unary):
    """The whole source again and again; the output's shape tells how often."""


@dataclass(eq=False, kw_only=True)
class Range(Node):
    OPERANDS = ("start", "limit", "step")
    start: Tensor
    limit: Tensor
    step: Tensor
    output: Tensor


@dataclass(eq=False, kw_only=True)
class Pad(Unary):
    """value: as the output stores it; None is the real 0."""

    paddings: tuple[Pair, ...]
    value: float | None = None


@dataclass(eq=False, kw_only=True)
class MirrorPad(Unary):
    """Pads with the elements before and behind each edge in reverse, the edge's own not repeated if `reflect`."""

    paddings: tuple[Pair, ...]
    reflect: bool = True


@dataclass(eq=False, kw_only=True)
class Reverse(Unary):
    """Along `axes`, which count from 0."""

    axes: tuple[int, ...]


@dataclass(eq=False, kw_only=True)
class DepthToSpace(Unary):
    """The channels of a pixel become the channels of block x block pixels, row by row."""

    block: int


@dataclass(eq=False, kw_only=True)
class SpaceToDepth(Unary):
    """The channels of block x block pixels, row by row, become those of one."""

    block: int


@dataclass(eq=False, kw_only=True)
class SpaceToBatch(Unary):
    block: tuple[int, ...]
    paddings: tuple[Pair, ...]


@dataclass(eq=False, kw_only=True)
class BatchToSpace(Unary):
    block: tuple[int, ...]
    crops: tuple[Pair, ...]


@dataclass(eq=False, kw_only=True)
class Resize(Unary):
    align_corners: bool = False
    half_pixel_centers: bool = False


class ResizeNearest(Resize): ...


class ResizeBilinear(Resize): ...


# Models of float32 readings that are not quantised: their sums are float64.


@dataclass(eq=False, kw_only=True)
class TreeSums(Unary):
    """What the leaves of trees add up to, tree by tree, in float64; in float32 where `single` says so. bias: (outputs,)
    float64, where the sums begin. Of what Codes gives, thresholds are codes and the leaves' values whole numbers."""

    trees: list[Tree]
    bias: np.ndarray
    single: bool = False


@dataclass(eq=False, kw_only=True)
class Codes(Unary):
    """int16 codes of float32 values: x * 2^exponent, rounded up, less the zero, limited to -32767 .. 32767; -32768 for
    NaN. exponents, zeros: (values,) int64."""

    exponents: np.ndarray
    zeros: np.ndarray


@dataclass(eq=False, kw_only=True)
class Affine(Unary):
    """bias + weights @ values, in float64, then a function: identity, relu, tanh or logistic. weights: (outputs,
    inputs) float32. bias: (outputs,) float64. The result is float64 or float32."""

    weights: np.ndarray
    bias: np.ndarray
    activation: str = "identity"


@dataclass(eq=False, kw_only=True)
class Distances(Unary):
    """bias - sum of weights * (values - centres)^2 over the values. centres, weights: (outputs, inputs) float32. bias:
    (outputs,) float64."""

    centres: np.ndarray
    weights: np.ndarray
    bias: np.ndarray


@dataclass(eq=False, kw_only=True)
class Scale(Unary):
    """float32 values: (x - first) / second, or x * first + second, rounded to float32 after each operation, then
    limited. first, second: (values,) float64."""

    first: np.ndarray
    second: np.ndarray
    multiplies: bool = False
    limits: tuple[float, float] | None = None


@dataclass(eq=False, kw_only=True)
class Nearest(Unary):
    """The rows of a table nearest to a reading, by their squared distance: the distance and the row's target for each,
    (neighbors, 2) float64. table: (rows, inputs) float64. targets: (rows,), float64, or uint64 whose bits are kept."""

    table: np.ndarray
    targets: np.ndarray
    neighbors: int


@dataclass(eq=False, kw_only=True)
class Votes(Unary):
    """Of what Nearest gives: how many rows there are of each class, or the sum of the rows' values. weighted: shares of
    each class, or the mean of the values, a row having the weight 1 / distance; where one has none, only such count."""

    values: bool = False
    weighted: bool = False


class Decision(str, Enum):
    """Which of a classifier's classes has the largest score."""

    NONE = "NONE"  # no classifier: the sums themselves are wanted
    LARGEST = "LARGEST"  # of the sums, the first of several
    THRESHOLD = "THRESHOLD"  # of two: the second one where the only sum is not below a threshold


@dataclass(eq=False, kw_only=True)
class Scores(Unary):
    """float32 results of float64 sums: each sum / divisor. Those of a classifier such that the class it decides for has
    the largest score: none is equal that stands before it, none is larger.

    With THRESHOLD the scores are -sum / divisor and sum / divisor. probabilities: the softmax of the scores; with
    THRESHOLD that of 0 and sum / divisor.
    """

    decision: Decision
    divisor: float = 1.0
    threshold: float = 0.0
    probabilities: bool = False


# Operators with a state.


@dataclass(eq=False, kw_only=True)
class ReadVariable(Node):
    OPERANDS = ()
    variable: str
    output: Tensor


@dataclass(eq=False, kw_only=True)
class WriteVariable(Node):
    RESULTS = ()
    variable: str
    source: Tensor


@dataclass(eq=False, kw_only=True)
class Lstm(Node):
    """kernels, recurrent, biases: of the forget, input, cell and output gate. The states are read and written.
    stateful: they are kept from one prediction to the next; else each begins with zeros."""

    OPERANDS = ("source", "kernels", "recurrent", "biases", "hidden", "cell")
    UPDATES = ("hidden", "cell")
    source: Tensor
    kernels: list[Tensor]
    recurrent: list[Tensor]
    biases: list[Tensor]
    hidden: Tensor
    cell: Tensor
    output: Tensor
    time_major: bool = False
    cell_clip: float = 0.0
    stateful: bool = True


@dataclass(eq=False, kw_only=True)
class Svdf(Node):
    """Filters over each input, whose latest results the state keeps; `rank` filters make one unit."""

    OPERANDS = ("source", "feature_weights", "time_weights", "bias", "state")
    UPDATES = ("state",)
    source: Tensor
    feature_weights: Tensor
    time_weights: Tensor
    bias: Tensor | None = None
    state: Tensor
    output: Tensor
    rank: int
    activation: Activation = Activation.NONE


@dataclass(eq=False, kw_only=True)
class Spectrum(Unary):
    """The energies of `fft_length` / 2 + 1 bins of int16 samples times `window` / 2^window_shift, scaled up until the
    FFT's 16 bits are used; the last value says by how many bits.

    peak_wraps: -32768 ends the search for the largest sample, as it does in TensorFlow Lite Micro.
    """

    window: np.ndarray
    window_shift: int = 12
    fft_length: int
    peak_wraps: bool = False


@dataclass(eq=False, kw_only=True)
class FilterBank(Node):
    """Features of a spectrum: sums of bins, their roots less noise, whose estimates the state keeps, and logarithms.

    A row of bins for each channel and one before: weights of the row count for the row's channel, unweights for the
    next one. smoothing, one_minus: of channels of even and odd number. gains: a table of the automatic gain; None for
    none. to_int8: (multiplier, addend, divisor, offset) that make int8 of a logarithm v: (v * multiplier + addend) /
    divisor + offset; None leaves int16.
    """

    OPERANDS = ("source", "state")
    UPDATES = ("state",)
    source: Tensor
    state: Tensor
    output: Tensor
    starts: np.ndarray
    weights: list[np.ndarray]
    unweights: list[np.ndarray]
    smoothing: Pair
    one_minus: Pair
    remaining: int
    estimate_bits: int = 14
    smoothing_bits: int = 10
    clamps: bool = False
    gains: np.ndarray | None = None
    snr_shift: int = 0
    correction_bits: int
    log_scale: int
    to_int8: tuple[int, int, int, int] | None = None


@dataclass(eq=False, kw_only=True)
class Magnitudes(Unary):
    """The magnitudes of the first `bins` bins of the FFT of int16 samples times `window`, real numbers of at most 1, in
    fixed point that keeps what float32 would; behind them what scales them, and zeros: `fft_length` uint32 in all.
    Powers are of 64 bits, and keep more: two uint32 each, and a half more in all."""

    window: np.ndarray
    fft_length: int
    bins: int
    is_power: bool = False


@dataclass(eq=False, kw_only=True)
class MelBands(Unary):
    """What is made of bands of magnitudes or of powers.

    A band's bins rise from the centre of the one before to its own, and fall to that of the next: widths (bands + 1,)
    says how many lie below each centre, from `first` on, and weights, of all of them, how much of it a bin gives to the
    band whose centre comes; the rest goes to the one before.
    """

    bins: int
    fft_length: int
    first: int
    widths: np.ndarray
    weights: np.ndarray
    zero_point: int = 0


@dataclass(eq=False, kw_only=True)
class Cepstrum(MelBands):
    """matrix (values, bands) times the natural logarithms of bands of magnitudes, plus the zero point. epsilon is added
    to a band of samples from -1 to 1."""

    matrix: np.ndarray
    epsilon: float


@dataclass(eq=False, kw_only=True)
class LogMel(MelBands):
    """10 log10 of bands of powers, of samples from -1 to 1, times gains (bands,): at least `least`, in steps of `scale`
    and with the zero point."""

    gains: np.ndarray
    least: float
    scale: float


@dataclass(eq=False, kw_only=True)
class SeriesFilter(Unary):
    """Windows [1, samples, channels] of int16 through filters. sections: (n, 6) int32, as `series.filtered` takes
    them."""

    sections: np.ndarray


@dataclass(eq=False, kw_only=True)
class SeriesFeatures(Unary):
    """Features of windows [1, samples, channels] of int16: float32, or int8 or int16 by `reading`, a scale for all or
    one for each index of the output's last axis. kinds: those of each channel, as `series.features` takes them."""

    kinds: bytes
    reading: Quantization | None = None


@dataclass(eq=False, kw_only=True)
class Unknown(Node):
    """An operator that the IR has no class for; its name is in `kind`."""

    OPERANDS = ("sources",)
    RESULTS = ("results",)
    sources: list[Tensor] = field(default_factory=list)
    results: list[Tensor] = field(default_factory=list)
