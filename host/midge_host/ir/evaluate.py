"""Runs a graph with NumPy.

Operators of floats are computed in float32. Quantised ones are computed in float32 too, between their dequantised
operands and their quantised results: within a step of a device. What a device gives exactly, the reference of its
records tells (device/reference.py). What only moves elements, and integers without a scale, are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import operators as ir
from . import series
from .graph import Graph, Node, Tensor
from .trees import CODE_LIMIT, MISSING
from .verify import verify_operator

MAX_ELEMENTS = 1 << 24  # of a folded result: a shape may ask for any number

Array = np.ndarray
# Of an operator and its operands, by OPERANDS: an array, a list of them, or None. Gives what RESULTS and then UPDATES
# name: an array, or a list.
Function = Callable[..., Array | list[Array]]


class Evaluator:
    """A graph with its state: what it remembers from one call of `predict` to the next."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.reset()

    def reset(self) -> None:
        self._state = {id(s.tensor): _stored(s.tensor, s.initial) for s in self.graph.state}
        self._variables = dict(self.graph.variables)

    def predict(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs as their tensors store them, for inputs that are stored likewise."""
        values = self.run(inputs)
        return [values[id(edge.tensor)] for edge in self.graph.outputs]

    def run(self, inputs: Sequence[Array]) -> dict[int, Array]:
        """The values of all tensors by their id, as they are stored."""
        values = dict(self._state)
        for edge, value in zip(self.graph.inputs, inputs, strict=True):
            values[id(edge.tensor)] = _stored(edge.tensor, value)
        for node in self.graph.nodes:
            if isinstance(node, ir.ReadVariable):
                values[id(node.output)] = _stored(node.output, self._variables[node.variable])
            elif isinstance(node, ir.WriteVariable):
                self._variables[node.variable] = self._value(node.source, values)
            else:
                self._run(node, values)
        self._state = {key: values[key] for key in self._state}
        return values

    def _value(self, tensor: Tensor, values: dict[int, Array]) -> Array:
        if tensor.data is not None:
            return tensor.data
        if id(tensor) not in values:  # the state of a layer, before the first prediction
            zero = int(tensor.zero_point[0]) if tensor.zero_point.size else 0
            values[id(tensor)] = self._state[id(tensor)] = np.full(tensor.shape, zero, tensor.dtype)
        return values[id(tensor)]

    def _run(self, node: Node, values: dict[int, Array]) -> None:
        exact = is_exact(node)

        def operand(name: str) -> Array | list[Array] | None:
            arrays = []
            for tensor in node.tensors(name):
                value = self._value(tensor, values)
                arrays.append(value if exact else real_operand(node, name, tensor, value))
            whole = getattr(node, name)
            return arrays if isinstance(whole, list) else arrays[0] if arrays else None

        with np.errstate(all="ignore"):  # infinities saturate
            made = compute(node, [operand(name) for name in node.OPERANDS])
        targets = [*node.outputs, *(t for name in node.UPDATES for t in node.tensors(name))]
        for tensor, value in zip(targets, made, strict=True):
            if exact or tensor.quantization is None:
                values[id(tensor)] = _stored(tensor, value)
            else:
                values[id(tensor)] = quantise(tensor, value).reshape(tensor.shape)


def results_of_zeros(node: Node) -> list[Array]:
    """What an operator gives when all that it reads, but constants, is zero: shapes and types. UnsupportedError where
    its operands do not fit together."""
    operands = []
    for name in node.OPERANDS:
        arrays = [t.data if t.data is not None else np.zeros(t.shape, t.dtype) for t in node.tensors(name)]
        operands.append(arrays if isinstance(getattr(node, name), list) else arrays[0] if arrays else None)
    try:
        with np.errstate(all="ignore"):
            return [np.asarray(made) for made in compute(node, operands)][: len(node.outputs)]
    except (ValueError, IndexError, TypeError, ZeroDivisionError) as error:
        shapes = ", ".join(str(t.shape) for t in node.inputs)
        raise node.refuse(f"its inputs {shapes} do not fit together ({error})", "export the model again") from None


def fold(node: Node) -> bool:
    """Gives the results of an operator that reads constants only their values; whether it did. Scales are not
    computed with: quantised constants are moved only."""
    foldable = isinstance(node, _FOLDED) and sum(t.size for t in node.outputs) <= MAX_ELEMENTS
    if not foldable or not node.inputs or any(t.data is None for t in node.inputs):
        return False
    if not is_exact(node):
        return False
    verify_operator(node)
    operands = []
    for name in node.OPERANDS:
        arrays = [t.data for t in node.tensors(name)]
        operands.append(arrays if isinstance(getattr(node, name), list) else arrays[0] if arrays else None)
    with np.errstate(all="ignore"):
        for tensor, value in zip(node.outputs, compute(node, operands), strict=True):
            tensor.data = np.ascontiguousarray(_stored(tensor, value)).reshape(tensor.shape)
    return True


def is_exact(node: Node) -> bool:
    """Whether stored values are computed with as they are."""
    if isinstance(node, ir.Concatenate) and node.activation is not ir.Activation.NONE:
        return node.output.quantization is None
    by_value = (*_MOVES, ir.Table, ir.SeriesFilter, ir.SeriesFeatures)
    return isinstance(node, by_value) or all(t.quantization is None for t in [*node.inputs, *node.outputs])


def dequantise(tensor: Tensor, value: Array) -> Array:
    """float32."""
    if tensor.quantization is None:
        return value.astype(np.float32)
    scale, zero_point, axis = tensor.scale, tensor.zero_point, tensor.quantization.axis
    if scale.size > 1:
        along = [1] * value.ndim
        along[axis] = scale.size
        scale, zero_point = scale.reshape(along), zero_point.reshape(along)
    if value.dtype.itemsize > 2:  # floats do not hold them all
        return scale * (value.astype(np.int64) - zero_point).astype(np.float32)
    real = value.astype(np.float32) - zero_point.astype(np.float32)
    real *= scale
    return real


def quantise(tensor: Tensor, real: Array) -> Array:
    """Real values as a tensor of one scale stores them, in their own shape; beyond its type's limits the nearest."""
    limits = np.iinfo(tensor.dtype)
    stored = np.asarray(real / np.float64(tensor.scale[0]))
    np.rint(stored, out=stored)
    undefined = np.isnan(stored)
    if undefined.any():
        stored[undefined] = 0
    stored += int(tensor.zero_point[0])
    return np.clip(stored, limits.min, limits.max, out=stored).astype(tensor.dtype)


def _stored(tensor: Tensor, value: Array) -> Array:
    return np.asarray(value).astype(tensor.dtype).reshape(tensor.shape)


def real_operand(node: Node, name: str, tensor: Tensor, value: Array) -> Array:
    """An operand as float32. Sums of products need no scale of their own: a bias has that of the products."""
    if value.dtype.kind == "i":
        if name == "bias" and isinstance(node, ir.Weighted):
            scale = (node.source.scale * np.resize(node.weights.scale, value.shape)).astype(np.float32)
            return value.astype(np.float32) * scale
        if name == "bias" and isinstance(node, ir.Svdf):
            return value.astype(np.float32) * (node.state.scale * node.time_weights.scale)
        if name == "biases" and isinstance(node, ir.Lstm):
            kernel = next(k for k, b in zip(node.kernels, node.biases, strict=True) if b is tensor)
            return value.astype(np.float32) * (node.source.scale * kernel.scale)
    return dequantise(tensor, value)


def compute(node: Node, operands: list[Any]) -> list[Array]:
    """What an operator makes of real operands (or of stored ones, if it is exact), by OPERANDS."""
    for kind in type(node).__mro__:
        if kind in FUNCTIONS:
            made = FUNCTIONS[kind](node, *operands)
            return made if isinstance(made, list) else [made]
    raise node.refuse("the evaluator has no such operator", "docs/operators.md lists what midge has")


# Windows.


def padded(x: Array, padding: ir.Padding, value: float) -> Array:
    """An image with a frame of `value`, or without one where the padding is negative."""
    pads = [(max(0, before), max(0, behind)) for before, behind in padding]
    x = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=value)
    cuts = [
        slice(max(0, -before), n - max(0, -behind)) for (before, behind), n in zip(padding, x.shape[1:3], strict=True)
    ]
    return x[:, cuts[0], cuts[1]]


