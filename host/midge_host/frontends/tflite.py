"""int8 .tflite files, read with the `tflite` schema package. TensorFlow is not needed."""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from types import EllipsisType
from typing import Any

import numpy as np
import tflite

from ..device import spec
from ..errors import MidgeError, UnsupportedError
from ..ir import operators as ir
from ..ir.evaluate import fold
from ..ir.graph import Edge, Graph, Node, Quantization, Tensor
from ..ir.operators import NO_PADDING, Activation, Padding, Pair
from . import Loaded, Request, read_file

DTYPES = {
    tflite.TensorType.FLOAT32: "float32",
    tflite.TensorType.INT8: "int8",
    tflite.TensorType.UINT8: "uint8",
    tflite.TensorType.INT16: "int16",
    tflite.TensorType.INT32: "int32",
    tflite.TensorType.INT64: "int64",
    tflite.TensorType.BOOL: "bool",
    tflite.TensorType.RESOURCE: "resource",  # what VAR_HANDLE gives: a name, no data
}
ACTIVATIONS = {v: k for k, v in vars(tflite.ActivationFunctionType).items() if isinstance(v, int)}
PADDINGS = {0: "SAME", 1: "VALID"}
OPERATOR_NAMES = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}

# Options to read, by operator: the options table, and its fields under our names.
_STRIDES = {"stride_h": "StrideH", "stride_w": "StrideW"}
_DILATION = {"dilation_h": "DilationHFactor", "dilation_w": "DilationWFactor"}
_FUSED = {"activation": "FusedActivationFunction"}
_POOL = {**_STRIDES, **_FUSED, "padding": "Padding", "kernel_h": "FilterHeight", "kernel_w": "FilterWidth"}
_REDUCER = ("ReducerOptions", {"keep_dims": "KeepDims"})
_RESIZE = {"align_corners": "AlignCorners", "half_pixel_centers": "HalfPixelCenters"}
OPTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "CONV_2D": ("Conv2DOptions", {**_STRIDES, **_DILATION, **_FUSED, "padding": "Padding"}),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", {**_STRIDES, **_DILATION, **_FUSED, "padding": "Padding"}),
    "TRANSPOSE_CONV": ("TransposeConvOptions", {**_STRIDES, **_FUSED, "padding": "Padding"}),
    "FULLY_CONNECTED": ("FullyConnectedOptions", {**_FUSED, "weights_format": "WeightsFormat"}),
    "BATCH_MATMUL": ("BatchMatMulOptions", {"adj_x": "AdjX", "adj_y": "AdjY"}),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _POOL),
    "MAX_POOL_2D": ("Pool2DOptions", _POOL),
    "MEAN": _REDUCER,
    "SUM": _REDUCER,
    "REDUCE_PROD": _REDUCER,
    "REDUCE_MAX": _REDUCER,
    "ADD": ("AddOptions", _FUSED),
    "SUB": ("SubOptions", _FUSED),
    "MUL": ("MulOptions", _FUSED),
    "DIV": ("DivOptions", _FUSED),
    "SOFTMAX": ("SoftmaxOptions", {"beta": "Beta"}),
    "LEAKY_RELU": ("LeakyReluOptions", {"alpha": "Alpha"}),
    "GELU": ("GeluOptions", {"is_approximate": "Approximate"}),
    "L2_NORMALIZATION": ("L2NormOptions", _FUSED),
    "CONCATENATION": ("ConcatenationOptions", {**_FUSED, "axis": "Axis"}),
    "PACK": ("PackOptions", {"axis": "Axis"}),
    "UNPACK": ("UnpackOptions", {"axis": "Axis"}),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        {
            "begin_mask": "BeginMask",
            "end_mask": "EndMask",
            "ellipsis_mask": "EllipsisMask",
            "new_axis_mask": "NewAxisMask",
            "shrink_axis_mask": "ShrinkAxisMask",
        },
    ),
    "GATHER": ("GatherOptions", {"axis": "Axis", "batch_dims": "BatchDims"}),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", _RESIZE),
    "RESIZE_BILINEAR": ("ResizeBilinearOptions", _RESIZE),
    "SVDF": ("SVDFOptions", {**_FUSED, "rank": "Rank"}),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (
        "UnidirectionalSequenceLSTMOptions",
        {**_FUSED, "cell_clip": "CellClip", "time_major": "TimeMajor"},
    ),
    "CALL_ONCE": ("CallOnceOptions", {"init_subgraph": "InitSubgraphIndex"}),
    "VAR_HANDLE": ("VarHandleOptions", {"container": "Container", "shared_name": "SharedName"}),
}
# A table without fields: all of them have the schema's defaults.
_NO_FIELDS = struct.pack("<HHi", 4, 4, 4)


