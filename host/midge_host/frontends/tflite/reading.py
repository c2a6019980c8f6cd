"""The flatbuffer: tensors, and operators with their options."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from math import prod
from typing import Any

import flatbuffers
import numpy as np
import tflite

from ...device import spec
from ...errors import MidgeError
from ...ir.graph import Quantization, Tensor
from . import signal
from .node import FileNode
from .operators import OPTIONS
from .sparse import dense

DTYPES = {
    tflite.TensorType.FLOAT32: "float32",
    tflite.TensorType.FLOAT16: "float16",  # read as float32
    tflite.TensorType.INT4: "int4",  # constants are read as int8
    tflite.TensorType.INT8: "int8",
    tflite.TensorType.UINT8: "uint8",
    tflite.TensorType.INT16: "int16",
    tflite.TensorType.INT32: "int32",
    tflite.TensorType.INT64: "int64",
    tflite.TensorType.UINT32: "uint32",  # of Signal operators
    tflite.TensorType.UINT64: "uint64",
    tflite.TensorType.BOOL: "bool",
    tflite.TensorType.RESOURCE: "resource",  # what VAR_HANDLE gives: a name, no data
}
ACTIVATIONS = {v: k for k, v in vars(tflite.ActivationFunctionType).items() if isinstance(v, int)}
PADDINGS = {0: "SAME", 1: "VALID"}
TYPE_NAMES = {v: k for k, v in vars(tflite.TensorType).items() if isinstance(v, int)}
OPERATOR_NAMES = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
_BUILTIN_CODE = 10  # the place of OperatorCode's field builtin_code in its vtable
# A table without fields: all of them have the schema's defaults.
_NO_FIELDS = struct.pack("<HHi", 4, 4, 4)


@dataclass
class File:
    """nodes, inputs, outputs: of the model's graph. names: of its inputs and outputs in the signature. once: the nodes
    of CALL_ONCE. placeholders: the dimensions that the file leaves open, of tensors by their id. notes: what the user
    should hear, in words."""

    nodes: list[FileNode]
    inputs: list[Tensor]
    outputs: list[Tensor]
    names: tuple[dict[int, str], dict[int, str]]
    once: list[FileNode]
    placeholders: dict[int, set[int]]
    notes: list[str]


class _Tensors:
    """The tensors of a subgraph, each read when an operator asks for it: what nothing uses is left alone."""

    def __init__(self, model: Any, subgraph: Any, data: bytes, where: str) -> None:
        self._model, self._subgraph, self._data, self._where = model, subgraph, data, where
        self._read: dict[int, Tensor] = {}
        self.placeholders: dict[int, set[int]] = {}
        self.halves = 0  # constants of float16

    def __getitem__(self, index: int) -> Tensor:
        if not 0 <= index < self._subgraph.TensorsLength():
            raise IndexError(f"tensor {index} of {self._subgraph.TensorsLength()}")
        if index not in self._read:
            self._read[index] = self._tensor(self._subgraph.Tensors(index))
        return self._read[index]

    def _tensor(self, source: Any) -> Tensor:
        name = re.sub(r"\s", "_", (source.Name() or b"").decode("utf-8", "replace"))  # a .midge file has a name a line
        where = f"{self._where}: tensor {name!r}"
        if source.Type() not in DTYPES:
            kind = TYPE_NAMES.get(source.Type(), f"TensorType {source.Type()}")
            raise MidgeError(f"{where} has a type midge does not know ({kind}); use float32, or integers up to 32 bits")
        shape = tuple(int(source.Shape(i)) for i in range(source.ShapeLength()))
        if prod(shape) > spec.MAX_ARENA_BYTES:
            raise MidgeError(f"{where} has shape {shape}: more than a board could hold; use a smaller model")
        tensor = Tensor(name, shape, DTYPES[source.Type()], is_variable=bool(source.IsVariable()))
        tensor.quantization = _quantization(source.Quantization(), tensor, where)
        tensor.data = self._constant(source, tensor, where)
        if tensor.dtype == "float16":
            tensor.dtype = "float32"
            if tensor.data is not None:
                tensor.data = tensor.data.astype(np.float32)
                self.halves += 1
        signature = [source.ShapeSignature(i) for i in range(source.ShapeSignatureLength())]
        open_axes = {i for sizes in (signature, shape) for i, n in enumerate(sizes) if n < 0}
        if tensor.data is None and open_axes:
            self.placeholders[id(tensor)] = open_axes
        return tensor

    def _constant(self, source: Any, tensor: Tensor, where: str) -> np.ndarray | None:
        """The elements of a constant; None of what the model computes."""
        raw = self._buffer(source.Buffer())
        if not raw:
            is_empty = tensor.size == 0 and source.Buffer() != 0
            return np.zeros(tensor.shape, tensor.dtype) if is_empty else None
        if tensor.dtype == "int4":
            expected = -(-tensor.size // 2)
            if len(raw) != expected:
                raise MidgeError(f"{where} {tensor.shape} has {len(raw)} bytes of data, {expected} expected")
            tensor.dtype, raw = "int8", _unpacked(raw)[: tensor.size]
        itemsize = np.dtype(tensor.dtype).itemsize
        if source.Sparsity() is not None:
            values = np.frombuffer(raw[: len(raw) // itemsize * itemsize], tensor.dtype)
            return dense(source.Sparsity(), tensor.shape, values)
        if len(raw) != tensor.size * itemsize:
            expected = tensor.size * itemsize
            raise MidgeError(f"{where} {tensor.shape} has {len(raw)} bytes of data, {expected} expected")
        return np.frombuffer(raw, tensor.dtype).reshape(tensor.shape)

    def _buffer(self, index: int) -> bytes:
        """Inside the flatbuffer, or behind it: there offsets count from the beginning of the file."""
        if not 0 <= index < self._model.BuffersLength():
            raise IndexError(f"buffer {index}")
        buffer = self._model.Buffers(index)
        offset, size = buffer.Offset(), buffer.Size()
        if offset <= 1:  # 1 is a placeholder of writers
            return buffer.DataAsNumpy().tobytes() if buffer.DataLength() else b""
        if offset + size > len(self._data):
            raise IndexError(f"buffer {index} ends at {offset + size} of {len(self._data)} bytes")
        return self._data[offset : offset + size]


def _unpacked(raw: bytes) -> bytes:
    """Two int4 of each byte as int8, that in the lower four bits first."""
    pairs = np.frombuffer(raw, np.int8)
    return np.stack([pairs << 4 >> 4, pairs >> 4], 1).tobytes()


def _quantization(source: Any, tensor: Tensor, where: str) -> Quantization | None:
    """None of floats, whatever the file says."""
    if source is None or not source.ScaleLength() or tensor.dtype in ("float32", "float16"):
        return None
    scale = np.array(source.ScaleAsNumpy(), np.float32).reshape(-1)
    zero_point = np.zeros(0, np.int64)
    if source.ZeroPointLength():
        zero_point = np.array(source.ZeroPointAsNumpy(), np.int64).reshape(-1)
    if zero_point.size != scale.size:
        zero_point = np.resize(zero_point, scale.size)
    if tensor.dtype in ("int8", "uint8", "int16"):
        limits = np.iinfo(tensor.dtype)
        if np.any((zero_point < limits.min) | (zero_point > limits.max)):
            raise MidgeError(f"{where} has an impossible zero point; export the model again")
    return Quantization(scale, zero_point, source.QuantizedDimension())


def read(data: bytes, where: str, signature: str | None = None) -> File:
    """signature: the one to read, by its key, of a file with several."""
    model = tflite.Model.GetRootAsModel(data, 0)
    if model.SubgraphsLength() < 1:
        raise MidgeError(f"{where}: the .tflite file holds no graph; export the model again")
    chosen, notes = _signature(model, where, signature)
    main = chosen.SubgraphIndex() if chosen is not None else 0
    if not 0 <= main < model.SubgraphsLength():
        raise IndexError(f"subgraph {main}")
    subgraph = model.Subgraphs(main)
    tensors = _Tensors(model, subgraph, data, where)
    nodes = _nodes(model, subgraph, tensors)
    inputs = [tensors[subgraph.Inputs(i)] for i in range(subgraph.InputsLength())]
    outputs = [tensors[subgraph.Outputs(i)] for i in range(subgraph.OutputsLength())]
    for tensor in inputs:
        _fix_batch(tensor, tensors.placeholders.pop(id(tensor), set()), where)
    names: tuple[dict[int, str], dict[int, str]] = ({}, {})
    if chosen is not None:
        maps = [chosen.Inputs(i) for i in range(chosen.InputsLength())]
        names[0].update((id(tensors[m.TensorIndex()]), _text(m.Name())) for m in maps)
        maps = [chosen.Outputs(i) for i in range(chosen.OutputsLength())]
        names[1].update((id(tensors[m.TensorIndex()]), _text(m.Name())) for m in reversed(maps))
    calls = [node.options["init_subgraph"] for node in nodes if node.kind == "CALL_ONCE"]
    if len(calls) > 1 or not all(0 < index < model.SubgraphsLength() for index in calls):
        raise MidgeError(f"{where}: its variables have no initial values, or two; export the model again")
    once: list[FileNode] = []
    if calls:
        first = model.Subgraphs(calls[0])
        once = _nodes(model, first, _Tensors(model, first, data, where))
    if tensors.halves:
        notes.append(f"float16: {tensors.halves} constants are read as float32")
    return File(nodes, inputs, outputs, names, once, tensors.placeholders, notes)


def _text(raw: bytes | None) -> str:
    return re.sub(r"\s", "_", (raw or b"").decode("utf-8", "replace"))


def _signature(model: Any, where: str, wanted: str | None) -> tuple[Any, list[str]]:
    """The signature of that name, or else the one that a runtime takes, and a word about the choice."""
    found = {}
    for i in range(model.SignatureDefsLength()):
        definition = model.SignatureDefs(i)
        found[_text(definition.SignatureKey())] = definition
    known = ", ".join(map(repr, found)) or "none"
    if wanted is not None:
        if wanted not in found:
            raise MidgeError(f"{where}: has no signature {wanted!r}; it has {known}")
        return found[wanted], []
    default = next((key for key, d in found.items() if d.SubgraphIndex() == 0), None)
    chosen = "serving_default" if "serving_default" in found else default
    if chosen is None:
        return None, []
    notes = []
    if len(found) > 1:
        notes.append(f"signature: {chosen!r} of {known}; --signature NAME converts another")
    return found[chosen], notes


def _fix_batch(tensor: Tensor, open_axes: set[int], where: str) -> None:
    """An input with a batch of any size gets one of 1; other dimensions must be known."""
    if 0 in open_axes and tensor.shape[:1] != ():
        tensor.shape = (max(1, tensor.shape[0]), *tensor.shape[1:])
    unknown = [i for i, n in enumerate(tensor.shape) if n < 1 or (i > 0 and i in open_axes and n == 1)]
    if unknown:
        sizes = ", ".join("?" if i in unknown else str(n) for i, n in enumerate(tensor.shape))
        raise MidgeError(
            f"{where}: the input {tensor.name!r} has shape ({sizes}), and a board needs sizes that are fixed; export "
            "the model with them, batch 1"
        )


def _nodes(model: Any, subgraph: Any, tensors: _Tensors) -> list[FileNode]:
    nodes = [_node(model, subgraph.Operators(i), tensors) for i in range(subgraph.OperatorsLength())]
    _name_layers(nodes)
    return nodes


def _node(model: Any, source: Any, tensors: _Tensors) -> FileNode:
    code = model.OperatorCodes(source.OpcodeIndex())
    builtin = _builtin(code)
    kind = OPERATOR_NAMES.get(builtin, f"operator {builtin}")
    if kind == "CUSTOM":
        kind = f"CUSTOM:{(code.CustomCode() or b'?').decode('utf-8', 'replace')}"
    indexes = [int(source.Inputs(i)) for i in range(source.InputsLength())]
    inputs = [tensors[i] if i != -1 else None for i in indexes]
    outputs = [tensors[int(source.Outputs(i))] for i in range(source.OutputsLength())]
    return FileNode(kind, outputs[0].name if outputs else kind, inputs, outputs, _options(kind, source))


def _builtin(code: Any) -> int:
    """The larger of the two fields, as the schema means them. The package's BuiltinCode() prefers the older one."""
    at = code._tab.Offset(_BUILTIN_CODE)
    current = code._tab.Get(flatbuffers.number_types.Int32Flags, at + code._tab.Pos) if at else 0
    return max(current, code.DeprecatedBuiltinCode())


def _options(kind: str, source: Any) -> dict[str, Any]:
    if kind.startswith(signal.PREFIX):
        return signal.options(source)
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
    if option == "axes":
        return [int(axis) for axis in np.atleast_1d(value)] if isinstance(value, np.ndarray) else []
    if option in ("container", "shared_name"):
        return (value or b"").decode("utf-8", "replace")
    return value


def _name_layers(nodes: list[FileNode]) -> None:
    """Short unique names: `model/conv2d_1/Relu;model/...` becomes `conv2d_1`."""
    seen: dict[str, int] = {}
    for node in nodes:
        parts = [p for p in re.split(r"[/;]", node.name) if p]
        kept = [p for p in parts[:-1] if not re.match(r"(functional|model|sequential)(_\d+)?$", p)]
        name = re.sub(r"[^\w.-]", "_", (kept or parts or [node.kind])[0])[:24]
        seen[name] = seen.get(name, 0) + 1
        node.name = name if seen[name] == 1 else f"{name}.{seen[name]}"