def windows(x: Array, kernel: ir.Pair, strides: ir.Pair, dilations: ir.Pair) -> Array:
    """(batch, rows, columns, channels, kernel height, kernel width) of a padded image."""
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    views = np.lib.stride_tricks.sliding_window_view(x, tuple(spans), axis=(1, 2))
    return views[:, :: strides[0], :: strides[1], :, :: dilations[0], :: dilations[1]]


def clamp(activation: ir.Activation, x: Array) -> Array:
    """An activation of real values."""
    low, high = {
        ir.Activation.NONE: (None, None),
        ir.Activation.RELU: (0, None),
        ir.Activation.RELU6: (0, 6),
        ir.Activation.RELU_N1_TO_1: (-1, 1),
    }[activation]
    return x if low is None else np.clip(x, low, high)


def _with_bias(node: ir.Weighted, sums: Array, bias: Array | None) -> Array:
    return clamp(node.activation, sums if bias is None else sums + bias.reshape(-1))


def _convolved(x: Array, weights: Array, strides: ir.Pair, dilations: ir.Pair) -> Array:
    """Each group's windows as rows of a matrix: then it is a product of matrices, one for each image, since those of
    many are so large that BLAS shares them between threads, which costs more than it saves."""
    out, height, width, depth = weights.shape
    if (height, width) == (1, 1) and depth == x.shape[3]:
        pixels = x[:, :: strides[0], :: strides[1]]
        return (pixels.reshape(len(x), -1, depth) @ weights.reshape(out, depth).T).reshape(*pixels.shape[:3], out)
    groups = x.shape[3] // depth
    views = windows(x, (height, width), strides, dilations)
    shape = views.shape[:3]
    views = views.reshape(*shape, groups, depth, height, width).transpose(3, 0, 1, 2, 5, 6, 4)
    columns = np.ascontiguousarray(views).reshape(groups, shape[0], -1, height * width * depth)
    rows = weights.reshape(groups, 1, out // groups, -1)
    return np.moveaxis(columns @ rows.swapaxes(2, 3), 0, 2).reshape(*shape, out)


def _conv(node: ir.Conv2D, x: Array, weights: Array, bias: Array | None) -> Array:
    return _with_bias(node, _convolved(padded(x, node.padding, 0), weights, node.strides, node.dilations), bias)


def _depthwise(node: ir.DepthwiseConv2D, x: Array, weights: Array, bias: Array | None) -> Array:
    """Whole rows of pixels at a time. Of those that a stride leaves out the others are made neighbours before."""
    _, height, width, channels = weights.shape
    (down, right), (below, beside) = node.strides, node.dilations
    x = padded(x, node.padding, 0)
    if channels != x.shape[3]:
        x = x.repeat(channels // x.shape[3], axis=3)
    rows = (x.shape[1] - (height - 1) * below - 1) // down + 1
    columns = (x.shape[2] - (width - 1) * beside - 1) // right + 1
    phases = [np.ascontiguousarray(x[:, :, i::right]).reshape(*x.shape[:2], -1) for i in range(min(right, x.shape[2]))]
    factors = np.tile(weights[0], (1, 1, columns))
    sums = np.zeros((len(x), rows, columns * channels), np.result_type(x, weights))
    product = np.empty_like(sums)
    for i, j in np.ndindex(height, width):
        first, phase = divmod(j * beside, right)
        part = phases[phase][:, i * below :: down, first * channels :]
        np.multiply(part[:, :rows, : columns * channels], factors[i, j], out=product)
        sums += product
    return _with_bias(node, sums.reshape(len(x), rows, columns, channels), bias)


def _transpose_conv(node: ir.TransposeConv2D, x: Array, weights: Array, bias: Array | None) -> Array:
    """A convolution of the image with strides - 1 zeros between its pixels, with the weights turned around."""
    (n, height, width, c), (rows, columns) = x.shape, node.strides
    spread = np.zeros((n, (height - 1) * rows + 1, (width - 1) * columns + 1, c), x.dtype)
    spread[:, ::rows, ::columns] = x
    high, wide = (
        (k - 1 - before, k - 1 - behind) for k, (before, behind) in zip(weights.shape[1:3], node.padding, strict=True)
    )
    return _with_bias(node, _convolved(padded(spread, (high, wide), 0), weights[:, ::-1, ::-1], (1, 1), (1, 1)), bias)


def _dense(node: ir.Dense, x: Array, weights: Array, bias: Array | None) -> Array:
    return _with_bias(node, x.reshape(-1, weights.shape[1]) @ weights.T, bias)


def _mat_mul(node: ir.MatMul, first: Array, second: Array) -> Array:
    a = first.swapaxes(-1, -2) if node.transpose_first else first
    b = second.swapaxes(-1, -2) if node.transpose_second else second
    return a @ b


def _average_pool(node: ir.AveragePool2D, x: Array) -> Array:
    sums, counts = (
        windows(padded(values, node.padding, 0), node.kernel, node.strides, (1, 1)).sum((-1, -2))
        for values in (x, np.ones_like(x))
    )
    return clamp(node.activation, sums / np.maximum(counts, 1))


def _max_pool(node: ir.MaxPool2D, x: Array) -> Array:
    least = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    views = windows(padded(x, node.padding, least), node.kernel, node.strides, (1, 1))
    return clamp(node.activation, views.max((-1, -2)))


# Reductions and rows.


def _reduced(function: Callable[..., Array]) -> Function:
    return lambda node, x: function(x, axis=node.axes, keepdims=node.keep_dims)


def _softmax(node: ir.Softmax, x: Array) -> Array:
    exp = np.exp(np.float32(node.beta) * (x - x.max(-1, keepdims=True)))
    return exp / exp.sum(-1, keepdims=True)


def _log_softmax(node: ir.LogSoftmax, x: Array) -> Array:
    diff = x - x.max(-1, keepdims=True)
    return diff - np.log(np.exp(diff).sum(-1, keepdims=True))


def _l2_normalize(node: ir.L2Normalize, x: Array) -> Array:
    length = np.sqrt(np.maximum((x * x).sum(-1, keepdims=True), np.float32(1e-12)))
    return clamp(node.activation, x / length)


# Functions of one element.


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _gelu(node: ir.Gelu, x: Array) -> Array:
    if node.is_approximate:
        return x / 2 * (1 + np.tanh(np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x**3)))
    return x / 2 * (1 + _erf(x / np.float32(math.sqrt(2))))


def _erf(x: Array) -> Array:
    return np.vectorize(math.erf, otypes=[np.float32])(x)


def _selu(node: ir.Selu, x: Array) -> Array:
    return np.float32(1.0507009873554805) * np.where(
        x > 0, x, np.float32(1.6732632423543772) * np.expm1(np.minimum(x, 0))
    )


def _cum_sum(node: ir.CumSum, x: Array) -> Array:
    if node.reverse:
        x = np.flip(x, node.axis)
    sums = np.cumsum(x, node.axis, dtype=x.dtype)
    if node.exclusive:
        sums = sums - x
    return np.flip(sums, node.axis) if node.reverse else sums


def _composite(node: ir.Composite, x: Array) -> Array:
    values = {id(node.argument): x}
    for inner in node.nodes:
        operands = []
        for name in inner.OPERANDS:
            arrays = [values[id(t)] if t.data is None else t.data for t in inner.tensors(name)]
            operands.append(arrays if isinstance(getattr(inner, name), list) else arrays[0] if arrays else None)
        values[id(inner.outputs[0])] = np.asarray(compute(inner, operands)[0])
    return values[id(node.nodes[-1].outputs[0])]


# Operators that move elements.


def _concatenate(node: ir.Concatenate, xs: list[Array]) -> Array:
    return clamp(node.activation, np.concatenate(xs, node.axis))


def _split(node: ir.Split, x: Array) -> list[Array]:
    ends = np.cumsum([part.shape[node.axis] for part in node.parts])
    return np.split(x, ends[:-1], node.axis)


def _pad(node: ir.Pad, x: Array) -> Array:
    value = node.value
    if value is None:
        value = int(node.output.zero_point[0]) if node.output.zero_point.size else 0
    return np.pad(x, node.paddings, constant_values=value)


def _mirror_pad(node: ir.MirrorPad, x: Array) -> Array:
    return np.pad(x, node.paddings, mode="reflect" if node.reflect else "symmetric")


def _gather(node: ir.Gather, x: Array, indexes: Array) -> Array:
    batch, count = x.shape[: node.batch_dims], math.prod(x.shape[: node.batch_dims])
    pairs = zip(
        x.reshape(count, *x.shape[len(batch) :]), indexes.reshape(count, *indexes.shape[len(batch) :]), strict=True
    )
    made = np.stack([part.take(own, node.axis - len(batch)) for part, own in pairs])
    return made.reshape(*batch, *made.shape[1:])


def _depth_to_space(node: ir.DepthToSpace, x: Array) -> Array:
    (n, h, w, c), block = x.shape, node.block
    split = x.reshape(n, h, w, block, block, c // block**2)
    return split.transpose(0, 1, 3, 2, 4, 5).reshape(n, h * block, w * block, c // block**2)


def _space_to_depth(node: ir.SpaceToDepth, x: Array) -> Array:
    (n, h, w, c), block = x.shape, node.block
    split = x.reshape(n, h // block, block, w // block, block, c)
    return split.transpose(0, 1, 3, 2, 4, 5).reshape(n, h // block, w // block, c * block**2)


def _tile(node: ir.Tile, x: Array) -> Array:
    return np.tile(x, [m // n for n, m in zip(x.shape, node.output.shape, strict=True)])


def _space_to_batch(node: ir.SpaceToBatch, x: Array) -> Array:
    count = len(node.block)
    x = np.pad(x, [(0, 0), *node.paddings, *[(0, 0)] * (x.ndim - count - 1)])
    split = [part for n, b in zip(x.shape[1:], node.block, strict=False) for part in (n // b, b)]
    x = x.reshape(x.shape[0], *split, *x.shape[count + 1 :])
    blocks, sizes = [2 * i + 2 for i in range(count)], [2 * i + 1 for i in range(count)]
    x = x.transpose(*blocks, 0, *sizes, *range(2 * count + 1, x.ndim))
    return x.reshape(-1, *x.shape[count + 1 :])


def _batch_to_space(node: ir.BatchToSpace, x: Array) -> Array:
    count = len(node.block)
    batch, rest = x.shape[0] // math.prod(node.block), x.shape[1 + count :]
    sizes = x.shape[1 : 1 + count]
    x = x.reshape(*node.block, batch, *sizes, *rest)
    order = [axis for i in range(count) for axis in (count + 1 + i, i)]
    x = x.transpose(count, *order, *range(2 * count + 1, x.ndim))
    x = x.reshape(batch, *(n * b for n, b in zip(sizes, node.block, strict=True)), *rest)
    cuts = [slice(before, n - behind) for n, (before, behind) in zip(x.shape[1:], node.crops, strict=False)]
    return x[tuple([slice(None), *cuts])]


def _resize_nearest(node: ir.ResizeNearest, x: Array) -> Array:
    rows, columns = (np.floor(p + 0.5) if node.align_corners else np.floor(p) for p in _positions(node))
    indexes = [np.clip(p, 0, n - 1).astype(int) for p, n in zip((rows, columns), x.shape[1:3], strict=True)]
    return x[:, indexes[0][:, None], indexes[1]]


def _resize_bilinear(node: ir.ResizeBilinear, x: Array) -> Array:
    for axis, position in enumerate(_positions(node), 1):
        size = x.shape[axis]
        position = np.clip(position - (0.5 if node.half_pixel_centers else 0), 0, size - 1).astype(np.float32)
        first = np.floor(position).astype(int)
        shape = [1] * x.ndim
        shape[axis] = -1
        share = (position - first).astype(np.float32).reshape(shape)
        x = x.take(first, axis) * (1 - share) + x.take(np.minimum(first + 1, size - 1), axis) * share
    return x


def _positions(node: ir.Resize) -> list[Array]:
    """Where in the source each row and column of the output lies; a pixel's centre lies at 0.5 if they count."""
    positions = []
    for size, out in zip(node.source.shape[1:3], node.output.shape[1:3], strict=True):
        scale = (size - 1) / (out - 1) if node.align_corners and out > 1 else size / out
        positions.append((np.arange(out) + (0.5 if node.half_pixel_centers else 0)) * scale)
    return positions


def _divided(node: ir.Div, a: Array, b: Array) -> Array:
    # Integers are divided towards zero.
    return clamp(node.activation, a / b if a.dtype.kind == "f" else np.trunc(a / b))


# Operators with a state.


def _held(state: Tensor, real: Array) -> Array:
    """What a state keeps of its new values: of what is quantised, the nearest that its type holds."""
    if state.quantization is None:
        return real
    return dequantise(state, quantise(state, real))


def lstm_states(
    node: ir.Lstm,
    x: Array,
    kernels: list[Array],
    recurrent: list[Array],
    biases: list[Array],
    hidden: Array,
    cell: Array,
) -> tuple[Array, Array]:
    """The hidden and the cell state after each step: (steps, batch, cells) both."""
    steps = x if node.time_major else x.swapaxes(0, 1)
    shape = (steps.shape[1], kernels[0].shape[0])
    hidden, cell = (s.reshape(shape) if node.stateful else np.zeros(shape, np.float32) for s in (hidden, cell))
    outputs, cells = [], []
    for step in steps:
        sums = [step @ k.T + hidden @ r.T + b.reshape(-1) for k, r, b in zip(kernels, recurrent, biases, strict=True)]
        forget, enter, leave = (_sigmoid(sums[i]) for i in (0, 1, 3))
        cell = forget * cell + enter * np.tanh(sums[2])
        if node.cell_clip > 0:
            cell = np.clip(cell, -node.cell_clip, node.cell_clip)
        cell = _held(node.cell, cell)
        hidden = _held(node.hidden, leave * np.tanh(cell))
        outputs.append(hidden)
        cells.append(cell)
    return np.stack(outputs), np.stack(cells)


def _lstm(node: ir.Lstm, *operands: Any) -> list[Array]:
    made, cells = lstm_states(node, *operands)
    return [made if node.time_major else made.swapaxes(0, 1), made[-1], cells[-1]]


def _svdf(node: ir.Svdf, x: Array, feature: Array, time: Array, bias: Array | None, state: Array) -> list[Array]:
    filters, memory = time.shape
    held = state.reshape(-1, filters, memory)
    held = _held(node.state, np.concatenate([held[:, :, 1:], (x @ feature.T)[:, :, None]], 2))
    sums = (held * time).sum(2).reshape(len(x), -1, node.rank).sum(2)
    return [clamp(node.activation, sums if bias is None else sums + bias), held]


def _tree_sums(node: ir.TreeSums, x: Array) -> Array:
    """In the order of the trees: float64 rounds each addition."""
    x = x.reshape(-1, node.source.size)
    sums = np.tile(node.bias.astype(np.float64), (len(x), 1))
    for tree in node.trees:
        values = tree.value[tree.leaves(x)]
        if tree.value.ndim == 2:
            sums += values
        else:
            sums[:, tree.output] += values
        if node.single:
            sums = sums.astype(np.float32).astype(np.float64)
    return sums


def _codes(node: ir.Codes, x: Array) -> Array:
    x = x.reshape(-1, node.source.size).astype(np.float64)
    codes = np.clip(np.ceil(np.ldexp(x, node.exponents)) - node.zeros, -CODE_LIMIT, CODE_LIMIT)
    return np.where(np.isnan(x), MISSING, codes).astype(np.int16)


def _series_filter(node: ir.SeriesFilter, x: Array) -> Array:
    return series.filtered(x.reshape(-1, *node.source.shape[1:]), node.sections).reshape(x.shape)


def _series_features(node: ir.SeriesFeatures, x: Array) -> Array:
    real = series.features(x.reshape(-1, *node.source.shape[1:]), node.kinds) / series.UNIT
    if node.reading is None:
        return real.astype(np.float32)
    limits, shape = np.iinfo(node.output.dtype), (len(real), *node.output.shape[1:])
    stored = np.rint(real.reshape(shape) / node.reading.scale) + node.reading.zero_point
    return np.clip(stored, limits.min, limits.max).astype(node.output.dtype)


def _affine(node: ir.Affine, x: Array) -> Array:
    sums = node.bias + node.weights.astype(np.float64) @ x.reshape(-1)
    if node.activation == "relu":
        return np.maximum(sums, 0)
    if node.activation == "tanh":
        return np.tanh(sums)
    return 1 / (1 + np.exp(-sums)) if node.activation == "logistic" else sums


def _scale(node: ir.Scale, x: Array) -> Array:
    x = x.reshape(-1).astype(np.float64)
    y = (x * node.first if node.multiplies else x - node.first).astype(np.float32)
    y = (y + node.second if node.multiplies else y / node.second).astype(np.float32)
    return np.clip(y, *node.limits) if node.limits else y


def _nearest(node: ir.Nearest, x: Array) -> Array:
    far = ((x.reshape(-1).astype(np.float64) - node.table) ** 2).sum(1)
    nearest = np.argsort(far, kind="stable")[: node.neighbors]
    return np.stack([far[nearest], node.targets[nearest].view(np.float64)], 1)


def _votes(node: ir.Votes, found: Array) -> Array:
    targets, weights = np.ascontiguousarray(found[:, 1]), np.ones(len(found))
    if node.weighted:
        weights = 1 / np.sqrt(found[:, 0]) if found[0, 0] else (found[:, 0] == 0).astype(np.float64)
    whole = weights.sum() if node.weighted else 1.0
    if node.values:
        return (targets * weights).sum(keepdims=True) / whole
    classes = targets.view(np.uint64).astype(np.int64)
    return np.bincount(classes, weights, minlength=node.output.size).astype(np.float64) / whole


def _scores(node: ir.Scores, sums: Array) -> Array:
    sums = sums.reshape(-1)
    scores = sums / node.divisor
    winner = int(np.argmax(scores))
    if node.decision is ir.Decision.THRESHOLD:
        winner = int(sums[0] >= node.threshold)
        scores = np.array([0.0 if node.probabilities else -scores[0], scores[0]])
    if node.probabilities:
        powers = np.exp(scores - scores.max())
        scores = powers / powers.sum()
    scores = scores.astype(np.float32)
    if node.decision is not ir.Decision.NONE:
        below = np.nextafter(scores[winner], np.float32(-np.inf))
        scores[:winner] = np.minimum(scores[:winner], below)
        scores = np.minimum(scores, scores[winner])
    return scores


FUNCTIONS: dict[type[Node], Function] = {
    ir.Conv2D: _conv,
    ir.DepthwiseConv2D: _depthwise,
    ir.TransposeConv2D: _transpose_conv,
    ir.Dense: _dense,
    ir.MatMul: _mat_mul,
    ir.AveragePool2D: _average_pool,
    ir.MaxPool2D: _max_pool,
    ir.Mean: _reduced(np.mean),
    ir.Sum: _reduced(np.sum),
    ir.ReduceMax: _reduced(np.max),
    ir.ReduceMin: _reduced(np.min),
    ir.ReduceProd: _reduced(np.prod),
    ir.ArgMax: lambda node, x: x.argmax(node.axis),
    ir.ArgMin: lambda node, x: x.argmin(node.axis),
    ir.CumSum: _cum_sum,
    ir.Add: lambda node, a, b: clamp(node.activation, a + b),
    ir.Sub: lambda node, a, b: clamp(node.activation, a - b),
    ir.Mul: lambda node, a, b: clamp(node.activation, a * b),
    ir.Div: _divided,
    ir.FloorDiv: lambda node, a, b: a // b,
    ir.FloorMod: lambda node, a, b: np.mod(a, b),
    ir.Pow: lambda node, a, b: np.power(a, b),
    ir.SquaredDifference: lambda node, a, b: np.square(a - b),
    ir.Maximum: lambda node, a, b: np.maximum(a, b),
    ir.Minimum: lambda node, a, b: np.minimum(a, b),
    ir.PRelu: lambda node, x, slope: np.where(x < 0, x * slope, x),
    ir.Equal: lambda node, a, b: a == b,
    ir.NotEqual: lambda node, a, b: a != b,
    ir.Greater: lambda node, a, b: a > b,
    ir.GreaterEqual: lambda node, a, b: a >= b,
    ir.Less: lambda node, a, b: a < b,
    ir.LessEqual: lambda node, a, b: a <= b,
    ir.LogicalAnd: lambda node, a, b: (a != 0) & (b != 0),
    ir.LogicalOr: lambda node, a, b: (a != 0) | (b != 0),
    ir.Select: lambda node, condition, a, b: np.asarray(np.where(condition, a, b)),
    ir.AddN: lambda node, xs: np.sum(xs, 0),
    ir.Logistic: lambda node, x: _sigmoid(x),
    ir.Tanh: lambda node, x: np.tanh(x),
    ir.HardSwish: lambda node, x: x * np.clip(x + 3, 0, 6) / 6,
    ir.Elu: lambda node, x: np.asarray(np.where(x < 0, np.expm1(np.minimum(x, 0)), x)),
    ir.Relu: lambda node, x: np.maximum(x, 0),
    ir.Relu6: lambda node, x: np.clip(x, 0, 6),
    ir.ReluN1To1: lambda node, x: np.clip(x, -1, 1),
    ir.LeakyRelu: lambda node, x: np.where(x < 0, x * np.float32(node.alpha), x),
    ir.Gelu: _gelu,
    ir.Softplus: lambda node, x: np.logaddexp(x, np.float32(0)),
    ir.Selu: _selu,
    ir.Mish: lambda node, x: x * np.tanh(np.logaddexp(x, np.float32(0))),
    ir.Erf: lambda node, x: _erf(x),
    ir.Sign: lambda node, x: np.sign(x),
    ir.Abs: lambda node, x: np.abs(x),
    ir.Rsqrt: lambda node, x: 1 / np.sqrt(x),
    ir.Sqrt: lambda node, x: np.sqrt(x),
    ir.Exp: lambda node, x: np.exp(x),
    ir.Log: lambda node, x: np.log(x),
    ir.Sin: lambda node, x: np.sin(x),
    ir.Cos: lambda node, x: np.cos(x),
    ir.Neg: lambda node, x: -x,
    ir.Square: lambda node, x: x * x,
    ir.Floor: lambda node, x: np.floor(x),
    ir.Ceil: lambda node, x: np.ceil(x),
    ir.Round: lambda node, x: np.rint(x),
    ir.Quantize: lambda node, x: x,
    ir.Dequantize: lambda node, x: x,
    ir.Cast: lambda node, x: x,
    ir.LogicalNot: lambda node, x: x == 0,
    ir.Table: lambda node, x: node.table[x.astype(np.int64) + 128],
    ir.Composite: _composite,
    ir.Softmax: _softmax,
    ir.LogSoftmax: _log_softmax,
    ir.L2Normalize: _l2_normalize,
    ir.Reshape: lambda node, x: x,
    ir.Copy: lambda node, x: x,
    ir.Concatenate: _concatenate,
    ir.Stack: lambda node, xs: np.stack(xs, node.axis),
    ir.Unstack: lambda node, x: list(np.moveaxis(x, node.axis, 0)),
    ir.Split: _split,
    ir.Slice: lambda node, x: x[node.index],
    ir.Transpose: lambda node, x: x.transpose(node.axes),
    ir.Gather: _gather,
    ir.Broadcast: lambda node, x: np.broadcast_to(x, node.output.shape),
    ir.Tile: _tile,
    ir.Range: lambda node, start, limit, step: start.reshape(1) + np.arange(node.output.size) * step.reshape(1),
    ir.Pad: _pad,
    ir.MirrorPad: _mirror_pad,
    ir.Reverse: lambda node, x: np.flip(x, node.axes),
    ir.DepthToSpace: _depth_to_space,
    ir.SpaceToDepth: _space_to_depth,
    ir.SpaceToBatch: _space_to_batch,
    ir.BatchToSpace: _batch_to_space,
    ir.ResizeNearest: _resize_nearest,
    ir.ResizeBilinear: _resize_bilinear,
    ir.Lstm: _lstm,
    ir.Svdf: _svdf,
    ir.TreeSums: _tree_sums,
    ir.Codes: _codes,
    ir.SeriesFilter: _series_filter,
    ir.SeriesFeatures: _series_features,
    ir.Scores: _scores,
    ir.Affine: _affine,
    ir.Distances: lambda node, x: node.bias - (node.weights * (x.reshape(-1) - node.centres) ** 2).sum(1),
    ir.Scale: _scale,
    ir.Nearest: _nearest,
    ir.Votes: _votes,
}

# Operators that move elements of any type.
_MOVES = (
    ir.Reshape,
    ir.Copy,
    ir.Concatenate,
    ir.Stack,
    ir.Unstack,
    ir.Split,
    ir.Slice,
    ir.Transpose,
    ir.Gather,
    ir.Broadcast,
    ir.Tile,
    ir.Pad,
    ir.MirrorPad,
    ir.Reverse,
    ir.DepthToSpace,
    ir.SpaceToDepth,
    ir.SpaceToBatch,
    ir.BatchToSpace,
)
# Operators that are computed at conversion: arithmetic on shapes and constants.
_FOLDED = (
    *_MOVES,
    ir.Range,
    ir.Cast,
    ir.Add,
    ir.Sub,
    ir.Mul,
    ir.Div,
    ir.FloorDiv,
    ir.Maximum,
    ir.Minimum,
    ir.FloorMod,
    ir.Comparison,
    ir.LogicalAnd,
    ir.LogicalOr,
    ir.LogicalNot,
    ir.Select,
    ir.ReduceProd,
    ir.ReduceMax,
    ir.ReduceMin,
    ir.Sum,
    ir.SquaredDifference,
    ir.Mean,
    *(kind for kind in FUNCTIONS if issubclass(kind, ir.Elementwise)),
)