def load(source: Path, request: Request) -> Loaded:
    """The graph of a .tflite file."""
    data = read_file(source)
    if request.calibration is not None:
        raise MidgeError(f"{source}: a .tflite is quantised already; --calibration goes with Keras models")
    return Loaded(load_tflite(data, source.name), data)


def load_tflite(data: bytes, where: str) -> Graph:
    """The graph in `data`; raises MidgeError naming `where` when it is no sound .tflite file."""
    if len(data) < 8 or data[4:8] != b"TFL3":
        raise MidgeError(f"{where}: not a TensorFlow Lite model (no TFL3 mark); export it with TFLiteConverter")
    try:
        file = _read(data, where)
    except MidgeError:
        raise
    except Exception as error:  # flatbuffers raises what struct and indexing raise on damaged offsets
        raise MidgeError(f"{where}: damaged .tflite file ({type(error).__name__}: {error}); export it again") from error
    return _graph(file, re.sub(r"\.[^.]*$", "", where))


@dataclass
class _Node:
    """An operator as the file has it."""

    kind: str
    name: str
    inputs: list[Tensor | None]
    outputs: list[Tensor]
    options: dict[str, Any]

    def refuse(self, reason: str, advice: str = "export the model again") -> UnsupportedError:
        return UnsupportedError(f"layer {self.name!r} ({self.kind}): {reason}; {advice}")

    def optional(self, index: int) -> Tensor | None:
        return self.inputs[index] if index < len(self.inputs) else None

    def input(self, index: int = 0) -> Tensor:
        tensor = self.optional(index)
        if tensor is None:
            raise self.refuse("an input is missing")
        return tensor

    @property
    def output(self) -> Tensor:
        if len(self.outputs) != 1:
            raise self.refuse(f"it has {len(self.outputs)} outputs, not one")
        return self.outputs[0]

    def constant(self, index: int, what: str, advice: str) -> np.ndarray:
        """The elements of input `index`, which must be a constant."""
        data = self.input(index).data
        if data is None:
            raise self.refuse(f"its {what} computed by the model", advice)
        return data.reshape(-1)

    def axis(self, value: Any, rank: int) -> int:
        """An axis that may count from the end, counted from 0."""
        if not -rank <= int(value) < rank:
            raise self.refuse(f"it has an axis {int(value)} of {rank} dimensions")
        return int(value) % rank

    def axes(self, index: int) -> tuple[int, ...]:
        rank = len(self.input().shape)
        self.constant(index, "axes are", "use constant axes")
        return tuple(sorted({self.axis(a, rank) for a in self.numbers(index)}))

    def numbers(self, index: int) -> list[int]:
        constants = self.constant(index, "parameters are", "use constant shapes, positions and axes")
        if constants.dtype.kind not in "iu":
            raise self.refuse(f"its parameters are {constants.dtype}")
        return [int(v) for v in constants]

    def pairs(self, index: int) -> tuple[Pair, ...]:
        numbers = self.numbers(index)
        if len(numbers) % 2:
            raise self.refuse(f"it has {len(numbers)} numbers where pairs should be")
        return tuple(zip(numbers[::2], numbers[1::2], strict=True))

    def rows(self, *indexes: int) -> list[tuple[int, ...]]:
        """The numbers of several inputs, one of each together."""
        columns = [self.numbers(index) for index in indexes]
        if len({len(column) for column in columns}) > 1:
            raise self.refuse("its positions and sizes have different lengths")
        return list(zip(*columns, strict=True))

    def number(self, index: int) -> int:
        numbers = self.numbers(index)
        if len(numbers) != 1:
            raise self.refuse(f"it has {len(numbers)} numbers where one should be")
        return numbers[0]

    @property
    def activation(self) -> Activation:
        name = self.options["activation"]
        if name not in Activation.__members__:
            raise self.refuse(f"its activation is {name}", "put the activation into a layer of its own")
        return Activation[name]

    def pair(self, option: str) -> Pair:
        pair = (int(self.options[f"{option}_h"]), int(self.options[f"{option}_w"]))
        if min(pair) < 1:
            raise self.refuse(f"its {option} is {pair}")
        return pair

    def sizes(self, tensor: Tensor) -> Pair:
        """Height and width of an image, or of the weights of a convolution."""
        if len(tensor.shape) != 4:
            raise self.refuse(f"tensor {tensor.name!r} has shape {tensor.shape}, which is not of 4 dimensions")
        return tensor.shape[1], tensor.shape[2]


