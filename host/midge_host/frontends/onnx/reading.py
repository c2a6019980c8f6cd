"""ONNX protobufs: what a file holds, as Python and NumPy know it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ...device import spec
from ...errors import MidgeError, install

try:
    import onnx
    from onnx import numpy_helper
except ImportError as error:
    raise MidgeError(f"ONNX models need the package onnx; {install('onnx')}") from error

FIRST_OPSET, LAST_OPSET = 7, 21
# The names of the domains whose operators are read; the first is ONNX's own, under two names.
DOMAINS = {"": "", "ai.onnx": "", "ai.onnx.ml": "ml", "com.microsoft": "microsoft"}
NOT_PLAIN = {
    "sequence_type": "a sequence",
    "map_type": "a map",
    "optional_type": "an optional value",
    "sparse_tensor_type": "a sparse tensor",
}
TRAINING_DOMAINS = ("ai.onnx.preview.training", "ai.onnx.training", "com.ms.internal.nn")
# An axis of unknown size with such a name is a batch, wherever it stands.
BATCH = re.compile(r"batch|^[bn]$", re.IGNORECASE)
# Integers of 4 bits are held in bytes.
_WIDER = {"int4": "int8", "uint4": "uint8"}
# Real numbers of any width are computed with as float32.
REAL = ("float16", "float64", "bfloat16", "float32")


@dataclass
class Operator:
    """An operator as the file has it. inputs: names, "" for one that is left out."""

    kind: str
    domain: str
    name: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]


@dataclass
class Subgraph:
    """inputs, outputs: shape (None for an unknown size) and type by name; no shape where the file has none."""

    operators: list[Operator]
    constants: dict[str, np.ndarray]
    inputs: dict[str, tuple[tuple[int | None, ...] | None, str]] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)


@dataclass
class File:
    """opset: the version of ONNX's own operators."""

    graph: Subgraph
    opset: int


def read(data: bytes, where: str, folder: Path | None) -> File:
    """The content of an ONNX file; `folder` holds the files with its larger weights, if it has any.

    Raises MidgeError when it is damaged, or no model that computes outputs from inputs.
    """
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # of protobuf, by its version
        raise MidgeError(f"{where}: not an ONNX model, or damaged ({_said(error)}); export it again") from None
    if not model.graph.node and not model.graph.output:
        raise MidgeError(f"{where}: {_without_graph(model, data)}")
    if model.training_info or any(map(_trains, model.graph.node)):
        raise MidgeError(f"{where}: an ONNX graph for training; export the model for inference (model.eval())")
    if model.functions:
        model = _inlined(model, where)
    opsets = {DOMAINS.get(o.domain, o.domain): o.version for o in model.opset_import}
    opset = opsets.get("", LAST_OPSET if opsets else 0)
    if opset > LAST_OPSET and not any(DOMAINS.get(node.domain, node.domain) == "" for node in model.graph.node):
        opset = LAST_OPSET  # nothing is of that version
    if not FIRST_OPSET <= opset <= LAST_OPSET:
        raise MidgeError(
            f"{where}: uses ONNX operators of version {opset}; midge reads {FIRST_OPSET} to {LAST_OPSET}: "
            f"export with opset_version=17, or use onnx.version_converter"
        )
    try:
        graph = _subgraph(model.graph, where, folder)
    except (ValueError, TypeError, LookupError, ArithmeticError) as error:
        raise MidgeError(f"{where}: damaged ONNX model ({_said(error)}); export it again") from None
    return File(graph, opset)


def _said(error: Exception) -> str:
    """What an exception says, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]


def _trains(node: Any) -> bool:
    """Whether an operator is one of losses, gradients and optimisers, as ONNX Runtime's artifacts for training have."""
    kind = _text(node.op_type)
    return node.domain in TRAINING_DOMAINS or kind.endswith(("Grad", "Loss", "Optimizer", "OptimizerV2", "Gradient"))


def _without_graph(model: Any, data: bytes) -> str:
    if not data:
        return "an empty file; export the model again"
    if model.training_info:
        return "an ONNX graph for training; export the model for inference"
    return "no ONNX model: it holds no graph (a checkpoint, or another kind of file?); export the model again"


def _inlined(model: Any, where: str) -> Any:
    """Functions of the model's own (as torch.onnx writes with dynamo) in the place of their calls."""
    from onnx import inliner

    try:
        return inliner.inline_local_functions(model)
    except Exception as error:
        raise MidgeError(f"{where}: its functions do not resolve ({_said(error)}); export it without") from None


