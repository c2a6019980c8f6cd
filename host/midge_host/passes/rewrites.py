"""Rewrites of the graph before lowering, and of the steps after it. Each keeps every output byte."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..device.numerics import FLOAT_FUNCTIONS
from ..device.ops import FOLDED, FRONTS
from ..device.ops.pad import paddings
from ..device.record import Step
from ..errors import MidgeError
from ..ir.graph import RESHAPES, Graph, Node, Tensor
from .state import VARIABLE_KINDS


@dataclass
class Edge:
    """A model input or output: the int8 tensor the device holds, and what the source model has there."""

    tensor: Tensor
    dtype: str
    name: str


# The least number of inputs; 1 for other operators.
_INPUTS = {"CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 2, "MEAN": 2, "REDUCE_MAX": 2, "ADD": 2, "PAD": 2}


def check_graph(graph: Graph) -> None:
    """Refuses a graph in which a layer lacks a tensor, or reads one that no layer before it computes."""
    computed = set(map(id, graph.inputs))
    if not graph.inputs or not graph.outputs or len(computed) < len(graph.inputs):
        raise MidgeError(f"{graph.name}: has no input, no output or one input twice; export the model again")
    for node in graph.nodes:
        known = (node.kind in FRONTS or node.kind in FOLDED) and node.kind not in VARIABLE_KINDS
        if known and (None in node.inputs[:1] or len(node.inputs) < _INPUTS.get(node.kind, 1) or not node.outputs):
            raise node.refuse("an input or output is missing", "export the model again")
        for tensor in node.inputs:
            is_source = tensor is None or tensor.data is not None or tensor.is_variable
            if not is_source and id(tensor) not in computed:
                raise node.refuse(f"nothing before it computes its input {tensor.name!r}", "export the model again")
        for tensor in node.outputs:
            if tensor.data is not None or id(tensor) in computed:
                raise node.refuse(f"its output {tensor.name!r} exists before it", "export the model again")
            computed.add(id(tensor))
    for tensor in graph.outputs:
        if id(tensor) not in computed:
            raise MidgeError(f"{graph.name}: no layer computes the output {tensor.name!r}; export the model again")


_QUANTISED = ("int8", "uint8", "int16")


def fold_edges(graph: Graph) -> tuple[list[Edge], list[Edge]]:
    """QUANTIZE after an input and DEQUANTIZE or QUANTIZE before an output move into the file's description
    of the tensor: the device library converts, with the same arithmetic."""
    inputs = [_fold_input(graph, t) for t in graph.inputs]
    folded = {t: _fold_output(graph, t) for t in dict.fromkeys(graph.outputs)}  # one tensor may be two outputs
    outputs = [folded[t] for t in graph.outputs]
    graph.inputs = [e.tensor for e in inputs]
    graph.outputs = [e.tensor for e in outputs]
    return inputs, outputs


def _is_shift_by_128(a: Tensor, b: Tensor) -> bool:
    """True for int8 <-> uint8 of one scale: bytes that differ in the top bit only."""
    if {a.dtype, b.dtype} != {"int8", "uint8"} or a.scale.size != 1 or b.scale.size != 1:
        return False
    signed, unsigned = (a, b) if a.dtype == "int8" else (b, a)
    return a.scale[0] == b.scale[0] and unsigned.zero_point[0] - signed.zero_point[0] == 128


def _fold_input(graph: Graph, tensor: Tensor) -> Edge:
    readers = graph.consumers(tensor)
    if len(readers) == 1 and readers[0].kind == "QUANTIZE" and tensor not in graph.outputs:
        node, quantised = readers[0], readers[0].outputs[0]
        real = tensor.dtype == "float32" and quantised.dtype in _QUANTISED
        if real or (quantised.dtype == "int8" and _is_shift_by_128(tensor, quantised)):
            graph.nodes.remove(node)
            return Edge(quantised, tensor.dtype, tensor.name)
    return Edge(tensor, tensor.dtype, tensor.name)


def _fold_output(graph: Graph, tensor: Tensor) -> Edge:
    node = graph.producer(tensor)
    if node is not None and node.inputs and not graph.consumers(tensor):
        source = node.inputs[0]
        dequantizes = node.kind == "DEQUANTIZE" and tensor.dtype == "float32"
        shifts = node.kind == "QUANTIZE" and source is not None and _is_shift_by_128(source, tensor)
        folds = source is not None and source.data is None and source.dtype in _QUANTISED
        if folds and (dequantizes or shifts):
            graph.nodes.remove(node)
            return Edge(source, tensor.dtype, tensor.name)
    return Edge(tensor, tensor.dtype, tensor.name)


def tabulate_floats(graph: Graph) -> None:
    """A QUANTIZE of functions of dequantised values becomes one operator, a table: converters leave those functions in
    float that have no int8 form in TensorFlow Lite. What nobody else reads of them is then unused."""
    for node in graph.nodes:
        if node.kind != "QUANTIZE":
            continue
        functions: list[str] = []
        maker = graph.producer(node.inputs[0])
        while maker is not None and maker.kind in FLOAT_FUNCTIONS:
            functions.insert(0, maker.kind)
            maker = graph.producer(maker.inputs[0])
        if functions and maker is not None and maker.kind == "DEQUANTIZE":
            node.kind, node.inputs, node.options = "DEQUANTIZE", [maker.inputs[0]], {"functions": functions}


def drop_reshapes(graph: Graph) -> dict[Tensor, Tensor]:
    """Removes operators that only rename a tensor. Returns output -> the tensor whose memory it is."""
    aliases: dict[Tensor, Tensor] = {}
    for node in [n for n in graph.nodes if n.kind in RESHAPES]:
        source, output = node.inputs[0], node.outputs[0]
        if source is None or source.size != output.size or source.dtype != output.dtype:
            raise node.refuse("it changes the number of elements", "export the model with fixed shapes")
        if source.data is not None:
            raise node.refuse("its input is a constant", "export the model with constant folding")
        graph.nodes.remove(node)
        aliases[output] = source
    return aliases


def fuse_padding(graph: Graph) -> None:
    """A PAD of height and width with zeros becomes the padding of the VALID convolution that alone reads it."""
    for pad in [n for n in graph.nodes if n.kind == "PAD"]:
        padded = pad.outputs[0]
        readers = graph.consumers(padded)
        if len(readers) != 1 or padded in graph.outputs or len(padded.shape) != 4:
            continue
        conv = readers[0]
        if conv.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D") or conv.options["padding"] != "VALID":
            continue
        before = paddings(pad)
        source = pad.inputs[0]
        if before[0] != (0, 0) or before[3] != (0, 0) or not source.has_scale_of(padded):
            continue
        conv.inputs[0] = source
        conv.options = {**conv.options, "padding": "EXPLICIT", "pad": (before[1][0], before[2][0])}
        conv.options["padded"] = padded.shape[1:3]
        graph.nodes.remove(pad)


def fuse_tables(steps: list[Step], kept: list[Tensor]) -> list[Step]:
    """A table of what a table gives is one table. kept: as in fuse_clamps."""
    fused: list[Step] = []
    for step in steps:
        before = _sole_source(step, steps, fused, kept) if step.operator == "LUT" else None
        if before and before.operator == "LUT":
            inner, outer = (np.frombuffer(s.blocks[0], np.int8) for s in (before, step))
            before.blocks = [outer[inner.astype(np.int64) + 128].tobytes()]
            before.output = step.output
        else:
            fused.append(step)
    return fused


def fuse_clamps(steps: list[Step], kept: list[Tensor]) -> list[Step]:
    """A table that only clamps (RELU, RELU6 on one scale) becomes the clamp limits of the step before it.

    kept: tensors that are read elsewhere too, as outputs of the model or under another name.
    """
    fused: list[Step] = []
    for step in steps:
        limits = _clamp_of(step)
        before = _sole_source(step, steps, fused, kept) if limits else None
        if before and "clamp_min" in before.fields:
            low, high = (max(before.fields["clamp_min"], limits[0]), min(before.fields["clamp_max"], limits[1]))
            if low <= high:
                before.fields |= {"clamp_min": low, "clamp_max": high}
                before.output = step.output
                continue
        fused.append(step)
    return fused


def _sole_source(step: Step, steps: list[Step], fused: list[Step], kept: list[Tensor]) -> Step | None:
    """The step among `fused` that makes the input of `step`, if it could as well make its output: nobody else reads
    that input and, as the output may be a state, nobody reads what that held since."""
    source = step.inputs[0]
    if source in kept or sum(source in s.inputs for s in steps) > 1:
        return None
    at = next((i for i, s in enumerate(fused) if s.output is source), len(fused))
    return None if any(step.output in s.inputs for s in fused[at:]) else next(iter(fused[at:]), None)


def _clamp_of(step: Step) -> tuple[int, int] | None:
    if step.operator != "LUT":
        return None
    table = np.frombuffer(step.blocks[0], np.int8)
    low, high = int(table[0]), int(table[-1])
    return (low, high) if np.array_equal(table, np.clip(np.arange(-128, 128), low, high)) else None


def unused(graph: Graph) -> list[Node]:
    """Nodes whose results nobody reads."""
    wanted = set(map(id, [*graph.outputs, *(s.tensor for s in graph.state)]))
    dead = []
    for node in reversed(graph.nodes):
        if any(id(t) in wanted for t in node.outputs):
            wanted |= {id(t) for t in node.inputs if t is not None}
        else:
            dead.append(node)
    return dead
