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
# What TensorFlow Lite fixes for the output of SOFTMAX and LOGISTIC.
PROBABILITY: Quant = (1 / 256, -128)

_TENSOR_TYPES = {
    np.dtype(dtype): getattr(tflite.TensorType, dtype.upper())
    for dtype in ("float32", "int8", "uint8", "int16", "int32", "int64")
}


class Tensor(NamedTuple):
    """One tensor of the model; `scales` and `zero_points` are empty if it is not quantised."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    quantized_dimension: int
    data: bytes

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


def window_output(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Output length of a convolution or pooling along one axis."""
    covered = 0 if padding == "SAME" else (kernel - 1) * dilation
    return -(-(size - covered) // stride)


class ModelBuilder:
    """Collects tensors and operators; `build` serialises them."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []

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
    ) -> int:
        """Add a tensor and return its index. `quant` is per tensor, `scales` per channel."""
        if quant is not None:
            scales, zero_points = [quant[0]], [quant[1]]
        self.tensors.append(
            Tensor(
                name or f"t{len(self.tensors)}",
                tuple(int(n) for n in shape),
                np.dtype(dtype),
                tuple(float(s) for s in scales),
                tuple(int(z) for z in zero_points) or (0,) * len(scales),
                quantized_dimension,
                b"" if data is None else data.tobytes(),
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
        **options: Any,
    ) -> None:
        """Add an operator by its schema name; options as in the schema, in CamelCase."""
        self.operators.append(Operator(code, version, tuple(inputs), tuple(outputs), options_table, options))

    # Layers: each adds one operator with its constants and returns the output's index.

    def _output(self, x: int, shape: Sequence[int], quant: Quant | None) -> int:
        return self.tensor(shape, quant=quant or self.tensors[x].quant)

    def _weights_and_bias(
        self,
        x: int,
        weights: np.ndarray,
        bias: np.ndarray | None,
        scales: float | Sequence[float],
        dimension: int,
    ) -> list[int]:
        """Constants of a layer with weights; several scales quantise `dimension` of them."""
        scales = np.atleast_1d(np.asarray(scales, np.float32))
        constants = [self.constant(weights, scales=scales, quantized_dimension=dimension)]
        if bias is not None:
            bias_scales = scales * np.float32(self.tensors[x].quant[0])
            constants.append(self.constant(bias.astype(np.int32), scales=bias_scales))
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
        **window: Any,
    ) -> int:
        """Weights are (output channels, height, width, input channels).

        `window`: strides, dilations (height and width each), padding, activation.
        """
        constants = self._weights_and_bias(x, weights, bias, weight_scales, 0)
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
        **window: Any,
    ) -> int:
        """Weights are (1, height, width, input channels × multiplier); `window` as in conv_2d."""
        constants = self._weights_and_bias(x, weights, bias, weight_scales, 3)
        channels = weights.shape[3]
        options = {
            "options_table": "DepthwiseConv2DOptions",
            "DepthMultiplier": channels // self.tensors[x].shape[3],
        }
        return self._convolution("DEPTHWISE_CONV_2D", x, constants, channels, quant, **window, **options)

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
    ) -> int:
        """Weights are (outputs, inputs); every run of `inputs` values in x is one row."""
        constants = self._weights_and_bias(x, weights, bias, weight_scales, 0)
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

    def mean(self, x: int, axes: Sequence[int], keep_dims: bool = False, quant: Quant | None = None) -> int:
        shape = self.tensors[x].shape
        reduced = {axis % len(shape) for axis in axes}
        kept = [1 if i in reduced else n for i, n in enumerate(shape)]
        if not keep_dims:
            kept = [n for i, n in enumerate(shape) if i not in reduced]
        y = self._output(x, kept, quant)
        self.op(
            "MEAN",
            [x, self.constant(np.array(axes, np.int32))],
            [y],
            version=2,
            options_table="ReducerOptions",
            KeepDims=keep_dims,
        )
        return y

    def add(self, a: int, b: int, quant: Quant | None = None, activation: str = "NONE") -> int:
        shape = np.broadcast_shapes(self.tensors[a].shape, self.tensors[b].shape)
        y = self._output(a, shape, quant)
        self.op(
            "ADD",
            [a, b],
            [y],
            version=2,
            options_table="AddOptions",
            FusedActivationFunction=getattr(tflite.ActivationFunctionType, activation),
        )
        return y

    def reshape(self, x: int, shape: Sequence[int]) -> int:
        y = self._output(x, shape, None)
        self.op("RESHAPE", [x, self.constant(np.array(shape, np.int32))], [y])
        return y

    def softmax(self, x: int, beta: float = 1.0) -> int:
        y = self._output(x, self.tensors[x].shape, PROBABILITY)
        self.op("SOFTMAX", [x], [y], version=2, options_table="SoftmaxOptions", Beta=beta)
        return y

    def _elementwise(self, code: str, x: int, quant: Quant | None) -> int:
        y = self._output(x, self.tensors[x].shape, quant)
        self.op(code, [x], [y], version=2)
        return y

    def logistic(self, x: int) -> int:
        return self._elementwise("LOGISTIC", x, PROBABILITY)

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
            [x, self.constant(np.array(paddings, np.int32))],
            [y],
            version=2,
            options_table="PadOptions",
        )
        return y

    def quantize(self, x: int, quant: Quant) -> int:
        """float32 to int8."""
        y = self.tensor(self.tensors[x].shape, quant=quant)
        self.op("QUANTIZE", [x], [y], options_table="QuantizeOptions")
        return y

    def dequantize(self, x: int) -> int:
        """int8 to float32."""
        y = self.tensor(self.tensors[x].shape, "float32")
        self.op("DEQUANTIZE", [x], [y], version=2, options_table="DequantizeOptions")
        return y

    def build(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The .tflite file with the given tensors as the model's inputs and outputs."""
        b = flatbuffers.Builder(1024)
        codes = list(dict.fromkeys((op.code, op.version) for op in self.operators))
        # Buffer 0 is the empty one that every tensor without data refers to.
        buffers, tensors = [_buffer(b, b"")], []
        for tensor in self.tensors:
            tensors.append(_tensor(b, tensor, len(buffers) if tensor.data else 0))
            if tensor.data:
                buffers.append(_buffer(b, tensor.data))
        operators = [_operator(b, op, codes.index((op.code, op.version))) for op in self.operators]
        graph = _table(
            b,
            "SubGraph",
            Tensors=_offsets(b, tensors),
            Inputs=_ints(b, inputs),
            Outputs=_ints(b, outputs),
            Operators=_offsets(b, operators),
            Name=b.CreateString("main"),
        )
        model = _table(
            b,
            "Model",
            Version=3,
            OperatorCodes=_offsets(b, [_operator_code(b, *code) for code in codes]),
            Subgraphs=_offsets(b, [graph]),
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
        Type=_TENSOR_TYPES[tensor.dtype],
        Buffer=buffer,
        Name=b.CreateString(tensor.name),
        **fields,
    )


def _operator(b: flatbuffers.Builder, op: Operator, code_index: int) -> int:
    fields = {}
    if op.options_table:
        fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, op.options_table)
        fields["BuiltinOptions"] = _table(b, op.options_table, **op.options)
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
