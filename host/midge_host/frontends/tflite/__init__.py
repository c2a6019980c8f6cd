"""The .tflite door: files of floats and of integers, read with the `tflite` schema package, and written.

TensorFlow is not needed.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ...errors import MidgeError
from ...ir.evaluate import fold
from ...ir.graph import Edge, Graph, Node
from .. import Loaded, Request, foreign, read_file
from . import floats, signal
from .node import FileNode
from .operators import OPERATORS, WITHOUT_CODE, operator_of
from .reading import File, read
from .shapes import Shapes
from .variables import VARIABLES, initial_values, variable_names, variable_operator
from .writing import to_tflite

__all__ = ["OPERATORS", "WITHOUT_CODE", "load", "load_tflite", "to_tflite"]


def load(source: Path, request: Request) -> Loaded:
    """The graph of a .tflite file."""
    data = read_file(source)
    if data[4:8] != b"TFL3":
        what = foreign.describe(source)
        if what:
            raise MidgeError(f"{source}: {what}")
    graph, notes = _load(data, source.name, request.signature)
    return Loaded(graph, data, notes=notes)


def load_tflite(data: bytes, where: str, signature: str | None = None) -> Graph:
    """The graph in `data`; raises MidgeError naming `where` when it is no sound .tflite file."""
    return _load(data, where, signature)[0]


def _load(data: bytes, where: str, signature: str | None) -> tuple[Graph, list[str]]:
    """The graph, and what the user should hear of it."""
    if len(data) < 8 or data[4:8] != b"TFL3":
        raise MidgeError(f"{where}: not a TensorFlow Lite model (no TFL3 mark); export it with TFLiteConverter")
    try:
        file = read(data, where, signature)
    except MidgeError:
        raise
    except Exception as error:  # flatbuffers raises what struct and indexing raise on damaged offsets
        raise MidgeError(f"{where}: damaged .tflite file ({type(error).__name__}: {error}); export it again") from error
    return _graph(file, re.sub(r"\.[^.]*$", "", where)), file.notes


def _graph(file: File, name: str) -> Graph:
    """Arithmetic on constants and shapes is computed while reading, as parameters of layers come of it."""
    operators: list[Node] = []
    variables = initial_values(file.once)
    names = variable_names(file.nodes)
    shapes = Shapes(file.placeholders)
    restored = 0

    def make(node: FileNode) -> Node:
        return variable_operator(node, names) if node.kind in VARIABLES else operator_of(node)

    fused = signal.fuse(file.nodes, file.outputs)
    signal.refuse_alone(file.nodes, fused)
    for node in file.nodes:
        if id(node) in fused:
            operators += fused[id(node)]
            continue
        if node.kind in ("CALL_ONCE", "VAR_HANDLE") or _fill_in(node):
            continue
        restored += floats.restore(node)
        operator = shapes.settle(node, make)
        _check_sizes(operator)
        if not fold(operator):
            operators.append(operator)
    if restored:
        file.notes.append(
            f"dynamic range: {restored} layers have integer weights, which are read as floats, and float activations"
        )
    inputs, outputs = (
        [Edge(t, t.dtype, known.get(id(t), t.name)) for t in tensors]
        for tensors, known in zip((file.inputs, file.outputs), file.names, strict=True)
    )
    return Graph(name, operators, inputs, outputs, variables)


def _fill_in(node: FileNode) -> bool:
    """Gives the result of an operator its value, if that is known without computing; whether it is."""
    source = node.optional(0)
    if node.kind == "SHAPE":
        _set(node, np.array(node.input().shape))
    elif node.kind == "RANK":
        _set(node, np.array(len(node.input().shape)))
    elif node.kind == "ZEROS_LIKE" and node.output.quantization is None:
        _set(node, np.zeros(node.input().shape))
    elif node.kind == "DENSIFY":
        node.constant(0, "weights are", "use constant weights")
        node.output.data = node.input().data
    elif node.kind == "DEQUANTIZE" and source is not None and source.data is not None:
        _set(node, floats.real_constant(source))
    elif node.kind == "QUANTIZE" and source is not None and floats.can_store(source, node.output):
        node.output.data = floats.stored_constant(source, node.output)
    else:
        return False
    return True


def _set(node: FileNode, value: np.ndarray) -> None:
    output = node.output
    if output.size != value.size or output.dtype not in ("int32", "int64", "float32"):
        raise node.refuse(f"it makes {output.dtype} {output.shape} of {value.size} numbers")
    output.data = value.astype(output.dtype).reshape(output.shape)


def _check_sizes(operator: Node) -> None:
    for tensor in [*operator.inputs, *operator.outputs]:
        if any(n < 1 for n in tensor.shape):
            advice = "export the model with fixed shapes, batch 1"
            raise operator.refuse(f"tensor {tensor.name!r} has shape {tensor.shape}", advice)
