"""What the importer knows of each operator: its options, and the operator of the IR that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import EllipsisType
from typing import Any, NamedTuple

import tflite

from ...ir import operators as ir
from ...ir.graph import Node, Tensor
from ...ir.operators import NO_PADDING, Activation, Padding, Pair
from .node import FileNode

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
    "FULLY_CONNECTED": (
        "FullyConnectedOptions",
        {**_FUSED, "weights_format": "WeightsFormat", "keep_num_dims": "KeepNumDims"},
    ),
    "BATCH_MATMUL": ("BatchMatMulOptions", {"adj_x": "AdjX", "adj_y": "AdjY"}),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _POOL),
    "MAX_POOL_2D": ("Pool2DOptions", _POOL),
    "MEAN": _REDUCER,
    "SUM": _REDUCER,
    "REDUCE_PROD": _REDUCER,
    "REDUCE_MAX": _REDUCER,
    "REDUCE_MIN": _REDUCER,
    "ARG_MAX": ("ArgMaxOptions", {}),
    "ARG_MIN": ("ArgMinOptions", {}),
    "CUMSUM": ("CumsumOptions", {"exclusive": "Exclusive", "reverse": "Reverse"}),
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
    "SPLIT": ("SplitOptions", {}),
    "SPLIT_V": ("SplitVOptions", {}),
    "SQUEEZE": ("SqueezeOptions", {"axes": "SqueezeDimsAsNumpy"}),
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
    "MIRROR_PAD": ("MirrorPadOptions", {"mode": "Mode"}),
    "DEPTH_TO_SPACE": ("DepthToSpaceOptions", {"block": "BlockSize"}),
    "SPACE_TO_DEPTH": ("SpaceToDepthOptions", {"block": "BlockSize"}),
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


# From an operator of the file to one of the IR.


# Custom operators by the beginning of their names: what the file is, and the way out.
_CUSTOM = {
    "edgetpu-custom-op": ("it is compiled for the Edge TPU", "convert the .tflite that edgetpu_compiler was given"),
    "ethos-u": ("it is compiled for an Ethos-U", "convert the .tflite that Vela was given"),
    "Flex": (
        "it is an operator of TensorFlow itself (SELECT_TF_OPS)",
        "export the model with TFLITE_BUILTINS or TFLITE_BUILTINS_INT8 only",
    ),
    "TFLite_Detection_PostProcess": (
        "it makes boxes of what the network says, which model.detect does on the board",
        "export without it (export_tflite_ssd_graph.py --add_postprocessing_op=false; docs/detection.md, ssd)",
    ),
    "": (
        "only the runtime that it was made for has this operator",
        "leave it out and compute it in your script",
    ),
}
_LOOPS = ("WHILE", "IF")


def operator_of(node: FileNode) -> Node:
    if node.kind in OPERATORS:
        entry = OPERATORS[node.kind]
        return entry.make(entry.cls, node)
    if node.kind.startswith("CUSTOM:"):
        name = node.kind.partition(":")[2]
        raise node.refuse(*next(words for beginning, words in _CUSTOM.items() if name.startswith(beginning)))
    if node.kind in _LOOPS:
        raise node.refuse(
            "it is a loop or a branch, as TensorFlow's converter makes of recurrent layers of floats",
            "convert the Keras model itself (.keras), which midge unrolls, or export it quantised to int8",
        )
    present = [t for t in node.inputs if t is not None]
    return ir.Unknown(name=node.name, kind=node.kind, sources=present, results=node.outputs)


def _unary(cls: type[ir.Unary], node: FileNode) -> Node:
    """An operator of one tensor; what OPTIONS reads are parameters of the same names."""
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, **node.options)


def _binary(cls: type[ir.Binary], node: FileNode, **parameters: Any) -> Node:
    first, second = node.input(0), node.input(1)
    return cls(name=node.name, kind=node.kind, first=first, second=second, output=node.output, **parameters)


def _clamped(cls: type[ir.Clamped], node: FileNode) -> Node:
    return _binary(cls, node, activation=node.activation)


def same_padding(size: int, kernel: int, stride: int, dilation: int) -> Pair:
    """SAME: as many output pixels as strides fit; an odd padding has more behind (ComputePaddingWithOffset)."""
    out = -(-size // stride)
    total = max(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - size)
    return total // 2, total - total // 2


def _window(node: FileNode, kernel: Pair) -> dict[str, Any]:
    """Strides, padding and, of a convolution, dilations."""
    strides = node.pair("stride")
    dilates = "dilation_h" in node.options
    dilations = node.pair("dilation") if dilates else (1, 1)
    padding: Padding = NO_PADDING
    if node.options["padding"] == "SAME":
        axes = zip(node.sizes(node.input()), kernel, strides, dilations, strict=True)
        high, wide = (same_padding(*axis) for axis in axes)
        padding = (high, wide)
    window = {"strides": strides, "padding": padding}
    return {**window, "dilations": dilations} if dilates else window


def _weighted(cls: type[ir.Weighted], node: FileNode, at: tuple[int, int, int], **parameters: Any) -> Node:
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


def _conv(cls: type[ir.Weighted], node: FileNode) -> Node:
    return _weighted(cls, node, (0, 1, 2), **_window(node, node.sizes(node.input(1))))


def _transpose_conv(cls: type[ir.TransposeConv2D], node: FileNode) -> Node:
    kernel, strides = node.sizes(node.input(1)), node.pair("stride")
    source, output = node.sizes(node.input(2)), node.sizes(node.output)
    padding = []
    for size, n, k, s in zip(source, output, kernel, strides, strict=True):
        before = same_padding(n, k, s, 1)[0] if node.options["padding"] == "SAME" else 0
        padding.append((before, (size - 1) * s + k - n - before))
    return _weighted(cls, node, (2, 1, 3), strides=strides, padding=tuple(padding))


def _dense(cls: type[ir.Dense], node: FileNode) -> Node:
    if node.options["weights_format"]:
        raise node.refuse("its weights are shuffled")
    return _weighted(cls, node, (0, 1, 2))


def _pool(cls: type[ir.Pool], node: FileNode) -> Node:
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


def _reduction(cls: type[ir.Reduction], node: FileNode) -> Node:
    return cls(
        name=node.name,
        kind=node.kind,
        source=node.input(),
        output=node.output,
        axes=node.axes(1),
        keep_dims=bool(node.options["keep_dims"]),
    )


def _mat_mul(cls: type[ir.MatMul], node: FileNode) -> Node:
    return cls(
        name=node.name,
        kind=node.kind,
        first=node.input(0),
        second=node.input(1),
        output=node.output,
        transpose_first=bool(node.options["adj_x"]),
        transpose_second=bool(node.options["adj_y"]),
    )


def _cum_sum(cls: type[ir.CumSum], node: FileNode) -> Node:
    node.constant(1, "axis is", "use a constant axis")
    axis = node.axis(node.number(1), len(node.input().shape))
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, axis=axis, **node.options)


def _add_n(cls: type[ir.AddN], node: FileNode) -> Node:
    return cls(name=node.name, kind=node.kind, sources=_sources(node), output=node.output)


def _select(cls: type[ir.Select], node: FileNode) -> Node:
    condition, first, second = (node.input(i) for i in range(3))
    return cls(name=node.name, kind=node.kind, condition=condition, first=first, second=second, output=node.output)


def _arg_max(cls: type[ir.ArgMax] | type[ir.ArgMin], node: FileNode) -> Node:
    node.constant(1, "axis is", "use a constant axis")
    axis = node.axis(node.number(1), len(node.input().shape))
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, axis=axis)


def _l2_normalization(cls: type[ir.L2Normalize], node: FileNode) -> Node:
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, activation=node.activation)


def _sources(node: FileNode) -> list[Tensor]:
    return [node.input(i) for i in range(max(1, len(node.inputs)))]


def _squeeze(cls: type[ir.Reshape], node: FileNode) -> Node:
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output)


def _concatenation(cls: type[ir.Concatenate], node: FileNode) -> Node:
    return cls(
        name=node.name,
        kind=node.kind,
        sources=_sources(node),
        output=node.output,
        axis=node.axis(node.options["axis"], len(node.output.shape)),
        activation=node.activation,
    )


def _pack(cls: type[ir.Stack], node: FileNode) -> Node:
    axis = node.axis(node.options["axis"], len(node.output.shape))
    return cls(name=node.name, kind=node.kind, sources=_sources(node), output=node.output, axis=axis)


def _unpack(cls: type[ir.Unstack], node: FileNode) -> Node:
    axis = node.axis(node.options["axis"], len(node.input().shape))
    return cls(name=node.name, kind=node.kind, source=node.input(), parts=node.outputs, axis=axis)


def _split(cls: type[ir.Split], node: FileNode) -> Node:
    at, axis = (1, 0) if node.kind == "SPLIT" else (0, 2)  # the places of the tensor and of the axis
    source = node.input(at)
    along = node.axis(node.number(axis), len(source.shape))
    return cls(name=node.name, kind=node.kind, source=source, parts=node.outputs, axis=along)


def _slice(cls: type[ir.Slice], node: FileNode) -> Node:
    pairs = node.rows(1, 2)
    index = tuple(slice(begin, None if size == -1 else begin + size) for begin, size in pairs)
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, index=index)


def _strided_slice(cls: type[ir.Slice], node: FileNode) -> Node:
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


def _transpose(cls: type[ir.Transpose], node: FileNode) -> Node:
    axes = tuple(node.axis(a, len(node.input().shape)) for a in node.numbers(1))
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, axes=axes)


def _gather(cls: type[ir.Gather], node: FileNode) -> Node:
    axis = node.axis(node.options["axis"], len(node.input().shape))
    indexes, batch_dims = node.input(1), node.options["batch_dims"]
    return cls(
        name=node.name,
        kind=node.kind,
        source=node.input(),
        indexes=indexes,
        output=node.output,
        axis=axis,
        # Negative ones count from the rank of the indexes.
        batch_dims=batch_dims + len(indexes.shape) if batch_dims < 0 else batch_dims,
    )


def _embedding(cls: type[ir.Gather], node: FileNode) -> Node:
    return cls(name=node.name, kind=node.kind, source=node.input(1), indexes=node.input(0), output=node.output, axis=0)


def _fill(cls: type[ir.Broadcast], node: FileNode) -> Node:
    return cls(name=node.name, kind=node.kind, source=node.input(1), output=node.output)


def _range(cls: type[ir.Range], node: FileNode) -> Node:
    start, limit, step = (node.input(i) for i in range(3))
    return cls(name=node.name, kind=node.kind, start=start, limit=limit, step=step, output=node.output)


def _pad(cls: type[ir.Pad], node: FileNode) -> Node:
    node.constant(1, "paddings are", "use constant paddings")
    value = None
    if node.kind == "PADV2":
        values = node.constant(2, "value is", "use a constant value")
        if values.size != 1 or values.dtype != node.input().dtype:
            raise node.refuse(f"its value is {values.size} of {values.dtype}, not one {node.input().dtype}")
        value = values[0].item()
    return cls(
        name=node.name, kind=node.kind, source=node.input(), output=node.output, paddings=node.pairs(1), value=value
    )


def _mirror_pad(cls: type[ir.MirrorPad], node: FileNode) -> Node:
    node.constant(1, "paddings are", "use constant paddings")
    reflect = node.options["mode"] == tflite.MirrorPadMode.REFLECT
    return cls(
        name=node.name,
        kind=node.kind,
        source=node.input(),
        output=node.output,
        paddings=node.pairs(1),
        reflect=reflect,
    )


def _reverse(cls: type[ir.Reverse], node: FileNode) -> Node:
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, axes=node.axes(1))


def _space_to_batch(cls: type[ir.SpaceToBatch], node: FileNode) -> Node:
    block, paddings = tuple(node.numbers(1)), node.pairs(2)
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, block=block, paddings=paddings)


def _batch_to_space(cls: type[ir.BatchToSpace], node: FileNode) -> Node:
    block, crops = tuple(node.numbers(1)), node.pairs(2)
    return cls(name=node.name, kind=node.kind, source=node.input(), output=node.output, block=block, crops=crops)


def _lstm(cls: type[ir.Lstm], node: FileNode) -> Node:
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


def _svdf(cls: type[ir.Svdf], node: FileNode) -> Node:
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


# Versions by the type of the operand that decides.
_INT8_2 = {"int8": 2}
_BOTH_2 = {"int8": 2, "int16": 2}
_INT16_3 = {"int8": 2, "int16": 3}
_INT16_4 = {"int8": 2, "int16": 4}


class Entry(NamedTuple):
    """An operator of a file: its class in the IR, what makes that of a node, and the versions that write it, 1 where
    nothing is said of the type."""

    cls: type[Node]
    make: Callable[..., Node]
    versions: Mapping[str, int] = {}


OPERATORS: dict[str, Entry] = {
    "CONV_2D": Entry(ir.Conv2D, _conv, {"int8": 3, "int16": 4}),
    "DEPTHWISE_CONV_2D": Entry(ir.DepthwiseConv2D, _conv, {"float32": 2, "int8": 3, "int16": 5}),
    "TRANSPOSE_CONV": Entry(ir.TransposeConv2D, _transpose_conv, {"float32": 3, "int8": 3, "int16": 3}),
    "FULLY_CONNECTED": Entry(ir.Dense, _dense, {"int8": 4, "int16": 7}),
    "BATCH_MATMUL": Entry(ir.MatMul, _mat_mul, _INT16_3),
    "AVERAGE_POOL_2D": Entry(ir.AveragePool2D, _pool, _INT16_3),
    "MAX_POOL_2D": Entry(ir.MaxPool2D, _pool, _INT16_3),
    "MEAN": Entry(ir.Mean, _reduction, _INT16_3),
    "SUM": Entry(ir.Sum, _reduction, _INT8_2),
    "REDUCE_MAX": Entry(ir.ReduceMax, _reduction, _INT16_3),
    "REDUCE_PROD": Entry(ir.ReduceProd, _reduction, _BOTH_2),
    "REDUCE_MIN": Entry(ir.ReduceMin, _reduction, _INT16_3),
    "ARG_MAX": Entry(ir.ArgMax, _arg_max, _INT8_2),
    "ARG_MIN": Entry(ir.ArgMin, _arg_max, _INT8_2),
    "CUMSUM": Entry(ir.CumSum, _cum_sum),
    "ADD": Entry(ir.Add, _clamped, _INT16_3),
    "SUB": Entry(ir.Sub, _clamped, {"int8": 2, "int16": 5}),
    "MUL": Entry(ir.Mul, _clamped, {"int8": 3, "int16": 4}),
    "DIV": Entry(ir.Div, _clamped),
    "FLOOR_DIV": Entry(ir.FloorDiv, _binary, {"float32": 2, "int8": 3, "int16": 3}),
    "FLOOR_MOD": Entry(ir.FloorMod, _binary, _BOTH_2),
    "POW": Entry(ir.Pow, _binary),
    "SQUARED_DIFFERENCE": Entry(ir.SquaredDifference, _binary, _INT8_2),
    "ADD_N": Entry(ir.AddN, _add_n),
    "EQUAL": Entry(ir.Equal, _binary, _INT16_4),
    "NOT_EQUAL": Entry(ir.NotEqual, _binary, _INT8_2),
    "GREATER": Entry(ir.Greater, _binary, _INT8_2),
    "GREATER_EQUAL": Entry(ir.GreaterEqual, _binary, _INT16_3),
    "LESS": Entry(ir.Less, _binary, _INT16_3),
    "LESS_EQUAL": Entry(ir.LessEqual, _binary, _INT8_2),
    "LOGICAL_AND": Entry(ir.LogicalAnd, _binary),
    "LOGICAL_OR": Entry(ir.LogicalOr, _binary),
    "LOGICAL_NOT": Entry(ir.LogicalNot, _unary),
    "SELECT_V2": Entry(ir.Select, _select),  # the one that is written: the former TFLM does not have
    "SELECT": Entry(ir.Select, _select),
    "MAXIMUM": Entry(ir.Maximum, _binary, _INT16_4),
    "MINIMUM": Entry(ir.Minimum, _binary, _INT16_4),
    "PRELU": Entry(ir.PRelu, _binary),
    "LOGISTIC": Entry(ir.Logistic, _unary, _INT16_3),
    "TANH": Entry(ir.Tanh, _unary, _INT16_3),
    "HARD_SWISH": Entry(ir.HardSwish, _unary),
    "ELU": Entry(ir.Elu, _unary),
    "RELU": Entry(ir.Relu, _unary, _INT16_3),
    "RELU6": Entry(ir.Relu6, _unary, _INT16_3),
    "RELU_N1_TO_1": Entry(ir.ReluN1To1, _unary),
    "LEAKY_RELU": Entry(ir.LeakyRelu, _unary, {"int16": 2}),
    "GELU": Entry(ir.Gelu, _unary, _INT8_2),
    "ABS": Entry(ir.Abs, _unary, _INT16_3),
    "RSQRT": Entry(ir.Rsqrt, _unary, _INT16_3),
    "SQRT": Entry(ir.Sqrt, _unary),
    "EXP": Entry(ir.Exp, _unary, _BOTH_2),
    "LOG": Entry(ir.Log, _unary, _BOTH_2),
    "SIN": Entry(ir.Sin, _unary),
    "COS": Entry(ir.Cos, _unary),
    "NEG": Entry(ir.Neg, _unary),
    "SQUARE": Entry(ir.Square, _unary),
    "FLOOR": Entry(ir.Floor, _unary),
    "CEIL": Entry(ir.Ceil, _unary),
    "ROUND": Entry(ir.Round, _unary),
    "QUANTIZE": Entry(ir.Quantize, _unary),
    "DEQUANTIZE": Entry(ir.Dequantize, _unary, _INT16_3),
    "CAST": Entry(ir.Cast, _unary, {"int8": 3}),
    "SOFTMAX": Entry(ir.Softmax, _unary, _INT16_3),
    "LOG_SOFTMAX": Entry(ir.LogSoftmax, _unary, _INT8_2),
    "L2_NORMALIZATION": Entry(ir.L2Normalize, _l2_normalization, _INT8_2),
    "RESHAPE": Entry(ir.Reshape, _unary),
    "SQUEEZE": Entry(ir.Reshape, _squeeze),
    "EXPAND_DIMS": Entry(ir.Reshape, _unary),
    "CONCATENATION": Entry(ir.Concatenate, _concatenation, _INT16_3),
    "PACK": Entry(ir.Stack, _pack, _INT16_3),
    "UNPACK": Entry(ir.Unstack, _unpack, _INT16_4),
    "SPLIT": Entry(ir.Split, _split, _INT16_4),
    "SPLIT_V": Entry(ir.Split, _split, _INT8_2),
    "SLICE": Entry(ir.Slice, _slice, _INT16_4),
    "STRIDED_SLICE": Entry(ir.Slice, _strided_slice, _INT8_2),
    "TRANSPOSE": Entry(ir.Transpose, _transpose, {"int8": 2, "int16": 5}),
    "GATHER": Entry(ir.Gather, _gather, _INT16_4),
    "EMBEDDING_LOOKUP": Entry(ir.Gather, _embedding),
    "FILL": Entry(ir.Broadcast, _fill, {"int8": 3, "int16": 3}),
    "BROADCAST_TO": Entry(ir.Broadcast, _unary),
    "TILE": Entry(ir.Tile, _unary),
    "RANGE": Entry(ir.Range, _range),
    "PAD": Entry(ir.Pad, _pad, _INT16_3),
    "PADV2": Entry(ir.Pad, _pad, _INT16_3),
    "MIRROR_PAD": Entry(ir.MirrorPad, _mirror_pad, _INT16_3),
    "REVERSE_V2": Entry(ir.Reverse, _reverse, {"int8": 3}),
    "DEPTH_TO_SPACE": Entry(ir.DepthToSpace, _unary, _INT8_2),
    "SPACE_TO_DEPTH": Entry(ir.SpaceToDepth, _unary, _INT8_2),
    "SPACE_TO_BATCH_ND": Entry(ir.SpaceToBatch, _space_to_batch, _INT16_4),
    "BATCH_TO_SPACE_ND": Entry(ir.BatchToSpace, _batch_to_space, _INT16_4),
    "RESIZE_NEAREST_NEIGHBOR": Entry(ir.ResizeNearest, _unary, {"float32": 3, "int8": 3, "int16": 4}),
    "RESIZE_BILINEAR": Entry(ir.ResizeBilinear, _unary, {"float32": 3, "int8": 3, "int16": 4}),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Entry(ir.Lstm, _lstm),
    "SVDF": Entry(ir.Svdf, _svdf, {"int8": 3}),
}

# Operators that need no code on a device, by what they become.
WITHOUT_CODE = {
    "RESHAPE": "renames a tensor",
    "SQUEEZE": "renames a tensor",
    "EXPAND_DIMS": "renames a tensor",
    "SPACE_TO_BATCH_ND": "with BATCH_TO_SPACE_ND, the dilation of the convolution between them (Conv1D)",
    "BATCH_TO_SPACE_ND": "see SPACE_TO_BATCH_ND",
    "SHAPE": "a constant, as is all arithmetic on shapes and constants (CAST, FILL, RANGE, DIV, ...)",
    "RANK": "see SHAPE",
    "ZEROS_LIKE": "see SHAPE",
    "DENSIFY": "weights with their zeros: sparse ones are stored whole",
    "CALL_ONCE": "the state's first values: `load` and `reset` set them",
    "VAR_HANDLE": "memory that keeps its content between predictions",
    "READ_VARIABLE": "names that memory",
    "ASSIGN_VARIABLE": "nothing, where the layer before can write into that memory; else COPY",
}