@dataclass
class _File:
    """nodes, inputs, outputs: of the model's graph. once: the nodes of CALL_ONCE."""

    nodes: list[_Node]
    inputs: list[Tensor]
    outputs: list[Tensor]
    once: list[_Node]


def _read(data: bytes, where: str) -> _File:
    model = tflite.Model.GetRootAsModel(data, 0)
    if model.SubgraphsLength() < 1:
        raise MidgeError(f"{where}: the .tflite file holds no graph; export the model again")
    nodes, inputs, outputs = _subgraph(model, 0, where)
    calls = [node.options["init_subgraph"] for node in nodes if node.kind == "CALL_ONCE"]
    if len(calls) > 1 or not all(0 < index < model.SubgraphsLength() for index in calls):
        raise MidgeError(f"{where}: its variables have no initial values, or two; export the model again")
    return _File(nodes, inputs, outputs, _subgraph(model, calls[0], where)[0] if calls else [])


def _graph(file: _File, name: str) -> Graph:
    """Arithmetic on constants and shapes is computed while reading, as parameters of layers come of it."""
    operators: list[Node] = []
    variables = _initial_values(file.once)
    names = _variable_names(file.nodes)
    for node in file.nodes:
        if node.kind == "SHAPE":
            _fill_in_shape(node)
        elif node.kind not in ("CALL_ONCE", "VAR_HANDLE"):
            operator = _variable(node, names) if node.kind in VARIABLES else _operator(node)
            if not fold(operator):
                operators.append(operator)
    return Graph(name, operators, [Edge.of(t) for t in file.inputs], [Edge.of(t) for t in file.outputs], variables)


def _fill_in_shape(node: _Node) -> None:
    shape, output = node.input().shape, node.output
    if output.size != len(shape) or output.dtype not in ("int32", "int64"):
        raise node.refuse(f"it makes {output.dtype} {output.shape} of {len(shape)} dimensions")
    output.data = np.array(shape, output.dtype).reshape(output.shape)


def _subgraph(model: Any, index: int, where: str) -> tuple[list[_Node], list[Tensor], list[Tensor]]:
    """Its operators, inputs and outputs."""
    subgraph = model.Subgraphs(index)
    tensors = [_tensor(model, subgraph.Tensors(i), where) for i in range(subgraph.TensorsLength())]
    nodes = [_node(model, subgraph.Operators(i), tensors) for i in range(subgraph.OperatorsLength())]
    _name_layers(nodes)
    inputs = [_at(tensors, subgraph.Inputs(i)) for i in range(subgraph.InputsLength())]
    outputs = [_at(tensors, subgraph.Outputs(i)) for i in range(subgraph.OutputsLength())]
    # Only an LSTM's intermediates, which have no values, are written with shape (0,).
    for tensor in itertools.chain(inputs, outputs, *(n.inputs for n in nodes), *(n.outputs for n in nodes)):
        if tensor is not None and any(d < 1 for d in tensor.shape):
            reason = f"tensor {tensor.name!r} has shape {tensor.shape}"
            raise MidgeError(f"{where}: {reason}; export the model with fixed shapes, batch 1")
    return nodes, inputs, outputs


def _at(tensors: list[Tensor], index: int) -> Tensor:
    if not 0 <= index < len(tensors):
        raise IndexError(f"tensor {index} of {len(tensors)}")
    return tensors[index]


