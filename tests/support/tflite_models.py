"""Small .tflite models made by hand, written as TensorFlow's converter writes them.

    model = ModelBuilder()
    x = model.tensor((1, 8, 8, 3), quant=(0.02, -5))
    y = model.conv_2d(x, weights, bias, weight_scales=0.01, quant=(0.05, 3))
    tflite = model.build([x], [model.softmax(y)])

or, for one operator, `one_operator("conv_2d", (1, 8, 8, 3), (0.02, -5), weights=..., ...)`.
A quantisation is a pair (scale, zero point). The layer methods work out the output's shape and
take its quantisation from `quant`; where it is left out, the output keeps the input's.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import flatbuffers
import numpy as np
import tflite

Quant = tuple[float, int]
# TensorFlow Lite prescribes the output scale of SOFTMAX and LOGISTIC, of TANH and L2_NORMALIZATION, of LOG_SOFTMAX.
PROBABILITY: Quant = (1 / 256, -128)
WIDE_PROBABILITY: Quant = (1 / 65536, -32768)
UNIT: Quant = (1 / 128, 0)
LOG_PROBABILITY: Quant = (1 / 16, 127)
# The scale on which an LSTM's gates enter their functions.
LSTM_GATE_SCALE = 2.0**-12


class Tensor(NamedTuple):
    """One tensor of the model; `scales` and `zero_points` are empty if it is not quantised."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    quantized_dimension: int
    data: bytes
    is_variable: bool

    @property
    def quant(self) -> Quant:
        return self.scales[0], self.zero_points[0]


class Operator(NamedTuple):
    """One operator: its builtin code and version, tensor indices (-1: none) and options."""

    code: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options_table: str
    options: Mapping[str, Any]
    intermediates: tuple[int, ...] = ()


