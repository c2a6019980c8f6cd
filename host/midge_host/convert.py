"""From a trained model to a .midge file."""

from __future__ import annotations

import hashlib
import struct
from importlib.metadata import PackageNotFoundError, version
from math import prod
from pathlib import Path

import numpy as np

from . import frontends
from .device import reference, spec
from .device.model_file import ModelFile, TensorInfo
from .device.ops import FRONTS, blocks, constant
from .device.record import Step, macs, record_shapes
from .errors import MidgeError, UnsupportedError
from .files import refuse_overwriting, write_whole
from .ir.graph import RESHAPES, Graph, Node, Tensor
from .passes.channels import drop_channels
from .passes.dilation import fuse_dilation
from .passes.folding import fold_constants
from .passes.rewrites import (
    Edge,
    check_graph,
    drop_reshapes,
    fold_edges,
    fuse_clamps,
    fuse_padding,
    fuse_tables,
    tabulate_floats,
    unused,
)
from .passes.state import resolve_state
from .passes.unsigned import shift_unsigned
from .plan.arena import Plan, plan

GOLDEN_SEED = 1


def convert(
    source: Path,
    output: Path,
    *,
    calibration: Path | None = None,
    labels: Path | None = None,
    name: str | None = None,
) -> ModelFile:
    """Converts `source` (.tflite, .keras, .h5, SavedModel folder) and writes `output`, whole or not at all.

    calibration: .npz with float32 `inputs` (N, *shape), needed for Keras models. labels: one per line.
    Raises MidgeError, UnsupportedError for a layer that cannot be converted.
    """
    refuse_overwriting(output, source, calibration, labels)
    graph, data = frontends.load(Path(source), Path(calibration) if calibration else None)
    model = build(graph)
    model.labels = _labels(Path(labels), model) if labels else []
    model.info |= {
        "name": name or graph.name,
        "source": Path(source).name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "midge": midge_version(),
    }
    model.golden_seed = GOLDEN_SEED
    model.golden = reference.golden_values(model)
    write_whole(Path(output), model.to_bytes())
    return model


def midge_version() -> str:
    try:
        return version("midge")
    except PackageNotFoundError:
        return "source"


# What code that relies on TensorFlow's converter raises where a damaged file lacks what that always writes.
MISFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def build(graph: Graph) -> ModelFile:
    """The model of a graph, without labels, provenance and golden values."""
    check_graph(graph)
    try:
        return _build(graph)
    except MISFIT as error:
        reason = f"its layers do not fit together ({type(error).__name__}: {error})"
        raise MidgeError(f"{graph.name}: {reason}; export the model again") from error


def _build(graph: Graph) -> ModelFile:
    fold_constants(graph)
    fuse_dilation(graph)
    resolve_state(graph)
    inputs, outputs = fold_edges(graph)
    shift_unsigned(graph)
    tabulate_floats(graph)
    for node in unused(graph):
        graph.nodes.remove(node)
    for node in graph.nodes:
        if node.kind not in FRONTS and node.kind not in RESHAPES:
            raise node.refuse("midge has no such operator", _advice(node.kind))
    fuse_padding(graph)
    aliases = drop_reshapes(graph)
    state = [s.tensor for s in graph.state]
    init = [constant.fill(s.tensor, s.initial) for s in graph.state]
    steps = init + [step for node in graph.nodes for step in _lower(graph, node)]
    kept = [*(e.tensor for e in outputs), *aliases.values(), *state]
    steps = fuse_clamps(fuse_tables(steps, kept), kept)
    source_macs = sum(macs(s.record) for s in steps)
    drop_channels(steps, [e.tensor for e in inputs], [*(e.tensor for e in outputs), *state], aliases)
    arena = plan(steps, [e.tensor for e in inputs], [e.tensor for e in outputs], aliases, state)
    records, weights = lay_out(steps, arena)
    model = ModelFile(
        [_describe(e, arena) for e in inputs],
        [_describe(e, arena) for e in outputs],
        records,
        [s.name for s in steps],
        weights,
        arena.arena_bytes,
        init_count=len(init),
    )
    if sum(map(macs, records)) < source_macs:
        model.info["source_macs"] = source_macs
    try:
        model.check()
    except ValueError as error:
        raise MidgeError(f"{graph.name}: {error}; export the model again") from None
    return model