def _tensor(model: Any, source: Any, where: str) -> Tensor:
    name = re.sub(r"\s", "_", (source.Name() or b"").decode("utf-8", "replace"))  # a .midge file has names line by line
    if source.Type() not in DTYPES:
        raise MidgeError(f"{where}: tensor {name!r} has a type midge does not know (TensorType {source.Type()})")
    shape = tuple(int(source.Shape(i)) for i in range(source.ShapeLength()))
    if prod(shape) > spec.MAX_ARENA_BYTES:
        raise MidgeError(
            f"{where}: tensor {name!r} has shape {shape}: more than a board could hold; use a smaller model"
        )
    tensor = Tensor(name, shape, DTYPES[source.Type()], is_variable=bool(source.IsVariable()))
    quantization = source.Quantization()
    if quantization is not None and quantization.ScaleLength():
        scale = np.array(quantization.ScaleAsNumpy(), np.float32).reshape(-1)
        zero_point = np.zeros(0, np.int64)
        if quantization.ZeroPointLength():
            zero_point = np.array(quantization.ZeroPointAsNumpy(), np.int64).reshape(-1)
        if zero_point.size != scale.size:
            zero_point = np.resize(zero_point, scale.size)
        tensor.quantization = Quantization(scale, zero_point, quantization.QuantizedDimension())
    if tensor.dtype in ("int8", "uint8", "int16"):
        limits = np.iinfo(tensor.dtype)
        if np.any((tensor.zero_point < limits.min) | (tensor.zero_point > limits.max)):
            raise MidgeError(f"{where}: tensor {name!r} has an impossible zero point; export the model again")
    if not 0 <= source.Buffer() < model.BuffersLength():
        raise IndexError(f"buffer {source.Buffer()}")
    buffer = model.Buffers(source.Buffer())
    if buffer.DataLength():
        raw = buffer.DataAsNumpy().tobytes()
        expected = tensor.size * np.dtype(tensor.dtype).itemsize
        if len(raw) != expected:
            raise MidgeError(f"{where}: tensor {name!r} {shape} has {len(raw)} bytes of data, {expected} expected")
        tensor.data = np.frombuffer(raw, tensor.dtype).reshape(shape)
    return tensor


def _node(model: Any, source: Any, tensors: list[Tensor]) -> _Node:
    code = model.OperatorCodes(source.OpcodeIndex())
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    kind = OPERATOR_NAMES.get(builtin, f"operator {builtin}")
    if kind == "CUSTOM":
        kind = f"CUSTOM:{(code.CustomCode() or b'?').decode('utf-8', 'replace')}"
    indexes = [int(source.Inputs(i)) for i in range(source.InputsLength())]
    inputs = [_at(tensors, i) if i != -1 else None for i in indexes]
    outputs = [_at(tensors, int(source.Outputs(i))) for i in range(source.OutputsLength())]
    return _Node(kind, outputs[0].name if outputs else kind, inputs, outputs, _options(kind, source))


def _options(kind: str, source: Any) -> dict[str, Any]:
    if kind not in OPTIONS:
        return {}
    table_name, fields = OPTIONS[kind]
    table = getattr(tflite, table_name)()
    raw = source.BuiltinOptions()
    if raw is not None and source.BuiltinOptionsType() == getattr(tflite.BuiltinOptions, table_name):
        table.Init(raw.Bytes, raw.Pos)
    else:
        table.Init(_NO_FIELDS, 4)
    return {ours: _value(ours, getattr(table, theirs)()) for ours, theirs in fields.items()}


def _value(option: str, value: Any) -> Any:
    if option == "activation":
        return ACTIVATIONS.get(value, str(value))
    if option == "padding":
        return PADDINGS[value]
    if option in ("container", "shared_name"):
        return (value or b"").decode("utf-8", "replace")
    return value


def _name_layers(nodes: list[_Node]) -> None:
    """Short unique names: `model/conv2d_1/Relu;model/...` becomes `conv2d_1`."""
    seen: dict[str, int] = {}
    for node in nodes:
        parts = [p for p in re.split(r"[/;]", node.name) if p]
        kept = [p for p in parts[:-1] if not re.match(r"(functional|model|sequential)(_\d+)?$", p)]
        name = re.sub(r"[^\w.-]", "_", (kept or parts or [node.kind])[0])[:24]
        seen[name] = seen.get(name, 0) + 1
        node.name = name if seen[name] == 1 else f"{name}.{seen[name]}"


# From an operator of the file to one of the IR.