def window_output(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Output length of a convolution or pooling along one axis."""
    covered = 0 if padding == "SAME" else (kernel - 1) * dilation
    return -(-(size - covered) // stride)


class ModelBuilder:
    """Collects tensors and operators; `build` serialises them."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []
        self.init: ModelBuilder | None = None  # what CALL_ONCE runs; `variable` makes it

    def tensor(
        self,
        shape: Sequence[int],
        dtype: Any = "int8",
        quant: Quant | None = None,
        *,
        name: str = "",
        scales: Sequence[float] = (),
        zero_points: Sequence[int] = (),
        quantized_dimension: int = 0,
        data: np.ndarray | None = None,
        is_variable: bool = False,
    ) -> int:
        """Add a tensor and return its index. `quant` is per tensor, `scales` per channel."""
        if quant is not None:
            scales, zero_points = [quant[0]], [quant[1]]
        self.tensors.append(
            Tensor(
                name or f"t{len(self.tensors)}",
                tuple(int(n) for n in shape),
                dtype if dtype in ("resource", "int4") else np.dtype(dtype).name,
                tuple(float(s) for s in scales),
                tuple(int(z) for z in zero_points) or (0,) * len(scales),
                quantized_dimension,
                b"" if data is None else (_nibbles(data) if dtype == "int4" else data).tobytes(),
                is_variable,
            )
        )
        return len(self.tensors) - 1

    def constant(self, data: np.ndarray, **quantisation: Any) -> int:
        """Add a tensor whose data the file holds."""
        return self.tensor(data.shape, data.dtype, data=data, **quantisation)

    def op(
        self,
        code: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        version: int = 1,
        options_table: str = "",
        intermediates: Sequence[int] = (),
        **options: Any,
    ) -> None:
        """Add an operator by its schema name; options as in the schema, in CamelCase."""
        self.operators.append(
            Operator(code, version, tuple(inputs), tuple(outputs), options_table, options, tuple(intermediates))
        )

    # Layers: each adds one operator with its constants and returns the output's index.

    def _output(self, x: int, shape: Sequence[int], quant: Quant | None) -> int:
        source = self.tensors[x]
        return self.tensor(shape, source.dtype, quant or (source.quant if source.scales else None))

    def _ints(self, values: Any) -> int:
        return self.constant(np.array(values, np.int32))

    def _weights_and_bias(
        self,
        x: int,
        weights: np.ndarray,
        bias: np.ndarray | None,
        scales: float | Sequence[float],
        dimension: int,
        bits: int = 8,
    ) -> list[int]:
        """Constants of a layer with weights of 8 or 4 bits; several scales quantise `dimension` of them.

        With int16 activations the bias is int64, as converters write it, unless an int32 one is given.
        """
        scales = np.atleast_1d(np.asarray(scales, np.float32))
        dtype = "int4" if bits == 4 else weights.dtype
        constants = [self.tensor(weights.shape, dtype, data=weights, scales=scales, quantized_dimension=dimension)]
        if bias is not None:
            bias_scales = scales * np.float32(self.tensors[x].quant[0])
            wide = self.tensors[x].dtype == "int16" and bias.dtype != np.int32
            constants.append(self.constant(bias.astype(np.int64 if wide else np.int32), scales=bias_scales))
        return constants

    def _convolution(
        self,
        code: str,
        x: int,
        constants: list[int],
        channels: int,
        quant: Quant | None,
        strides: tuple[int, int] = (1, 1),
        dilations: tuple[int, int] = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        **options: Any,
    ) -> int:
        batch, *image, _ = self.tensors[x].shape
        kernel = self.tensors[constants[0]].shape[1:3]
        size = [
            window_output(n, k, s, d, padding) for n, k, s, d in zip(image, kernel, strides, dilations, strict=True)
        ]
        y = self._output(x, (batch, *size, channels), quant)
        self.op(
            code,
            [x, *constants],
            [y],
            version=3,
            Padding=getattr(tflite.Padding, padding),
            StrideH=strides[0],
            StrideW=strides[1],
            DilationHFactor=dilations[0],
            DilationWFactor=dilations[1],
            FusedActivationFunction=getattr(tflite.ActivationFunctionType, activation),
            **options,
        )
        return y

    def conv_2d(
        self,
        x: int,
        weights: np.ndarray,
        bias: np.ndarray | None = None,
        *,
        weight_scales: float | Sequence[float],
        quant: Quant | None = None,
        bits: int = 8,
        **window: Any,
    ) -> int:
        """Weights are (output channels, height, width, input channels), fewer than the image's where it has groups.

        `window`: strides, dilations (height and width each), padding, activation.
        """
        constants = self._weights_and_bias(x, weights, bias, weight_scales, 0, bits)
        options = {"options_table": "Conv2DOptions"}
        return self._convolution("CONV_2D", x, constants, weights.shape[0], quant, **window, **options)

    def depthwise_conv_2d(
        self,
        x: int,
        weights: np.ndarray,
        bias: np.ndarray | None = None,
        *,
        weight_scales: float | Sequence[float],
        quant: Quant | None = None,
        bits: int = 8,
        **window: Any,
    ) -> int:
        """Weights are (1, height, width, input channels × multiplier); `window` as in conv_2d."""
        constants = self._weights_and_bias(x, weights, bias, weight_scales, 3, bits)
        channels = weights.shape[3]
        options = {
            "options_table": "DepthwiseConv2DOptions",
            "DepthMultiplier": channels // self.tensors[x].shape[3],
        }
        return self._convolution("DEPTHWISE_CONV_2D", x, constants, channels, quant, **window, **options)

    def transpose_conv(
        self,
        x: int,
        weights: np.ndarray,
        bias: np.ndarray | None = None,
        *,
        weight_scales: float | Sequence[float],
        quant: Quant | None = None,
        strides: tuple[int, int] = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        size: tuple[int, int] | None = None,
    ) -> int:
        """Weights as in conv_2d. `size` is the output's height and width, by default what Keras takes."""
        constants = self._weights_and_bias(x, weights, bias, weight_scales, 0)
        batch, *image, _ = self.tensors[x].shape
        filters, *kernel, _ = weights.shape
        overlap = [0, 0] if padding == "SAME" else [max(k - s, 0) for k, s in zip(kernel, strides, strict=True)]
        size = size or tuple(n * s + o for n, s, o in zip(image, strides, overlap, strict=True))
        y = self._output(x, (batch, *size, filters), quant)
        self.op(
            "TRANSPOSE_CONV",
            [self._ints((batch, *size, filters)), constants[0], x, *constants[1:]],
            [y],
            version=3,
            options_table="TransposeConvOptions",
            Padding=getattr(tflite.Padding, padding),
            StrideH=strides[0],
            StrideW=strides[1],
            FusedActivationFunction=getattr(tflite.ActivationFunctionType, activation),
        )
        return y

    def fully_connected(
        self,
        x: int,
        weights: np.ndarray,
        bias: np.ndarray | None = None,
        *,
        weight_scales: float | Sequence[float],
        quant: Quant | None = None,
        activation: str = "NONE",
        keep_num_dims: bool = False,
        bits: int = 8,
    ) -> int:
        """Weights are (outputs, inputs); every run of `inputs` values in x is one row."""
        constants = self._weights_and_bias(x, weights, bias, weight_scales, 0, bits)
        shape = self.tensors[x].shape
        filters, depth = weights.shape
        rows = shape[:-1] if keep_num_dims else (math.prod(shape) // depth,)
        y = self._output(x, (*rows, filters), quant)
        self.op(
            "FULLY_CONNECTED",
            [x, *constants] + [-1] * (bias is None),
            [y],
            version=5 if keep_num_dims else 4,
            options_table="FullyConnectedOptions",
            FusedActivationFunction=getattr(tflite.ActivationFunctionType, activation),
            KeepNumDims=keep_num_dims,
        )
        return y

    def _pool(
        self,
        code: str,
        x: int,
        window: tuple[int, int],
        strides: tuple[int, int] | None = None,
        padding: str = "VALID",
        activation: str = "NONE",
    ) -> int:
        batch, *image, channels = self.tensors[x].shape
        strides = strides or window
        size = [window_output(n, k, s, 1, padding) for n, k, s in zip(image, window, strides, strict=True)]
        y = self._output(x, (batch, *size, channels), None)
        self.op(
            code,
            [x],
            [y],
            version=2,
            options_table="Pool2DOptions",
            Padding=getattr(tflite.Padding, padding),
            StrideH=strides[0],
            StrideW=strides[1],
            FilterHeight=window[0],
            FilterWidth=window[1],
            FusedActivationFunction=getattr(tflite.ActivationFunctionType, activation),
        )
        return y

    def average_pool_2d(self, x: int, window: tuple[int, int], **options: Any) -> int:
        """Options: strides (the window's size if left out), padding, activation."""
        return self._pool("AVERAGE_POOL_2D", x, window, **options)

    def max_pool_2d(self, x: int, window: tuple[int, int], **options: Any) -> int:
        """Options as in average_pool_2d."""
        return self._pool("MAX_POOL_2D", x, window, **options)

    def _reduce(
        self, code: str, x: int, axes: Sequence[int], keep_dims: bool = False, quant: Quant | None = None
    ) -> int:
        shape = self.tensors[x].shape
        reduced = {axis % len(shape) for axis in axes}
        kept = [1 if i in reduced else n for i, n in enumerate(shape)]
        if not keep_dims:
            kept = [n for i, n in enumerate(shape) if i not in reduced]
        y = self._output(x, kept, quant)
        self.op(code, [x, self._ints(axes)], [y], version=2, options_table="ReducerOptions", KeepDims=keep_dims)
        return y

    def mean(self, x: int, axes: Sequence[int], keep_dims: bool = False, quant: Quant | None = None) -> int:
        return self._reduce("MEAN", x, axes, keep_dims, quant)

    def sum(self, x: int, axes: Sequence[int], keep_dims: bool = False, quant: Quant | None = None) -> int:
        return self._reduce("SUM", x, axes, keep_dims, quant)

    def reduce_max(self, x: int, axes: Sequence[int], keep_dims: bool = False, quant: Quant | None = None) -> int:
        return self._reduce("REDUCE_MAX", x, axes, keep_dims, quant)

    def reduce_min(self, x: int, axes: Sequence[int], keep_dims: bool = False, quant: Quant | None = None) -> int:
        return self._reduce("REDUCE_MIN", x, axes, keep_dims, quant)

    def _binary(self, code: str, a: int, b: int, quant: Quant | None, table: str, **options: Any) -> int:
        shape = np.broadcast_shapes(self.tensors[a].shape, self.tensors[b].shape)
        y = self._output(a, shape, quant)
        self.op(code, [a, b], [y], version=2, options_table=table, **options)
        return y

    def _arithmetic(self, code: str, table: str, a: int, b: int, quant: Quant | None, activation: str) -> int:
        fused = getattr(tflite.ActivationFunctionType, activation)
        return self._binary(code, a, b, quant, table, FusedActivationFunction=fused)

    def add(self, a: int, b: int, quant: Quant | None = None, activation: str = "NONE") -> int:
        return self._arithmetic("ADD", "AddOptions", a, b, quant, activation)

    def sub(self, a: int, b: int, quant: Quant | None = None, activation: str = "NONE") -> int:
        return self._arithmetic("SUB", "SubOptions", a, b, quant, activation)

    def mul(self, a: int, b: int, quant: Quant | None = None, activation: str = "NONE") -> int:
        return self._arithmetic("MUL", "MulOptions", a, b, quant, activation)

    def maximum(self, a: int, b: int) -> int:
        return self._binary("MAXIMUM", a, b, None, "MaximumMinimumOptions")

    def minimum(self, a: int, b: int) -> int:
        return self._binary("MINIMUM", a, b, None, "MaximumMinimumOptions")

    def div(self, a: int, b: int, quant: Quant | None = None, activation: str = "NONE") -> int:
        return self._arithmetic("DIV", "DivOptions", a, b, quant, activation)

    def squared_difference(self, a: int, b: int, quant: Quant | None = None) -> int:
        return self._binary("SQUARED_DIFFERENCE", a, b, quant, "")

    def compare(self, a: int, b: int, kind: str = "GREATER") -> int:
        """bool: `kind` is EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS or LESS_EQUAL."""
        return self._truth(kind, a, b)

    def logical(self, a: int, b: int, kind: str = "AND") -> int:
        return self._truth(f"LOGICAL_{kind}", a, b)

    def logical_not(self, a: int) -> int:
        return self._truth("LOGICAL_NOT", a)

    def _truth(self, code: str, *xs: int) -> int:
        y = self.tensor(np.broadcast_shapes(*(self.tensors[x].shape for x in xs)), "bool")
        self.op(code, xs, [y])
        return y

    def select(self, condition: int, a: int, b: int, code: str = "SELECT_V2") -> int:
        shapes = [self.tensors[x].shape for x in (condition, a, b)]
        y = self._output(a, np.broadcast_shapes(*shapes), None)
        self.op(code, [condition, a, b], [y])
        return y

    def prelu(self, x: int, alpha: int, quant: Quant | None = None) -> int:
        """`alpha` is a tensor that broadcasts to x, a constant as a rule."""
        return self._binary("PRELU", x, alpha, quant, "")

    def fully_connected_of(
        self,
        x: int,
        weights: int,
        bias: np.ndarray | None = None,
        quant: Quant | None = None,
        activation: str = "NONE",
        keep_num_dims: bool = False,
    ) -> int:
        """Weights that the model computes: a tensor (outputs, inputs)."""
        source, factor = self.tensors[x], self.tensors[weights]
        filters, depth = factor.shape
        rows = source.shape[:-1] if keep_num_dims else (math.prod(source.shape) // depth,)
        y = self._output(x, (*rows, filters), quant)
        scale = (source.quant[0] * factor.quant[0], 0)
        self.op(
            "FULLY_CONNECTED",
            [x, weights, -1 if bias is None else self.constant(bias.astype(np.int32), quant=scale)],
            [y],
            version=4,
            options_table="FullyConnectedOptions",
            FusedActivationFunction=getattr(tflite.ActivationFunctionType, activation),
            KeepNumDims=keep_num_dims,
        )
        return y

    def batch_matmul(self, a: int, b: int, quant: Quant | None = None, adj_x: bool = False, adj_y: bool = False) -> int:
        """a @ b over the last two axes, each transposed where adj_x or adj_y says so; the others broadcast."""
        shapes = [list(self.tensors[t].shape) for t in (a, b)]
        for shape, adjoint in zip(shapes, (adj_x, adj_y), strict=True):
            if adjoint:
                shape[-2:] = shape[:-3:-1]
        batch = np.broadcast_shapes(shapes[0][:-2], shapes[1][:-2])
        y = self._output(a, (*batch, shapes[0][-2], shapes[1][-1]), quant)
        self.op("BATCH_MATMUL", [a, b], [y], version=2, options_table="BatchMatMulOptions", AdjX=adj_x, AdjY=adj_y)
        return y

    # Data movement.

    def concatenation(self, *xs: int, axis: int, quant: Quant | None = None) -> int:
        shape = list(self.tensors[xs[0]].shape)
        shape[axis] = sum(self.tensors[x].shape[axis] for x in xs)
        y = self._output(xs[0], shape, quant)
        self.op("CONCATENATION", xs, [y], version=2, options_table="ConcatenationOptions", Axis=axis)
        return y

    def _parts(self, x: int, axis: int, sizes: Sequence[int]) -> list[int]:
        shape = list(self.tensors[x].shape)
        parts = []
        for size in sizes:
            shape[axis] = size
            parts.append(self._output(x, shape, None))
        return parts

    def split(self, x: int, axis: int, count: int) -> list[int]:
        parts = self._parts(x, axis, [self.tensors[x].shape[axis] // count] * count)
        self.op("SPLIT", [self._ints(axis), x], parts, version=2, options_table="SplitOptions", NumSplits=count)
        return parts

    def split_v(self, x: int, axis: int, sizes: Sequence[int]) -> list[int]:
        """One of the sizes may be -1: what the others leave."""
        rest = self.tensors[x].shape[axis] - sum(sizes) - 1
        parts = self._parts(x, axis, [rest if size == -1 else size for size in sizes])
        inputs = [x, self._ints(sizes), self._ints(axis)]
        self.op("SPLIT_V", inputs, parts, version=2, options_table="SplitVOptions", NumSplits=len(sizes))
        return parts

    def pack(self, *xs: int, axis: int) -> int:
        shape = list(self.tensors[xs[0]].shape)
        shape.insert(axis % (len(shape) + 1), len(xs))
        quant = self.tensors[xs[0]].scales and self.tensors[xs[0]].quant
        y = self.tensor(shape, self.tensors[xs[0]].dtype, quant or None)
        self.op("PACK", xs, [y], version=2, options_table="PackOptions", ValuesCount=len(xs), Axis=axis)
        return y

    def unpack(self, x: int, axis: int) -> list[int]:
        shape = list(self.tensors[x].shape)
        count = shape.pop(axis)
        parts = [self._output(x, shape, None) for _ in range(count)]
        self.op("UNPACK", [x], parts, version=2, options_table="UnpackOptions", Num=count, Axis=axis)
        return parts

    def strided_slice(
        self,
        x: int,
        begin: Sequence[int],
        end: Sequence[int],
        strides: Sequence[int],
        begin_mask: int = 0,
        end_mask: int = 0,
        ellipsis_mask: int = 0,
        new_axis_mask: int = 0,
        shrink_axis_mask: int = 0,
    ) -> int:
        """As in NumPy; bit i of a mask speaks about element i of begin, end and strides."""
        index: list[Any] = []
        for i, (first, last, step) in enumerate(zip(begin, end, strides, strict=True)):
            bit = 1 << i
            if ellipsis_mask & bit:
                index.append(...)
            elif new_axis_mask & bit:
                index.append(None)
            elif shrink_axis_mask & bit:
                index.append(first)
            else:
                index.append(slice(None if begin_mask & bit else first, None if end_mask & bit else last, step))
        source = self.tensors[x]
        shape = np.empty(source.shape, np.int8)[tuple(index)].shape
        y = self.tensor(shape, source.dtype, source.quant if source.scales else None)
        self.op(
            "STRIDED_SLICE",
            [x, self._ints(begin), self._ints(end), self._ints(strides)],
            [y],
            version=2,
            options_table="StridedSliceOptions",
            BeginMask=begin_mask,
            EndMask=end_mask,
            EllipsisMask=ellipsis_mask,
            NewAxisMask=new_axis_mask,
            ShrinkAxisMask=shrink_axis_mask,
        )
        return y

    def slice(self, x: int, begin: Sequence[int], size: Sequence[int]) -> int:
        """A size of -1 reaches to the end."""
        whole = self.tensors[x].shape
        y = self._output(x, [n - b if s == -1 else s for n, b, s in zip(whole, begin, size, strict=True)], None)
        self.op("SLICE", [x, self._ints(begin), self._ints(size)], [y], version=2, options_table="SliceOptions")
        return y

    def transpose(self, x: int, permutation: Sequence[int]) -> int:
        shape = self.tensors[x].shape
        y = self._output(x, [shape[axis] for axis in permutation], None)
        self.op("TRANSPOSE", [x, self._ints(permutation)], [y], version=2, options_table="TransposeOptions")
        return y

    def gather(self, x: int, indices: int | np.ndarray, axis: int, batch_dims: int = 0) -> int:
        """`indices`: a tensor or constants. A negative number of batch dimensions counts from their rank."""
        chosen = indices if isinstance(indices, int) else self._ints(indices)
        shape, own = self.tensors[x].shape, self.tensors[chosen].shape
        batches, at = batch_dims + len(own) * (batch_dims < 0), axis % len(shape)
        y = self._output(x, (*shape[:at], *own[batches:], *shape[at + 1 :]), None)
        self.op("GATHER", [x, chosen], [y], 2, "GatherOptions", Axis=axis, BatchDims=batch_dims)
        return y

    def embedding_lookup(self, table: int, indices: int) -> int:
        """The rows of `table` that the vector `indices` names."""
        y = self._output(table, (*self.tensors[indices].shape, *self.tensors[table].shape[1:]), None)
        self.op("EMBEDDING_LOOKUP", [indices, table], [y], 3)
        return y

    def mirror_pad(self, x: int, paddings: Sequence[tuple[int, int]], mode: str = "REFLECT") -> int:
        shape = [n + sum(ends) for n, ends in zip(self.tensors[x].shape, paddings, strict=True)]
        y = self._output(x, shape, None)
        mode_code = getattr(tflite.MirrorPadMode, mode)
        self.op("MIRROR_PAD", [x, self._ints(paddings)], [y], 2, "MirrorPadOptions", Mode=mode_code)
        return y

    def reverse_v2(self, x: int, axes: Sequence[int]) -> int:
        y = self._output(x, self.tensors[x].shape, None)
        self.op("REVERSE_V2", [x, self._ints(axes)], [y], 3, "ReverseV2Options")
        return y

    def depth_to_space(self, x: int, block: int) -> int:
        n, h, w, c = self.tensors[x].shape
        y = self._output(x, (n, h * block, w * block, c // block**2), None)
        self.op("DEPTH_TO_SPACE", [x], [y], 1, "DepthToSpaceOptions", BlockSize=block)
        return y

    def space_to_depth(self, x: int, block: int) -> int:
        n, h, w, c = self.tensors[x].shape
        y = self._output(x, (n, h // block, w // block, c * block**2), None)
        self.op("SPACE_TO_DEPTH", [x], [y], 1, "SpaceToDepthOptions", BlockSize=block)
        return y

    def broadcast_to(self, x: int, shape: Sequence[int]) -> int:
        y = self._output(x, shape, None)
        self.op("BROADCAST_TO", [x, self._ints(shape)], [y], 3)
        return y

    def tile(self, x: int, multiples: Sequence[int]) -> int:
        y = self._output(x, [n * m for n, m in zip(self.tensors[x].shape, multiples, strict=True)], None)
        self.op("TILE", [x, self._ints(multiples)], [y])
        return y

    def squeeze(self, x: int, axes: tuple[int, ...] = ()) -> int:
        """Without axes, all of length 1."""
        shape = self.tensors[x].shape
        gone = {axis % len(shape) for axis in axes} or {i for i, n in enumerate(shape) if n == 1}
        y = self._output(x, [n for i, n in enumerate(shape) if i not in gone], None)
        self.op("SQUEEZE", [x], [y], options_table="SqueezeOptions", SqueezeDims=axes)
        return y

    def expand_dims(self, x: int, axis: int) -> int:
        shape = list(self.tensors[x].shape)
        shape.insert(axis % (len(shape) + 1), 1)
        y = self._output(x, shape, None)
        self.op("EXPAND_DIMS", [x, self._ints(axis)], [y], options_table="ExpandDimsOptions")
        return y

    def flatten(self, x: int) -> int:
        """(batch, ...) to (batch, -1), the shape taken from x when the model runs, as Keras exports Flatten."""
        shape = self.tensors[x].shape
        whole = self.tensor((len(shape),), "int32")
        self.op("SHAPE", [x], [whole], options_table="ShapeOptions", OutType=tflite.TensorType.INT32)
        batch = self.strided_slice(whole, [0], [1], [1], shrink_axis_mask=1)
        y = self._output(x, (shape[0], math.prod(shape[1:])), None)
        self.op("RESHAPE", [x, self.pack(batch, self._ints(-1), axis=0)], [y], options_table="ReshapeOptions")
        return y

    def reshape(self, x: int, shape: Sequence[int]) -> int:
        y = self._output(x, shape, None)
        self.op("RESHAPE", [x, self._ints(shape)], [y])
        return y

    def _fixed(self, x: int, quant: Quant) -> Quant:
        """`quant` for int8; TensorFlow Lite fixes one for all functions of int16."""
        return (2.0**-15, 0) if self.tensors[x].dtype == "int16" else quant

    def softmax(self, x: int, beta: float = 1.0, y_dtype: str | None = None) -> int:
        """To the input's type, or int8 to int16."""
        dtype = self.tensors[x].dtype
        quant = self._fixed(x, PROBABILITY if (y_dtype or dtype) == "int8" else WIDE_PROBABILITY)
        y = self.tensor(self.tensors[x].shape, y_dtype or dtype, quant)
        self.op("SOFTMAX", [x], [y], version=2, options_table="SoftmaxOptions", Beta=beta)
        return y

    def _elementwise(self, code: str, x: int, quant: Quant | None) -> int:
        y = self._output(x, self.tensors[x].shape, quant)
        self.op(code, [x], [y], version=2)
        return y

    def logistic(self, x: int) -> int:
        return self._elementwise("LOGISTIC", x, self._fixed(x, PROBABILITY))

    def tanh(self, x: int) -> int:
        return self._elementwise("TANH", x, self._fixed(x, UNIT))

    def hard_swish(self, x: int, quant: Quant | None = None) -> int:
        return self._elementwise("HARD_SWISH", x, quant)

    def elu(self, x: int, quant: Quant | None = None) -> int:
        return self._elementwise("ELU", x, quant)

    def abs(self, x: int, quant: Quant | None = None) -> int:
        return self._elementwise("ABS", x, quant)

    def rsqrt(self, x: int, quant: Quant | None = None) -> int:
        return self._elementwise("RSQRT", x, quant)

    def leaky_relu(self, x: int, alpha: float, quant: Quant | None = None) -> int:
        y = self._output(x, self.tensors[x].shape, quant)
        self.op("LEAKY_RELU", [x], [y], version=2, options_table="LeakyReluOptions", Alpha=alpha)
        return y

    def log_softmax(self, x: int) -> int:
        return self._elementwise("LOG_SOFTMAX", x, LOG_PROBABILITY)

    def l2_normalization(self, x: int) -> int:
        y = self._output(x, self.tensors[x].shape, UNIT)
        self.op("L2_NORMALIZATION", [x], [y], version=2, options_table="L2NormOptions")
        return y

    def relu(self, x: int, quant: Quant | None = None) -> int:
        return self._elementwise("RELU", x, quant)

    def relu6(self, x: int, quant: Quant | None = None) -> int:
        return self._elementwise("RELU6", x, quant)

    def pad(self, x: int, paddings: Sequence[tuple[int, int]]) -> int:
        """Paddings are (before, after), one pair for every axis of x."""
        shape = [n + sum(ends) for n, ends in zip(self.tensors[x].shape, paddings, strict=True)]
        y = self._output(x, shape, None)
        self.op(
            "PAD",
            [x, self._ints(paddings)],
            [y],
            version=2,
            options_table="PadOptions",
        )
        return y

    def padv2(self, x: int, paddings: Sequence[tuple[int, int]], value: int) -> int:
        """`value` is the int8 value to pad with, on x's scale."""
        shape = [n + sum(ends) for n, ends in zip(self.tensors[x].shape, paddings, strict=True)]
        y = self._output(x, shape, None)
        source = self.tensors[x]
        filling = self.constant(np.array(value, source.dtype), quant=source.quant)
        self.op("PADV2", [x, self._ints(paddings), filling], [y], version=2, options_table="PadV2Options")
        return y

    def _resize(self, code: str, table: str, x: int, size: tuple[int, int], corners: bool, centers: bool) -> int:
        batch, _, _, channels = self.tensors[x].shape
        y = self._output(x, (batch, *size, channels), None)
        options = {"AlignCorners": corners, "HalfPixelCenters": centers}
        self.op(code, [x, self._ints(size)], [y], version=3, options_table=table, **options)
        return y

    def resize_nearest_neighbor(
        self, x: int, size: tuple[int, int], align_corners: bool = False, half_pixel_centers: bool = False
    ) -> int:
        table = "ResizeNearestNeighborOptions"
        return self._resize("RESIZE_NEAREST_NEIGHBOR", table, x, size, align_corners, half_pixel_centers)

    def resize_bilinear(
        self, x: int, size: tuple[int, int], align_corners: bool = False, half_pixel_centers: bool = False
    ) -> int:
        return self._resize("RESIZE_BILINEAR", "ResizeBilinearOptions", x, size, align_corners, half_pixel_centers)

    def arg_min(self, x: int, axis: int) -> int:
        return self.arg_max(x, axis, "ARG_MIN")

    def arg_max(self, x: int, axis: int, code: str = "ARG_MAX") -> int:
        shape = list(self.tensors[x].shape)
        del shape[axis]
        y = self.tensor(shape, "int32")
        output_type = tflite.TensorType.INT32
        table = "ArgMaxOptions" if code == "ARG_MAX" else "ArgMinOptions"
        self.op(code, [x, self._ints(axis)], [y], 2, table, OutputType=output_type)
        return y

    # State.

    def svdf(
        self,
        x: int,
        feature: np.ndarray,
        time: np.ndarray,
        bias: np.ndarray,
        *,
        rank: int,
        scales: tuple[float, float, float],
        state_zero: int = 0,
        quant: Quant,
        activation: str = "RELU",
    ) -> int:
        """`feature` weights are (filters, inputs), `time` weights (filters, memory), int8 or int16 as the state is.

        scales: of feature weights, time weights and state.
        """
        batch = self.tensors[x].shape[0]
        filters, memory = time.shape
        constants = [
            self.constant(feature, quant=(scales[0], 0)),
            self.constant(time, quant=(scales[1], 0)),
            self.constant(bias.astype(np.int32), quant=(scales[1] * scales[2], 0)),
        ]
        state = self.tensor((batch, memory * filters), time.dtype, (scales[2], state_zero), is_variable=True)
        y = self._output(x, (batch, filters // rank), quant)
        self.op(
            "SVDF",
            [x, *constants, state],
            [y],
            version=3,
            options_table="SVDFOptions",
            Rank=rank,
            FusedActivationFunction=getattr(tflite.ActivationFunctionType, activation),
        )
        return y

    def lstm(
        self,
        x: int,
        input_weights: np.ndarray,
        recurrent_weights: np.ndarray,
        biases: np.ndarray,
        *,
        input_scales: Sequence[float],
        recurrent_scales: Sequence[float],
        cell_scale: float,
        quant: Quant,
        cell_clip: float = 0.0,
        time_major: bool = False,
    ) -> int:
        """UNIDIRECTIONAL_SEQUENCE_LSTM: x is (batch, time, inputs), or (time, batch, inputs).

        Weights are (4, cells, inputs) and (4, cells, cells), biases (4, cells): the gates input, forget, cell, output.
        """
        source = self.tensors[x]
        cells = input_weights.shape[1]
        bias_type = np.int32 if source.dtype == "int8" else np.int64
        inputs = [
            x,
            *(self.constant(w, quant=(s, 0)) for w, s in zip(input_weights, input_scales, strict=True)),
            *(self.constant(w, quant=(s, 0)) for w, s in zip(recurrent_weights, recurrent_scales, strict=True)),
            *[-1] * 3,
            *(
                self.constant(b.astype(bias_type), quant=(float(np.float32(s)) * source.quant[0], 0))
                for b, s in zip(biases, input_scales, strict=True)
            ),
            *[-1] * 2,
        ]
        batch = source.shape[1 if time_major else 0]
        inputs.append(self.tensor((batch, cells), source.dtype, quant, is_variable=True))
        inputs.append(self.tensor((batch, cells), "int16", (cell_scale, 0), is_variable=True))
        inputs += [-1] * 4
        intermediates = [self.tensor((0,), "int16", (LSTM_GATE_SCALE, 0)) for _ in range(4)]
        intermediates.append(self.tensor((0,), source.dtype, quant))
        y = self._output(x, (*source.shape[:2], cells), quant)
        self.op(
            "UNIDIRECTIONAL_SEQUENCE_LSTM",
            inputs,
            [y],
            options_table="UnidirectionalSequenceLSTMOptions",
            intermediates=intermediates,
            FusedActivationFunction=tflite.ActivationFunctionType.TANH,
            CellClip=cell_clip,
            TimeMajor=time_major,
        )
        return y

    def variable(self, initial: np.ndarray, quant: Quant | None) -> int:
        """The handle of a variable; CALL_ONCE gives it its initial value."""
        if self.init is None:
            self.init = ModelBuilder()
        name = f"variable{len(self.operators)}"
        self.init.assign_variable(self.init._handle(name), self.init.constant(initial, quant=quant))
        return self._handle(name)

    def _handle(self, name: str) -> int:
        handle = self.tensor((), "resource")
        self.op("VAR_HANDLE", [], [handle], options_table="VarHandleOptions", SharedName=name)
        return handle

    def read_variable(self, handle: int, shape: Sequence[int], quant: Quant) -> int:
        y = self.tensor(shape, quant=quant)
        self.op("READ_VARIABLE", [handle], [y])
        return y

    def assign_variable(self, handle: int, x: int) -> None:
        self.op("ASSIGN_VARIABLE", [handle, x], [])

    # The model's edges, and a change of scale in its middle.

    def quantize(self, x: int, quant: Quant, dtype: str = "int8") -> int:
        """float32, int8 or int16 to one of the latter."""
        y = self.tensor(self.tensors[x].shape, dtype, quant)
        self.op("QUANTIZE", [x], [y], options_table="QuantizeOptions")
        return y

    def dequantize(self, x: int) -> int:
        """int8 or int16 to float32."""
        y = self.tensor(self.tensors[x].shape, "float32")
        self.op("DEQUANTIZE", [x], [y], version=2, options_table="DequantizeOptions")
        return y

    def cumsum(
        self, x: int, axis: int, exclusive: bool = False, reverse: bool = False, quant: Quant | None = None
    ) -> int:
        y = self._output(x, self.tensors[x].shape, quant)
        options = {"Exclusive": exclusive, "Reverse": reverse}
        self.op("CUMSUM", [x, self._ints(axis)], [y], 1, "CumsumOptions", **options)
        return y

    def add_n(self, *xs: int, quant: Quant | None = None) -> int:
        y = self._output(xs[0], self.tensors[xs[0]].shape, quant)
        self.op("ADD_N", xs, [y], 1, "AddNOptions")
        return y

    def float_functions(self, x: int, functions: Sequence[Any], quant: Quant) -> int:
        """Operators of floats between DEQUANTIZE and QUANTIZE: names, or functions of the model and a tensor of floats
        that add some and give the last one's output."""
        y = self.dequantize(x)
        for function in functions:
            y = self.floats(function, y) if isinstance(function, str) else function(self, y)
        return self.quantize(y, quant)

    def floats(self, code: str, *xs: int | float, table: str = "", **options: Any) -> int:
        """An operator of floats with the shape of its first operand; numbers become constants."""
        inputs = [self.constant(np.float32(x)) if isinstance(x, float) else x for x in xs]
        y = self.tensor(self.tensors[next(x for x in xs if not isinstance(x, float))].shape, "float32")
        self.op(code, inputs, [y], options_table=table, **options)
        return y

    def build(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The .tflite file with the given tensors as the model's inputs and outputs."""
        b = flatbuffers.Builder(1024)
        graphs = [self] if self.init is None else [self, self.init]
        operators = [list(graph.operators) for graph in graphs]
        if self.init is not None:
            operators[0].insert(0, Operator("CALL_ONCE", 1, (), (), "CallOnceOptions", {"InitSubgraphIndex": 1}))
        codes = list(dict.fromkeys((op.code, op.version) for ops in operators for op in ops))
        # Buffer 0 is the empty one that every tensor without data refers to.
        buffers = [_buffer(b, b"")]
        subgraphs = []
        for graph, ops in zip(graphs, operators, strict=True):
            tensors = []
            for tensor in graph.tensors:
                tensors.append(_tensor(b, tensor, len(buffers) if tensor.data else 0))
                if tensor.data:
                    buffers.append(_buffer(b, tensor.data))
            main = graph is self
            subgraphs.append(
                _table(
                    b,
                    "SubGraph",
                    Tensors=_offsets(b, tensors),
                    Inputs=_ints(b, inputs if main else []),
                    Outputs=_ints(b, outputs if main else []),
                    Operators=_offsets(b, [_operator(b, op, codes.index((op.code, op.version))) for op in ops]),
                    Name=b.CreateString("main" if main else "init"),
                )
            )
        model = _table(
            b,
            "Model",
            Version=3,
            OperatorCodes=_offsets(b, [_operator_code(b, *code) for code in codes]),
            Subgraphs=_offsets(b, subgraphs),
            Description=b.CreateString("made by hand"),
            Buffers=_offsets(b, buffers),
        )
        b.Finish(model, file_identifier=b"TFL3")
        return bytes(b.Output())


def _table(b: flatbuffers.Builder, name: str, **fields: Any) -> int:
    """A flatbuffer table; the fields' names are those of the schema's Add functions."""
    getattr(tflite, f"{name}Start")(b)
    for field, value in fields.items():
        getattr(tflite, f"{name}Add{field}")(b, value)
    return getattr(tflite, f"{name}End")(b)


def _offsets(b: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return b.EndVector()


def _ints(b: flatbuffers.Builder, values: Sequence[int]) -> int:
    return b.CreateNumpyVector(np.array(values, np.int32))


def _nibbles(data: np.ndarray) -> np.ndarray:
    """Two int4 in a byte, the first in its lower half."""
    flat = np.append(data, [0] * (data.size % 2)).astype(np.uint8) & 15
    return flat[::2] | flat[1::2] << 4


def _buffer(b: flatbuffers.Builder, data: bytes) -> int:
    if not data:
        return _table(b, "Buffer")
    # The schema aligns buffers to 16 bytes, so that kernels can read them in place.
    b.StartVector(1, len(data), 16)
    b.head -= len(data)
    b.Bytes[b.head : b.head + len(data)] = data
    return _table(b, "Buffer", Data=b.EndVector())


def _tensor(b: flatbuffers.Builder, tensor: Tensor, buffer: int) -> int:
    fields = {}
    if tensor.scales:
        fields["Quantization"] = _table(
            b,
            "QuantizationParameters",
            Scale=b.CreateNumpyVector(np.array(tensor.scales, np.float32)),
            ZeroPoint=b.CreateNumpyVector(np.array(tensor.zero_points, np.int64)),
            QuantizedDimension=tensor.quantized_dimension,
        )
    return _table(
        b,
        "Tensor",
        Shape=_ints(b, tensor.shape),
        Type=getattr(tflite.TensorType, tensor.dtype.upper()),
        Buffer=buffer,
        Name=b.CreateString(tensor.name),
        IsVariable=tensor.is_variable,
        **fields,
    )


def _operator(b: flatbuffers.Builder, op: Operator, code_index: int) -> int:
    fields = {}
    if op.options_table:
        fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, op.options_table)
        options = {key: b.CreateString(v) if isinstance(v, str) else v for key, v in op.options.items()}
        options = {key: _ints(b, v) if isinstance(v, tuple) else v for key, v in options.items()}
        fields["BuiltinOptions"] = _table(b, op.options_table, **options)
    if op.intermediates:
        fields["Intermediates"] = _ints(b, op.intermediates)
    return _table(
        b,
        "Operator",
        OpcodeIndex=code_index,
        Inputs=_ints(b, op.inputs),
        Outputs=_ints(b, op.outputs),
        **fields,
    )


def _operator_code(b: flatbuffers.Builder, name: str, version: int) -> int:
    code = getattr(tflite.BuiltinOperator, name)
    # Readers older than the int32 field look at the int8 one, which ends at 127.
    return _table(b, "OperatorCode", DeprecatedBuiltinCode=min(code, 127), BuiltinCode=code, Version=version)


def one_operator(
    layer: str,
    x_shape: Sequence[int],
    x_quant: Quant | None,
    *,
    second_quant: Quant | None = None,
    **parameters: Any,
) -> bytes:
    """A model of one operator: `layer` is the name of a ModelBuilder method.

    The input has this shape and quantisation (None: float32); `second_quant` is that of a
    second input of the same shape, for ADD.
    """
    model = ModelBuilder()
    inputs = [
        model.tensor(x_shape, "int8" if q else "float32", q)
        for q in ([x_quant] if second_quant is None else [x_quant, second_quant])
    ]
    return model.build(inputs, [getattr(model, layer)(*inputs, **parameters)])