def _subgraph(graph: Any, where: str, folder: Path | None) -> Subgraph:
    constants = {_text(tensor.name): _array(tensor, where, folder) for tensor in graph.initializer}
    if graph.sparse_initializer:
        raise MidgeError(f"{where}: its weights are stored sparse; export them dense")
    # Old files list weights among the inputs.
    inputs = {_text(i.name): _form(i, where) for i in graph.input if _text(i.name) not in constants}
    operators = [_operator(node, where, folder) for node in graph.node]
    return Subgraph(operators, constants, inputs, [_text(o.name) for o in graph.output])


def _text(name: str | bytes) -> str:
    """protobuf leaves names that are no UTF-8 as they are."""
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name


def _form(value: Any, where: str) -> tuple[tuple[int | None, ...] | None, str]:
    kind = value.type.WhichOneof("value")
    if kind in NOT_PLAIN:
        raise MidgeError(f"{where}: the input {value.name!r} is {NOT_PLAIN[kind]}; export a model of tensors")
    tensor = value.type.tensor_type
    shape = None
    if tensor.HasField("shape"):
        shape = tuple(map(_size, tensor.shape.dim))
    return shape, dtype_of(tensor.elem_type, where, value.name)


def _size(dimension: Any) -> int | None:
    if dimension.HasField("dim_value") and dimension.dim_value > 0:
        return int(dimension.dim_value)
    return 1 if BATCH.search(_text(dimension.dim_param)) else None


def dtype_of(code: int, where: str, name: str) -> str:
    """The type of a tensor by its number in ONNX; raises MidgeError for one of other things than numbers."""
    if code in (0, onnx.TensorProto.STRING):
        raise MidgeError(f"{where}: {name!r} holds {'text' if code else 'nothing known'}; midge computes with numbers")
    dtype = str(onnx.helper.tensor_dtype_to_np_dtype(code))
    return "float32" if dtype in REAL else _WIDER.get(dtype, dtype)


def _operator(node: Any, where: str, folder: Path | None) -> Operator:
    attributes = {_text(a.name): _attribute(a, where, folder) for a in node.attribute}
    domain = DOMAINS.get(node.domain, _text(node.domain))
    inputs, outputs = [_text(i) for i in node.input], [_text(o) for o in node.output]
    name = next((o for o in outputs if o), _text(node.name or node.op_type))
    return Operator(_text(node.op_type), domain, name, inputs, outputs, attributes)


def _attribute(attribute: Any, where: str, folder: Path | None) -> Any:
    kinds = onnx.AttributeProto
    if attribute.type == kinds.GRAPH:
        return _subgraph(attribute.g, where, folder)
    if attribute.type == kinds.TENSOR:
        return _array(attribute.t, where, folder)
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in value]
    return value


def _array(tensor: Any, where: str, folder: Path | None) -> np.ndarray:
    """The elements of a constant; real numbers as float32."""
    if prod(tensor.dims) > spec.MAX_ARENA_BYTES:
        raise MidgeError(f"{where}: the constant {tensor.name!r} has shape {tuple(tensor.dims)}; use a smaller model")
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        tensor = _with_external(tensor, where, folder)
    array = numpy_helper.to_array(tensor)
    name = array.dtype.name
    return array.astype(np.float32 if name in REAL else _WIDER.get(name, array.dtype), copy=False)


def _with_external(tensor: Any, where: str, folder: Path | None) -> Any:
    """The constant with its bytes from a file beside the model."""
    stored = {entry.key: entry.value for entry in tensor.external_data}
    name = Path(stored.get("location", ""))
    if folder is None or name.is_absolute() or ".." in name.parts or not name.parts:
        raise MidgeError(f"{where}: the constant {tensor.name!r} lies in {str(name)!r}, not beside the model")
    offset, length = int(stored.get("offset") or 0), int(stored.get("length") or -1)
    try:
        with (folder / name).open("rb") as file:
            file.seek(offset)
            raw = file.read(length)
    except OSError as error:
        raise MidgeError(
            f"{folder / name}: {error.strerror}; {where} keeps weights in it: put both files into one folder"
        ) from None
    whole = onnx.TensorProto(dims=tensor.dims, data_type=tensor.data_type, name=tensor.name, raw_data=raw)
    return whole