def _operator(node: _Node) -> Node:
    if node.kind in OPERATORS:
        cls, make = OPERATORS[node.kind]
        return make(cls, node)
    present = [t for t in node.inputs if t is not None]
    return ir.Unknown(name=node.name, kind=node.kind, sources=present, results=node.outputs)


def _unary(cls: type[ir.Unary], node: _Node) -> Node:
    """An operator of one tensor; what OPTIONS reads are parameters of the same names."""
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, **node.options)


def _binary(cls: type[ir.Binary], node: _Node, **parameters: Any) -> Node:
    first, second = node.input(0), node.input(1)
    return cls(name=node.name, kind=node.kind, first=first, second=second, output=node.output, **parameters)


def _clamped(cls: type[ir.Clamped], node: _Node) -> Node:
    return _binary(cls, node, activation=node.activation)


def _same_padding(size: int, kernel: int, stride: int, dilation: int) -> Pair:
    """SAME: as many output pixels as strides fit; an odd padding has more behind (ComputePaddingWithOffset)."""
    out = -(-size // stride)
    total = max(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - size)
    return total // 2, total - total // 2


def _window(node: _Node, kernel: Pair) -> dict[str, Any]:
    """Strides, padding and, of a convolution, dilations."""
    strides = node.pair("stride")
    dilates = "dilation_h" in node.options
    dilations = node.pair("dilation") if dilates else (1, 1)
    padding: Padding = NO_PADDING
    if node.options["padding"] == "SAME":
        axes = zip(node.sizes(node.input()), kernel, strides, dilations, strict=True)
        high, wide = (_same_padding(*axis) for axis in axes)
        padding = (high, wide)
    window = {"strides": strides, "padding": padding}
    return {**window, "dilations": dilations} if dilates else window


def _weighted(cls: type[ir.Weighted], node: _Node, at: tuple[int, int, int], **parameters: Any) -> Node:
    """at: the places of the source, the weights and the bias."""
    weights = node.input(at[1])
    if weights.quantization is not None:
        # The axis is the operator's; some exporters write another.
        weights.quantization = replace(weights.quantization, axis=cls.CHANNEL_AXIS)
    return cls(
        name=node.name,
        kind=node.kind,
        source=node.input(at[0]),
        weights=weights,
        bias=node.optional(at[2]),
        output=node.output,
        activation=node.activation,
        **parameters,
    )


def _conv(cls: type[ir.Weighted], node: _Node) -> Node:
    return _weighted(cls, node, (0, 1, 2), **_window(node, node.sizes(node.input(1))))


def _transpose_conv(cls: type[ir.TransposeConv2D], node: _Node) -> Node:
    kernel, strides = node.sizes(node.input(1)), node.pair("stride")
    source, output = node.sizes(node.input(2)), node.sizes(node.output)
    padding = []
    for size, n, k, s in zip(source, output, kernel, strides, strict=True):
        before = _same_padding(n, k, s, 1)[0] if node.options["padding"] == "SAME" else 0
        padding.append((before, (size - 1) * s + k - n - before))
    return _weighted(cls, node, (2, 1, 3), strides=strides, padding=tuple(padding))


def _dense(cls: type[ir.Dense], node: _Node) -> Node:
    if node.options["weights_format"]:
        raise node.refuse("its weights are shuffled")
    return _weighted(cls, node, (0, 1, 2))


def _pool(cls: type[ir.Pool], node: _Node) -> Node:
    kernel = node.pair("kernel")
    return cls(
        name=node.name,
        kind=node.kind,
        source=node.input(),
        output=node.output,
        kernel=kernel,
        activation=node.activation,
        **_window(node, kernel),
    )


def _reduction(cls: type[ir.Reduction], node: _Node) -> Node:
    return cls(
        name=node.name,
        kind=node.kind,
        source=node.input(),
        output=node.output,
        axes=node.axes(1),
        keep_dims=bool(node.options["keep_dims"]),
    )


def _mat_mul(cls: type[ir.MatMul], node: _Node) -> Node:
    return cls(
        name=node.name,
        kind=node.kind,
        first=node.input(0),
        second=node.input(1),
        output=node.output,
        transpose_first=bool(node.options["adj_x"]),
        transpose_second=bool(node.options["adj_y"]),
    )


def _arg_max(cls: type[ir.ArgMax], node: _Node) -> Node:
    node.constant(1, "axis is", "use a constant axis")
    axis = node.axis(node.number(1), len(node.input().shape))
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, axis=axis)


