"""int8 .tflite files, read with the `tflite` schema package. TensorFlow is not needed."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import tflite

from ..errors import MidgeError
from ..graph import Graph, Node, Tensor

DTYPES = {
    tflite.TensorType.FLOAT32: "float32",
    tflite.TensorType.INT8: "int8",
    tflite.TensorType.UINT8: "uint8",
    tflite.TensorType.INT16: "int16",
    tflite.TensorType.INT32: "int32",
    tflite.TensorType.INT64: "int64",
    tflite.TensorType.BOOL: "bool",
}
ACTIVATIONS = {0: "NONE", 1: "RELU", 2: "RELU_N1_TO_1", 3: "RELU6"}
PADDINGS = {0: "SAME", 1: "VALID"}
OPERATOR_NAMES = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}

# Options to read, by operator: the options table, and its fields under our names.
_STRIDES = {"stride_h": "StrideH", "stride_w": "StrideW"}
_DILATION = {"dilation_h": "DilationHFactor", "dilation_w": "DilationWFactor"}
_FUSED = {"activation": "FusedActivationFunction"}
_POOL = {**_STRIDES, **_FUSED, "padding": "Padding", "kernel_h": "FilterHeight", "kernel_w": "FilterWidth"}
OPTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "CONV_2D": ("Conv2DOptions", {**_STRIDES, **_DILATION, **_FUSED, "padding": "Padding"}),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", {**_STRIDES, **_DILATION, **_FUSED, "padding": "Padding"}),
    "FULLY_CONNECTED": ("FullyConnectedOptions", {**_FUSED, "weights_format": "WeightsFormat"}),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _POOL),
    "MAX_POOL_2D": ("Pool2DOptions", _POOL),
    "MEAN": ("ReducerOptions", {"keep_dims": "KeepDims"}),
    "ADD": ("AddOptions", _FUSED),
    "SOFTMAX": ("SoftmaxOptions", {"beta": "Beta"}),
}


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
    subgraph = model.Subgraphs(0)
    tensors = [_tensor(model, subgraph.Tensors(i), where) for i in range(subgraph.TensorsLength())]
    nodes = [_node(model, subgraph.Operators(i), tensors) for i in range(subgraph.OperatorsLength())]
    _name_layers(nodes)
    name = re.sub(r"\.[^.]*$", "", where)
    return Graph(
        name,
        nodes,
        [_at(tensors, subgraph.Inputs(i)) for i in range(subgraph.InputsLength())],
        [_at(tensors, subgraph.Outputs(i)) for i in range(subgraph.OutputsLength())],
    )


def _at(tensors: list[Tensor], index: int) -> Tensor:
    if not 0 <= index < len(tensors):
        raise IndexError(f"tensor {index} of {len(tensors)}")
    return tensors[index]


def _tensor(model: Any, source: Any, where: str) -> Tensor:
    name = re.sub(r"\s", "_", (source.Name() or b"").decode("utf-8", "replace"))  # a .midge file has names line by line
    if source.Type() not in DTYPES:
        raise MidgeError(f"{where}: tensor {name!r} has a type midge does not know (TensorType {source.Type()})")
    shape = tuple(int(source.Shape(i)) for i in range(source.ShapeLength()))
    if any(d < 1 for d in shape):
        raise MidgeError(f"{where}: tensor {name!r} has shape {shape}; export the model with fixed shapes, batch 1")
    tensor = Tensor(name, shape, DTYPES[source.Type()])
    quantization = source.Quantization()
    if quantization is not None and quantization.ScaleLength():
        tensor.scale = np.array(quantization.ScaleAsNumpy(), np.float32).reshape(-1)
        if quantization.ZeroPointLength():
            tensor.zero_point = np.array(quantization.ZeroPointAsNumpy(), np.int64).reshape(-1)
        if tensor.zero_point.size != tensor.scale.size:
            tensor.zero_point = np.resize(tensor.zero_point, tensor.scale.size)
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
    return Node(kind, outputs[0].name if outputs else kind, inputs, outputs, _options(kind, source))


def _options(kind: str, source: Any) -> dict[str, Any]:
    if kind not in OPTIONS:
        return {}
    table_name, fields = OPTIONS[kind]
    table = getattr(tflite, table_name)()
    raw = source.BuiltinOptions()
    if raw is None:
        raise ValueError(f"{kind} without {table_name}")
    table.Init(raw.Bytes, raw.Pos)
    options = {ours: getattr(table, theirs)() for ours, theirs in fields.items()}
    if "activation" in options:
        options["activation"] = ACTIVATIONS.get(options["activation"], str(options["activation"]))
    if "padding" in options:
        options["padding"] = PADDINGS[options["padding"]]
    return options


def _name_layers(nodes: list[Node]) -> None:
    """Short unique names: `model/conv2d_1/Relu;model/...` becomes `conv2d_1`."""
    seen: dict[str, int] = {}
    for node in nodes:
        parts = [p for p in re.split(r"[/;]", node.name) if p]
        kept = [p for p in parts[:-1] if not re.match(r"(functional|model|sequential)(_\d+)?$", p)]
        name = re.sub(r"[^\w.-]", "_", (kept or parts or [node.kind])[0])[:24]
        seen[name] = seen.get(name, 0) + 1
        node.name = name if seen[name] == 1 else f"{name}.{seen[name]}"
