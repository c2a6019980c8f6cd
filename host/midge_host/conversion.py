"""From a trained model to a .midge file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from . import frontends
from .device import reference, spec
from .device.lowering import lower
from .device.model_file import ModelFile, TensorInfo
from .device.registry import fields, macs
from .errors import CheckFailed, MidgeError
from .files import refuse_overwriting, write_whole
from .files.readings import Readings, read_readings, shaped
from .ir.graph import Edge, Graph, Tensor
from .ir.verify import verify
from .passes import PASSES, PROGRAM_PASSES
from .plan.arena import Plan, plan
from .plan.layout import lay_out
from .quantize import Options, Precision, inputs, is_float, quantise, simplified
from .quantize.calibrate import NEEDED
from .quantize.features import CURE, with_int16_features
from .quantize.layers import Layer, layers_of, mark_rescaled, remember
from .quantize.proof import Source, prove

GOLDEN_SEED = 1


Data = Path | str | np.ndarray | Sequence[np.ndarray] | Readings
PIXELS = (0.0, 1.0)


def convert(
    source: Path | str | Any,
    output: Path | str,
    *,
    example: np.ndarray | Sequence[np.ndarray] = (),
    calibration: Data | None = None,
    test: Data | None = None,
    labels: Path | None = None,
    name: str | None = None,
    signature: str | None = None,
    trust: bool = False,
    precision: Precision = "int8",
    features: Literal["float32", "int16"] = "float32",
    pixels: tuple[float, float] = PIXELS,
    to: Literal["midge", "tflite"] = "midge",
    allow_loss: bool = False,
    say: Callable[[str], None] = lambda text: None,
    tell: Callable[[str], None] = lambda text: None,
) -> ModelFile:
    """Converts `source`, a model's file or folder, or a live model, and writes `output`, whole or not at all.

    example: a typical input (or several), for live models that do not know their shapes. calibration: typical
    readings, which set the scales of a model of floats: a file or folder as docs/cli.md, "Data", says, or arrays
    (N, *shape) for each input. test: other readings, with labels or without, to try the model on. labels: a file with
    one a line. signature: of a .tflite with several. trust: whether pickles may be opened, which can run code.
    precision: of activations. features: of trees; with int16 they take about half the memory, `tell` hears what that
    changed, and `calibration` is what they are tried on. pixels: the real values of pixels 0 and 255. to: what to
    write.
    say: is told what the passes did; tell: what was chosen, and how well the model still works.

    Raises MidgeError, UnsupportedError for a layer that cannot be converted, and CheckFailed, unless `allow_loss`,
    where the model has lost what it knew.
    """
    output = Path(output)
    files = [Path(p) for p in (calibration, test, labels) if isinstance(p, (str, Path))]
    where = ""
    if isinstance(source, (str, Path)):
        source, where = Path(source), Path(source).name
        files.append(source)
    refuse_overwriting(output, *files)
    examples = (example,) if isinstance(example, np.ndarray) else tuple(example)
    loaded = frontends.load(source, frontends.Request(examples, signature, trust))
    for note in loaded.notes:
        tell(note)
    names = _label_lines(Path(labels)) if labels else loaded.labels
    graph, origin = loaded.graph, None
    shapes = [edge.tensor.shape for edge in graph.inputs]
    learnt = tried = None
    if features == "int16":
        origin = Source(graph, cure=CURE)
        graph, said = with_int16_features(graph)
        for choice in said:
            tell(choice)
        if calibration is not None:
            learnt = _readings(calibration, shapes, pixels, "calibration")
    elif is_float(graph):
        if calibration is None:
            what = "; ".join([f"{where or graph.name}: a model of floats", *loaded.notes])
            raise MidgeError(f"{what}; to make it int8, {NEEDED}")
        learnt = _readings(calibration, shapes, pixels, "calibration")
        _tell_notes(learnt, tell)
        _stop_for(inputs.tells_nothing(learnt), allow_loss, tell, "no scale can be told from it")
        quantised = quantise(graph, learnt.inputs, Options(precision))
        for choice in quantised.choices:
            tell(choice)
        graph, origin = quantised.graph, Source(graph, quantised.reference)
    elif calibration is not None:
        raise MidgeError(f"{source}: --calibration sets the scales of models of floats; this one is quantised already")
    tflite = _to_tflite(graph) if to == "tflite" else b""
    model, layers = build_with_layers(graph, say)
    if origin and origin.layers and learnt:
        shown = mark_rescaled(layers, simplified(origin.graph), origin.layers, learnt.inputs)
        remember(model, shown)
    model.labels = names
    if labels:
        _check_labels(Path(labels), model)
    if test is not None:
        tried = _readings(test, [t.shape for t in model.inputs], pixels if origin else None, "test")
        _tell_notes(tried, tell)
    if (origin and learnt) or tried:
        proof = prove(origin, model, layers, learnt, tried)
        for line in proof.lines():
            tell(line)
        _stop_for(proof.warnings, allow_loss, tell)
    model.info |= {
        "name": name or loaded.graph.name,
        "source": where or type(source).__name__,
        "sha256": hashlib.sha256(loaded.data).hexdigest(),
        "midge": midge_version(),
    }
    model.golden_seed = GOLDEN_SEED
    model.golden = reference.golden_values(model)
    write_whole(output, tflite if to == "tflite" else model.to_bytes())
    return model


def _to_tflite(graph: Graph) -> bytes:
    from .frontends.tflite import to_tflite

    return to_tflite(graph)


def _readings(
    data: Data, shapes: Sequence[tuple[int, ...]], pixels: tuple[float, float] | None, where: str
) -> Readings:
    """Readings from a file, or given as arrays. pixels: see `convert`; None leaves them to the model."""
    if isinstance(data, (str, Path)):
        data = read_readings(Path(data), shapes)
    elif not isinstance(data, Readings):
        arrays = [data] if isinstance(data, np.ndarray) else list(data)
        if len(arrays) != len(shapes):
            raise MidgeError(f"{where}: {len(arrays)} arrays, the model has {len(shapes)} inputs; give one for each")
        notes: list[str] = []
        pairs = zip(arrays, shapes, strict=True)
        data = Readings([shaped(where, i, x, s, notes) for i, (x, s) in enumerate(pairs)], where=where, notes=notes)
    return data.as_real(pixels) if pixels is not None else data


def _tell_notes(readings: Readings, tell: Callable[[str], None]) -> None:
    for note in readings.notes:
        tell(note)


def _stop_for(
    warnings: list[str],
    allow_loss: bool,
    tell: Callable[[str], None],
    hint: str = "--allow-loss writes it all the same",
) -> None:
    """CheckFailed with what is wrong; a user who wants the model all the same is told it."""
    if warnings and not allow_loss:
        raise CheckFailed(f"{'; '.join(warnings)}; nothing was written ({hint})")
    for warning in warnings:
        tell(f"warning: {warning}")


def midge_version() -> str:
    try:
        return version("midge")
    except PackageNotFoundError:
        return "source"


def build(graph: Graph, say: Callable[[str], None] = lambda text: None) -> ModelFile:
    """The model of a graph, without labels, provenance and golden values. `say` hears what each pass did."""
    return build_with_layers(graph, say)[0]


def build_with_layers(graph: Graph, say: Callable[[str], None] = lambda text: None) -> tuple[ModelFile, list[Layer]]:
    """The model of a graph, and which of its tensors its records give."""
    verify(graph)
    for rewrite in PASSES:
        _say(say, rewrite, rewrite(graph))
        verify(graph)
    program = lower(graph)
    names = {step.output: step.name for step in program.steps}
    source_macs = sum(macs(fields(s)) for s in program.steps)
    for narrow in PROGRAM_PASSES:
        _say(say, narrow, narrow(program))
    arena = plan(program.steps, program.inputs, program.outputs, program.aliases, program.state, places=program.places)
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
    return model, layers_of(program, names)


def _say(say: Callable[[str], None], step: Callable[..., str], did: str) -> None:
    if did:
        say(f"{step.__name__.replace('_', ' ')}: {did}")


def _describe(edge: Edge, arena: Plan) -> TensorInfo:
    tensor = edge.tensor
    _check_edge(tensor, edge)
    known = tensor.quantization
    if edge.reading is not None and edge.reading.scale.size == 1:
        known = edge.reading
    made = TensorInfo(
        edge.name,
        arena.offset(tensor),
        tensor.shape,
        edge.dtype,
        float(known.scale[0]) if known else 1.0,
        int(known.zero_point[0]) if known else 0,
        element=tensor.dtype,
        takes_nan=edge.takes_nan,
        function=edge.function,
    )
    if edge.reading is not None and edge.reading.scale.size > 1:
        made.channel_scales = tuple(map(float, edge.reading.scale))
        made.channel_zero_points = tuple(map(int, edge.reading.zero_point))
    return made


def _check_edge(tensor: Tensor, edge: Edge) -> None:
    # int32 holds numbers of classes, which have no scale.
    # float32 is computed with as it is.
    scales = {"int32": (0, 1), "float32": (0,)}.get(tensor.dtype, (1,))
    known = tensor.dtype in spec.ELEMENT_BYTES and edge.dtype in spec.DTYPES.values()
    if not known or tensor.scale.size not in scales:
        raise MidgeError(
            f"model input or output {edge.name!r} is {tensor.dtype}; midge needs int8 or int16 (set "
            "inference_input_type and inference_output_type to tf.int8 in TFLiteConverter)"
        )
    if len(tensor.shape) > spec.MAX_RANK or any(d > spec.MAX_DIM for d in tensor.shape):
        raise MidgeError(f"model input or output {edge.name!r} has shape {tensor.shape}: too large")


def _label_lines(path: Path) -> list[str]:
    try:
        labels = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise MidgeError(f"{path}: cannot read labels ({error.strerror})") from None
    except UnicodeDecodeError:
        raise MidgeError(f"{path}: cannot read labels; save the text as UTF-8") from None
    return [line.strip() for line in labels if line.strip()]


def _check_labels(path: Path, model: ModelFile) -> None:
    classes = model.outputs[0].shape[-1] if model.outputs and model.outputs[0].shape else 1
    if len(model.labels) != classes:
        count = len(model.labels)
        raise MidgeError(f"{path}: {count} labels for a model with {classes} outputs; write one label per line")
