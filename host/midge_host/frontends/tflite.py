"""int8 .tflite files, read with the `tflite` schema package. TensorFlow is not needed."""

from __future__ import annotations

import itertools
import re
import struct
from math import prod
from typing import Any

import numpy as np
import tflite

from ..device import spec
from ..errors import MidgeError
from ..ir.graph import Graph, Node, Tensor

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
ACTIVATIONS = {0: "NONE", 1: "RELU", 2: "RELU_N1_TO_1", 3: "RELU6", 4: "TANH"}
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
    "GELU": ("GeluOptions", {"approximate": "Approximate"}),
    "L2_NORMALIZATION": ("L2NormOptions", _FUSED),
    "ARG_MAX": ("ArgMaxOptions", {"output_type": "OutputType"}),
    "CONCATENATION": ("ConcatenationOptions", {**_FUSED, "axis": "Axis"}),
    "SPLIT": ("SplitOptions", {"num_splits": "NumSplits"}),
    "SPLIT_V": ("SplitVOptions", {"num_splits": "NumSplits"}),
    "PACK": ("PackOptions", {"values_count": "ValuesCount", "axis": "Axis"}),
    "UNPACK": ("UnpackOptions", {"num": "Num", "axis": "Axis"}),
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
    "SQUEEZE": ("SqueezeOptions", {"squeeze_dims": "SqueezeDimsAsNumpy"}),
    "SHAPE": ("ShapeOptions", {"out_type": "OutType"}),
    "GATHER": ("GatherOptions", {"axis": "Axis", "batch_dims": "BatchDims"}),
    "CAST": ("CastOptions", {"in_type": "InDataType", "out_type": "OutDataType"}),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", _RESIZE),
    "RESIZE_BILINEAR": ("ResizeBilinearOptions", _RESIZE),
    "SVDF": ("SVDFOptions", {**_FUSED, "rank": "Rank"}),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (
        "UnidirectionalSequenceLSTMOptions",
        {**_FUSED, "cell_clip": "CellClip", "proj_clip": "ProjClip", "time_major": "TimeMajor"},
    ),
    "CALL_ONCE": ("CallOnceOptions", {"init_subgraph": "InitSubgraphIndex"}),
    "VAR_HANDLE": ("VarHandleOptions", {"container": "Container", "shared_name": "SharedName"}),
}
# A table without fields: all of them have the schema's defaults.
_NO_FIELDS = struct.pack("<HHi", 4, 4, 4)


def load_tflite(data: bytes, where: str) -> Graph:
    """The graph in `data`; raises MidgeError naming `where` when it is no sound .tflite file."""
    if len(data) < 8 or data[4:8] != b"TFL3":
        raise MidgeError(f"{where}: not a TensorFlow Lite model (no TFL3 mark); export it with TFLiteConverter")
    try:
        return _read(data, where)
    except MidgeError:
        raise
    except Exception as error:  # flatbuffers raises what struct and indexing raise on damaged offsets
        raise MidgeError(f"{where}: damaged .tflite file ({type(error).__name__}: {error}); export it again") from error


def _read(data: bytes, where: str) -> Graph:
    model = tflite.Model.GetRootAsModel(data, 0)
    if model.SubgraphsLength() < 1:
        raise MidgeError(f"{where}: the .tflite file holds no graph; export the model again")
    graph = _graph(model, 0, where)
    for node in graph.nodes:
        if node.kind == "CALL_ONCE":
            index = node.options["init_subgraph"]
            if not 0 < index < model.SubgraphsLength() or graph.init is not None:
                raise MidgeError(f"{where}: its variables have no initial values, or two; export the model again")
            graph.init = _graph(model, index, where)
    return graph


def _graph(model: Any, index: int, where: str) -> Graph:
    subgraph = model.Subgraphs(index)
    tensors = [_tensor(model, subgraph.Tensors(i), where) for i in range(subgraph.TensorsLength())]
    nodes = [_node(model, subgraph.Operators(i), tensors) for i in range(subgraph.OperatorsLength())]
    _name_layers(nodes)
    inputs = [_at(tensors, subgraph.Inputs(i)) for i in range(subgraph.InputsLength())]
    outputs = [_at(tensors, subgraph.Outputs(i)) for i in range(subgraph.OutputsLength())]
    # Only an LSTM's intermediates, which have no values, are written with shape (0,).
    for tensor in itertools.chain(inputs, outputs, *(n.inputs + n.outputs for n in nodes)):
        if tensor is not None and any(d < 1 for d in tensor.shape):
            reason = f"tensor {tensor.name!r} has shape {tensor.shape}"
            raise MidgeError(f"{where}: {reason}; export the model with fixed shapes, batch 1")
    return Graph(re.sub(r"\.[^.]*$", "", where), nodes, inputs, outputs)


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
        tensor.scale = np.array(quantization.ScaleAsNumpy(), np.float32).reshape(-1)
        if quantization.ZeroPointLength():
            tensor.zero_point = np.array(quantization.ZeroPointAsNumpy(), np.int64).reshape(-1)
        if tensor.zero_point.size != tensor.scale.size:
            tensor.zero_point = np.resize(tensor.zero_point, tensor.scale.size)
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


def _node(model: Any, source: Any, tensors: list[Tensor]) -> Node:
    code = model.OperatorCodes(source.OpcodeIndex())
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    kind = OPERATOR_NAMES.get(builtin, f"operator {builtin}")
    if kind == "CUSTOM":
        kind = f"CUSTOM:{(code.CustomCode() or b'?').decode('utf-8', 'replace')}"
    indexes = [int(source.Inputs(i)) for i in range(source.InputsLength())]
    inputs = [_at(tensors, i) if i != -1 else None for i in indexes]
    outputs = [_at(tensors, int(source.Outputs(i))) for i in range(source.OutputsLength())]
    intermediates = [_at(tensors, int(source.Intermediates(i))) for i in range(source.IntermediatesLength())]
    name = outputs[0].name if outputs else kind
    return Node(kind, name, inputs, outputs, _options(kind, source), intermediates)


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
    if option.endswith("_type"):
        return DTYPES[value]
    if option == "squeeze_dims":
        return tuple(np.atleast_1d(value).tolist()) if isinstance(value, np.ndarray) else ()  # an absent vector is 0
    if option in ("container", "shared_name"):
        return (value or b"").decode("utf-8", "replace")
    return value


def _name_layers(nodes: list[Node]) -> None:
    """Short unique names: `model/conv2d_1/Relu;model/...` becomes `conv2d_1`."""
    seen: dict[str, int] = {}
    for node in nodes:
        parts = [p for p in re.split(r"[/;]", node.name) if p]
        kept = [p for p in parts[:-1] if not re.match(r"(functional|model|sequential)(_\d+)?$", p)]
        name = re.sub(r"[^\w.-]", "_", (kept or parts or [node.kind])[0])[:24]
        seen[name] = seen.get(name, 0) + 1
        node.name = name if seen[name] == 1 else f"{name}.{seen[name]}"
