"""From a trained model to a .midge file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from . import frontends
from .device import reference, spec
from .device.lowering import lower
from .device.model_file import ModelFile, TensorInfo
from .device.registry import fields, macs
from .errors import MidgeError
from .files import refuse_overwriting, write_whole
from .ir.graph import Edge, Graph, Tensor
from .ir.verify import verify
from .passes import PASSES, PROGRAM_PASSES
from .plan.arena import Plan, plan
from .plan.layout import lay_out

GOLDEN_SEED = 1


def convert(
    source: Path | str | Any,
    output: Path | str,
    *,
    example: np.ndarray | Sequence[np.ndarray] = (),
    calibration: Path | None = None,
    labels: Path | None = None,
    name: str | None = None,
    signature: str | None = None,
    trust: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> ModelFile:
    """Converts `source`, a model's file or folder, or a live model, and writes `output`, whole or not at all.

    example: a typical input (or several), for live models that do not know their shapes. calibration: .npz with
    float32 `inputs` (N, *shape), typical readings that set the scales of a model of floats. labels: one per line.
    signature: of a .tflite with several. trust: whether pickles may be opened, which can run code.
    say: is told what the passes did. Raises MidgeError, UnsupportedError for a layer that cannot be converted.
    """
    output = Path(output)
    paths = [Path(p) for p in (calibration, labels) if p]
    where = ""
    if isinstance(source, (str, Path)):
        source, where = Path(source), Path(source).name
        paths.append(source)
    refuse_overwriting(output, *paths)
    examples = (example,) if isinstance(example, np.ndarray) else tuple(example)
    calibration = Path(calibration) if calibration else None
    loaded = frontends.load(source, frontends.Request(examples, signature, trust, calibration))
    for note in loaded.notes:
        say(note)
    model = build(loaded.graph, say)
    model.labels = _labels(Path(labels), model) if labels else loaded.labels
    model.info |= {
        "name": name or loaded.graph.name,
        "source": where or type(source).__name__,
        "sha256": hashlib.sha256(loaded.data).hexdigest(),
        "midge": midge_version(),
    }
    model.golden_seed = GOLDEN_SEED
    model.golden = reference.golden_values(model)
    write_whole(output, model.to_bytes())
    return model


def midge_version() -> str:
    try:
        return version("midge")
    except PackageNotFoundError:
        return "source"


def build(graph: Graph, say: Callable[[str], None] = lambda text: None) -> ModelFile:
    """The model of a graph, without labels, provenance and golden values. `say` hears what each pass did."""
    verify(graph)
    for rewrite in PASSES:
        _say(say, rewrite, rewrite(graph))
        verify(graph)
    program = lower(graph)
    source_macs = sum(macs(fields(s)) for s in program.steps)
    for narrow in PROGRAM_PASSES:
        _say(say, narrow, narrow(program))
    arena = plan(program.steps, program.inputs, program.outputs, program.aliases, program.state)
    records, weights = lay_out(program.steps, arena)
    model = ModelFile(
        [_describe(e, arena) for e in graph.inputs],
        [_describe(e, arena) for e in graph.outputs],
        records,
        [s.name for s in program.steps],
        weights,
        arena.arena_bytes,
        entries={
            "init": range(program.init_count),
            "predict": range(program.init_count, len(records)),
        },
    )
    if sum(map(macs, records)) < source_macs:
        model.info["source_macs"] = source_macs
    try:
        model.check()
    except ValueError as error:
        raise MidgeError(f"{graph.name}: {error}; export the model again") from None
    return model


def _say(say: Callable[[str], None], step: Callable[..., str], did: str) -> None:
    if did:
        say(f"{step.__name__.replace('_', ' ')}: {did}")


def _describe(edge: Edge, arena: Plan) -> TensorInfo:
    tensor = edge.tensor
    _check_edge(tensor, edge)
    return TensorInfo(
        edge.name,
        arena.offset(tensor),
        tensor.shape,
        edge.dtype,
        float(tensor.scale[0]) if tensor.quantization else 1.0,
        int(tensor.zero_point[0]) if tensor.quantization else 0,
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