def _l2_normalization(cls: type[ir.L2Normalize], node: _Node) -> Node:
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, activation=node.activation)


def _sources(node: _Node) -> list[Tensor]:
    return [node.input(i) for i in range(max(1, len(node.inputs)))]


def _concatenation(cls: type[ir.Concatenate], node: _Node) -> Node:
    return cls(
        name=node.name,
        kind=node.kind,
        sources=_sources(node),
        output=node.output,
        axis=node.axis(node.options["axis"], len(node.output.shape)),
        activation=node.activation,
    )


def _pack(cls: type[ir.Stack], node: _Node) -> Node:
    axis = node.axis(node.options["axis"], len(node.output.shape))
    return cls(name=node.name, kind=node.kind, sources=_sources(node), output=node.output, axis=axis)


def _unpack(cls: type[ir.Unstack], node: _Node) -> Node:
    axis = node.axis(node.options["axis"], len(node.input().shape))
    return cls(name=node.name, kind=node.kind, source=node.input(), parts=node.outputs, axis=axis)


def _split(cls: type[ir.Split], node: _Node) -> Node:
    at, axis = (1, 0) if node.kind == "SPLIT" else (0, 2)  # the places of the tensor and of the axis
    source = node.input(at)
    along = node.axis(node.number(axis), len(source.shape))
    return cls(name=node.name, kind=node.kind, source=source, parts=node.outputs, axis=along)


def _slice(cls: type[ir.Slice], node: _Node) -> Node:
    pairs = node.rows(1, 2)
    index = tuple(slice(begin, None if size == -1 else begin + size) for begin, size in pairs)
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, index=index)


def _strided_slice(cls: type[ir.Slice], node: _Node) -> Node:
    index: list[slice | int | EllipsisType | None] = []
    masks = {name: node.options[f"{name}_mask"] for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    for i, (begin, end, stride) in enumerate(node.rows(1, 2, 3)):
        has = {name for name, mask in masks.items() if mask >> i & 1}
        if "ellipsis" in has:
            index.append(Ellipsis)
        elif "new_axis" in has:
            index.append(None)
        elif "shrink_axis" in has:
            index.append(begin)
        else:
            index.append(slice(None if "begin" in has else begin, None if "end" in has else end, stride))
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, index=tuple(index))


def _transpose(cls: type[ir.Transpose], node: _Node) -> Node:
    axes = tuple(node.axis(a, len(node.input().shape)) for a in node.numbers(1))
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, axes=axes)


def _gather(cls: type[ir.Gather], node: _Node) -> Node:
    if node.options["batch_dims"]:
        raise node.refuse("it has batch dimensions", "gather from one tensor for all batches")
    axis = node.axis(node.options["axis"], len(node.input().shape))
    indexes = node.input(1)
    return cls(name=node.name, kind=node.kind, source=node.input(), indexes=indexes, output=node.output, axis=axis)


def _fill(cls: type[ir.Broadcast], node: _Node) -> Node:
    return cls(name=node.name, kind=node.kind, source=node.input(1), output=node.output)


def _range(cls: type[ir.Range], node: _Node) -> Node:
    start, limit, step = (node.input(i) for i in range(3))
    return cls(name=node.name, kind=node.kind, start=start, limit=limit, step=step, output=node.output)


def _pad(cls: type[ir.Pad], node: _Node) -> Node:
    node.constant(1, "paddings are", "use constant paddings")
    value = None
    if node.kind == "PADV2":
        values = node.constant(2, "value is", "use a constant value")
        if values.size != 1:
            raise node.refuse(f"it has {values.size} values")
        value = values[0].item()
    return cls(
        name=node.name, kind=node.kind, source=node.input(), output=node.output, paddings=node.pairs(1), value=value
    )


def _space_to_batch(cls: type[ir.SpaceToBatch], node: _Node) -> Node:
    block, paddings = tuple(node.numbers(1)), node.pairs(2)
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, block=block, paddings=paddings)


def _batch_to_space(cls: type[ir.BatchToSpace], node: _Node) -> Node:
    block, crops = tuple(node.numbers(1)), node.pairs(2)
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, block=block, crops=crops)