def _lower(graph: Graph, node: Node) -> list[Step]:
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            steps = FRONTS[node.kind].lower(graph, node)
    except MISFIT as error:
        reason = f"its tensors and options do not fit together ({type(error).__name__}: {error})"
        raise node.refuse(reason, "export the model again") from error
    for step in steps:
        if spec.BY_NAME[step.operator].code >= spec.FIRST_EXTRA:
            continue  # these look at the shapes themselves
        sizes = (step.inputs[0].bytes, step.output.bytes)
        if tuple(map(prod, record_shapes(step.record))) != sizes:
            raise _refuse(step, f"it does not turn {sizes[0]} bytes into {sizes[1]}", "export the model again")
    return steps


def _advice(kind: str) -> str:
    if kind.startswith("Flex"):
        return "rebuild the layer from TensorFlow Lite operators"
    return "docs/operators.md lists what it has; replace the layer or cut the model before it"


def lay_out(steps: list[Step], arena: Plan) -> tuple[list[dict], bytes]:
    """Records with their offsets, and the weight section in execution order."""
    records, weights = [], bytearray()
    for step in steps:
        packed, parts = blocks.pack(step.rows) if step.rows else ({}, step.blocks)
        record = {
            **step.record,
            **packed,
            "blocks": len(parts),
            "input": arena.offset(step.inputs[0]) if step.inputs else 0,
            "output": arena.offset(step.output),
            "weights": len(weights) if parts else 0,
            "block_bytes": len(parts[0]) if parts else 0,
        }
        record["scratch"], record["scratch_bytes"] = arena.scratch.get(step, (0, 0))
        for i, tensor in enumerate(step.inputs[1:], 2):
            record[f"input{i}"] = arena.offset(tensor)
        layout = spec.BY_NAME[step.operator].layout
        try:
            record = layout.unpack(layout.pack(**record))
        except struct.error as error:
            raise _refuse(step, f"a size is beyond what a record holds ({error})", "split the layer") from None
        records.append(record)
        weights += b"".join(parts)
    return records, bytes(weights)


def _refuse(step: Step, reason: str, advice: str) -> UnsupportedError:
    return UnsupportedError(f"layer {step.name!r} ({step.operator}): {reason}; {advice}")


def _describe(edge: Edge, arena: Plan) -> TensorInfo:
    tensor = edge.tensor
    _check_edge(tensor, edge)
    return TensorInfo(
        edge.name,
        arena.offset(tensor),
        tensor.shape,
        edge.dtype,
        float(tensor.scale[0]) if tensor.is_quantised else 1.0,
        int(tensor.zero_point[0]) if tensor.zero_point.size else 0,
        element=tensor.dtype,
    )


def _check_edge(tensor: Tensor, edge: Edge) -> None:
    # int32 holds numbers of classes, which have no scale.
    scales = (0, 1) if tensor.dtype == "int32" else (1,)
    known = tensor.dtype in spec.ELEMENT_BYTES and edge.dtype in spec.DTYPES.values()
    if not known or tensor.scale.size not in scales:
        raise MidgeError(
            f"model input or output {edge.name!r} is {tensor.dtype}; midge needs int8 or int16 (set "
            "inference_input_type and inference_output_type to tf.int8 in TFLiteConverter)"
        )
    if len(tensor.shape) > spec.MAX_RANK or any(d > spec.MAX_DIM for d in tensor.shape):
        raise MidgeError(f"model input or output {edge.name!r} has shape {tensor.shape}: too large")


def _labels(path: Path, model: ModelFile) -> list[str]:
    try:
        labels = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise MidgeError(f"{path}: cannot read labels ({error.strerror})") from None
    except UnicodeDecodeError:
        raise MidgeError(f"{path}: cannot read labels; save the text as UTF-8") from None
    labels = [line.strip() for line in labels if line.strip()]
    classes = model.outputs[0].shape[-1] if model.outputs and model.outputs[0].shape else 1
    if len(labels) != classes:
        raise MidgeError(f"{path}: {len(labels)} labels for a model with {classes} outputs; write one label per line")
    return labels
