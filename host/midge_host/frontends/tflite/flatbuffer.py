"""A .tflite file put together: tensors, operators and constants, by the names that the schema has for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import tflite

ALIGNMENT = 16  # of constants, as the schema demands, so that kernels read them in place
SCHEMA_VERSION = 3


@dataclass(frozen=True)
class FileTensor:
    """scales: none of a tensor that is not quantised; more than one are those along `axis`."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    data: bytes = b""
    scales: Sequence[float] = ()
    zero_points: Sequence[int] = ()
    axis: int = 0
    is_variable: bool = False


@dataclass(frozen=True)
class FileOperator:
    """inputs, outputs, intermediates: tensors by index, -1 for none. options: fields of `table`."""

    kind: str
    version: int
    inputs: Sequence[int]
    outputs: Sequence[int]
    table: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    intermediates: Sequence[int] = ()


@dataclass
class FileGraph:
    """inputs and outputs: tensors by index, with the names that the model's signature gives them."""

    name: str
    tensors: list[FileTensor] = field(default_factory=list)
    operators: list[FileOperator] = field(default_factory=list)
    inputs: list[tuple[str, int]] = field(default_factory=list)
    outputs: list[tuple[str, int]] = field(default_factory=list)

    def add(self, tensor: FileTensor) -> int:
        """The index of a new tensor."""
        self.tensors.append(tensor)
        return len(self.tensors) - 1


def to_bytes(graphs: Sequence[FileGraph]) -> bytes:
    """The file. Its signature `serving_default` is that of the first graph."""
    b = flatbuffers.Builder(1024)
    codes = list(dict.fromkeys((op.kind, op.version) for graph in graphs for op in graph.operators))
    buffers = [_table(b, "Buffer")]  # the empty one of all that is no constant
    subgraphs = []
    for graph in graphs:
        tensors = []
        for tensor in graph.tensors:
            tensors.append(_tensor(b, tensor, len(buffers) if tensor.data else 0))
            if tensor.data:
                buffers.append(_buffer(b, tensor.data))
        operators = [_operator(b, op, codes.index((op.kind, op.version))) for op in graph.operators]
        subgraphs.append(
            _table(
                b,
                "SubGraph",
                Tensors=_offsets(b, tensors),
                Inputs=_ints(b, [index for _, index in graph.inputs]),
                Outputs=_ints(b, [index for _, index in graph.outputs]),
                Operators=_offsets(b, operators),
                Name=b.CreateString(graph.name),
            )
        )
    model = _table(
        b,
        "Model",
        Version=SCHEMA_VERSION,
        OperatorCodes=_offsets(b, [_code(b, *code) for code in codes]),
        Subgraphs=_offsets(b, subgraphs),
        Description=b.CreateString("midge"),
        Buffers=_offsets(b, buffers),
        SignatureDefs=_offsets(b, [_signature(b, graphs[0])]),
    )
    b.Finish(model, file_identifier=b"TFL3")
    return bytes(b.Output())


def _table(b: flatbuffers.Builder, name: str, **fields: Any) -> int:
    """A table; the fields are those of the schema package's Add functions."""
    getattr(tflite, f"{name}Start")(b)
    for field_name, value in fields.items():
        getattr(tflite, f"{name}Add{field_name}")(b, value)
    return getattr(tflite, f"{name}End")(b)


def _offsets(b: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return b.EndVector()


def _ints(b: flatbuffers.Builder, values: Iterable[int]) -> int:
    return b.CreateNumpyVector(np.array(list(values), np.int32))


def _buffer(b: flatbuffers.Builder, data: bytes) -> int:
    b.StartVector(1, len(data), ALIGNMENT)
    b.head -= len(data)
    b.Bytes[b.head : b.head + len(data)] = data
    return _table(b, "Buffer", Data=b.EndVector())


def _tensor(b: flatbuffers.Builder, tensor: FileTensor, buffer: int) -> int:
    fields = {}
    if len(tensor.scales):
        fields["Quantization"] = _table(
            b,
            "QuantizationParameters",
            Scale=b.CreateNumpyVector(np.array(tensor.scales, np.float32)),
            ZeroPoint=b.CreateNumpyVector(np.array(tensor.zero_points, np.int64)),
            QuantizedDimension=tensor.axis,
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


def _operator(b: flatbuffers.Builder, op: FileOperator, code: int) -> int:
    fields = {}
    if op.table:
        options = {key: b.CreateString(value) if isinstance(value, str) else value for key, value in op.options.items()}
        fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, op.table)
        fields["BuiltinOptions"] = _table(b, op.table, **options)
    if op.intermediates:
        fields["Intermediates"] = _ints(b, op.intermediates)
    return _table(b, "Operator", OpcodeIndex=code, Inputs=_ints(b, op.inputs), Outputs=_ints(b, op.outputs), **fields)


def _code(b: flatbuffers.Builder, kind: str, version: int) -> int:
    code = getattr(tflite.BuiltinOperator, kind)
    # Old readers look at the field of one byte, the others at the larger of both.
    deprecated = min(code, tflite.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)
    return _table(b, "OperatorCode", DeprecatedBuiltinCode=deprecated, BuiltinCode=code, Version=version)


def _signature(b: flatbuffers.Builder, graph: FileGraph) -> int:
    def names(edges: Sequence[tuple[str, int]]) -> int:
        maps = [_table(b, "TensorMap", Name=b.CreateString(name), TensorIndex=index) for name, index in edges]
        return _offsets(b, maps)

    return _table(
        b,
        "SignatureDef",
        Inputs=names(graph.inputs),
        Outputs=names(graph.outputs),
        SignatureKey=b.CreateString("serving_default"),
        SubgraphIndex=0,
    )