def _lstm(cls: type[ir.Lstm], node: _Node) -> Node:
    # The places of the forget, input, cell and output gate's tensors.
    kernels, recurrent, biases = (2, 1, 3, 4), (6, 5, 7, 8), (13, 12, 14, 15)
    more = {"peephole weights": (9, 10, 11), "a projection": (16, 17), "layer normalisation": (20, 21, 22, 23)}
    for what, places in more.items():
        if any(node.optional(i) is not None for i in places):
            raise node.refuse(f"it has {what}", "TensorFlow Lite Micro takes no such LSTM; use a plain LSTM layer")
    if node.options["activation"] != "TANH":
        raise node.refuse(f"its activation is {node.options['activation']}, not TANH", "use the default activation")
    return cls(
        name=node.name,
        kind=node.kind,
        source=node.input(),
        kernels=[node.input(i) for i in kernels],
        recurrent=[node.input(i) for i in recurrent],
        biases=[node.input(i) for i in biases],
        hidden=node.input(18),
        cell=node.input(19),
        output=node.output,
        time_major=bool(node.options["time_major"]),
        cell_clip=node.options["cell_clip"],
    )


def _svdf(cls: type[ir.Svdf], node: _Node) -> Node:
    source = node.input()
    return cls(
        name=node.name,
        kind=node.kind,
        source=source,
        feature_weights=node.input(1),
        time_weights=node.input(2),
        bias=node.optional(3),
        state=node.input(4),
        output=node.output,
        rank=node.options["rank"],
        # TensorFlow Lite Micro looks at it for floats only.
        activation=node.activation if source.dtype == "float32" else Activation.NONE,
    )


# The class of each, and what makes it of a node.
OPERATORS: dict[str, tuple[type[Node], Callable[..., Node]]] = {
    "CONV_2D": (ir.Conv2D, _conv),
    "DEPTHWISE_CONV_2D": (ir.DepthwiseConv2D, _conv),
    "TRANSPOSE_CONV": (ir.TransposeConv2D, _transpose_conv),
    "FULLY_CONNECTED": (ir.Dense, _dense),
    "BATCH_MATMUL": (ir.MatMul, _mat_mul),
    "AVERAGE_POOL_2D": (ir.AveragePool2D, _pool),
    "MAX_POOL_2D": (ir.MaxPool2D, _pool),
    "MEAN": (ir.Mean, _reduction),
    "SUM": (ir.Sum, _reduction),
    "REDUCE_MAX": (ir.ReduceMax, _reduction),
    "REDUCE_PROD": (ir.ReduceProd, _reduction),
    "ARG_MAX": (ir.ArgMax, _arg_max),
    "ADD": (ir.Add, _clamped),
    "SUB": (ir.Sub, _clamped),
    "MUL": (ir.Mul, _clamped),
    "DIV": (ir.Div, _clamped),
    "FLOOR_DIV": (ir.FloorDiv, _binary),
    "MAXIMUM": (ir.Maximum, _binary),
    "MINIMUM": (ir.Minimum, _binary),
    "PRELU": (ir.PRelu, _binary),
    "LOGISTIC": (ir.Logistic, _unary),
    "TANH": (ir.Tanh, _unary),
    "HARD_SWISH": (ir.HardSwish, _unary),
    "ELU": (ir.Elu, _unary),
    "RELU": (ir.Relu, _unary),
    "RELU6": (ir.Relu6, _unary),
    "RELU_N1_TO_1": (ir.ReluN1To1, _unary),
    "LEAKY_RELU": (ir.LeakyRelu, _unary),
    "GELU": (ir.Gelu, _unary),
    "ABS": (ir.Abs, _unary),
    "RSQRT": (ir.Rsqrt, _unary),
    "SQRT": (ir.Sqrt, _unary),
    "EXP": (ir.Exp, _unary),
    "LOG": (ir.Log, _unary),
    "SIN": (ir.Sin, _unary),
    "COS": (ir.Cos, _unary),
    "NEG": (ir.Neg, _unary),
    "SQUARE": (ir.Square, _unary),
    "FLOOR": (ir.Floor, _unary),
    "CEIL": (ir.Ceil, _unary),
    "ROUND": (ir.Round, _unary),
    "QUANTIZE": (ir.Quantize, _unary),
    "DEQUANTIZE": (ir.Dequantize, _unary),
    "CAST": (ir.Cast, _unary),
    "SOFTMAX": (ir.Softmax, _unary),
    "LOG_SOFTMAX": (ir.LogSoftmax, _unary),
    "L2_NORMALIZATION": (ir.L2Normalize, _l2_normalization),
    "RESHAPE": (ir.Reshape, _unary),
    "SQUEEZE": (ir.Reshape, _unary),
    "EXPAND_DIMS": (ir.Reshape, _unary),
    "CONCATENATION": (ir.Concatenate, _concatenation),
    "PACK": (ir.Stack, _pack),
    "UNPACK": (ir.Unstack, _unpack),
    "SPLIT": (ir.Split, _split),
    "SPLIT_V": (ir.Split, _split),
    "SLICE": (ir.Slice, _slice),
    "STRIDED_SLICE": (ir.Slice, _strided_slice),
    "TRANSPOSE": (ir.Transpose, _transpose),
    "GATHER": (ir.Gather, _gather),
    "FILL": (ir.Broadcast, _fill),
    "BROADCAST_TO": (ir.Broadcast, _unary),
    "TILE": (ir.Tile, _unary),
    "RANGE": (ir.Range, _range),
    "PAD": (ir.Pad, _pad),
    "PADV2": (ir.Pad, _pad),
    "SPACE_TO_BATCH_ND": (ir.SpaceToBatch, _space_to_batch),
    "BATCH_TO_SPACE_ND": (ir.BatchToSpace, _batch_to_space),
    "RESIZE_NEAREST_NEIGHBOR": (ir.ResizeNearest, _unary),
    "RESIZE_BILINEAR": (ir.ResizeBilinear, _unary),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (ir.Lstm, _lstm),
    "SVDF": (ir.Svdf, _svdf),
}

# Operators that need no code on a device, by what they become.
WITHOUT_CODE = {
    "RESHAPE": "renames a tensor",
    "SQUEEZE": "renames a tensor",
    "EXPAND_DIMS": "renames a tensor",
    "SPACE_TO_BATCH_ND": "with BATCH_TO_SPACE_ND, the dilation of the convolution between them (Conv1D)",
    "BATCH_TO_SPACE_ND": "see SPACE_TO_BATCH_ND",
    "SHAPE": "a constant, as is all arithmetic on shapes and constants (GATHER, CAST, FILL, RANGE, DIV, ...)",
    "CALL_ONCE": "the state's first values: `load` and `reset` set them",
    "VAR_HANDLE": "memory that keeps its content between predictions",
    "READ_VARIABLE": "names that memory",
    "ASSIGN_VARIABLE": "nothing, where the layer before can write into that memory; else COPY",
}

# Variables: handles become names.

VARIABLES = ("READ_VARIABLE", "ASSIGN_VARIABLE")


def _variable(node: _Node, names: dict[int, str]) -> Node:
    variable = _variable_name(node, names)
    if node.kind == "READ_VARIABLE":
        return ir.ReadVariable(name=node.name, kind=node.kind, variable=variable, output=node.output)
    return ir.WriteVariable(name=node.name, kind=node.kind, variable=variable, source=node.input(1))


def _variable_names(nodes: list[_Node]) -> dict[int, str]:
    """Names of variables by the identity of their handles."""
    handles = [n for n in nodes if n.kind == "VAR_HANDLE"]
    return {id(n.output): f"{n.options['container']}/{n.options['shared_name']}".strip("/") for n in handles}


def _variable_name(node: _Node, names: dict[int, str]) -> str:
    name = names.get(id(node.input()))
    if name is None:
        raise node.refuse("its variable is computed")
    return name


def _initial_values(nodes: list[_Node]) -> dict[str, np.ndarray]:
    """The constants that the graph of CALL_ONCE gives the variables."""
    names = _variable_names(nodes)
    values = {}
    for node in nodes:
        if node.kind == "ASSIGN_VARIABLE":
            data = node.input(1).data
            if data is None:
                raise node.refuse("a variable's first value is not a constant")
            values[_variable_name(node, names)] = data
        elif node.kind != "VAR_HANDLE":
            raise node.refuse("it computes first values of variables", "initialise variables with constants")
    return values
