"""From a trained model to a .midge file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .. import frontends
from ..device import reference
from ..device.model_file import ModelFile
from ..errors import CheckFailed, MidgeError
from ..files import refuse_overwriting, write_whole
from ..files.labels import read_labels
from ..frontends import series
from ..frontends.sound import rows_of
from ..ir.graph import Graph
from ..quantize import Options, Precision, inputs, is_float, quantise, simplified
from ..quantize.calibrate import NEEDED
from ..quantize.features import CURE, with_int16_features
from ..quantize.layers import mark_rescaled, remember
from ..quantize.proof import Source, prove
from ..targets import EVERY_BOARD, TWO_CORES
from .compiled import build, build_with_layers, compile_graph
from .data import Data, features_of_sound, readings, tell_notes
from .detection import heads_of
from .learning import enrolling, kept, taught
from .small import Wanted, shrunk
from .sound import asked_for, with_front_end

__all__ = ["GOLDEN_SEED", "Wanted", "build", "build_with_layers", "convert", "midge_version"]

GOLDEN_SEED = 1


PIXELS = (0.0, 1.0)
CURE_OF_SMALL = ": allow more bytes or less loss, or calibrate with more readings of every kind"


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
    macs: float = 1.0,
    features: str = "float32",
    window: int | None = None,
    unit: float = 1.0,
    rate: float | None = None,
    pixels: tuple[float, float] = PIXELS,
    to: Literal["midge", "tflite"] = "midge",
    allow_loss: bool = False,
    audio: str | None = None,
    every: int | None = None,
    cores: int = 1,
    slowdown: float = 0.02,
    ram: int = 0,
    pack: bool = False,
    bare: bool = False,
    learn: str | None = None,
    exemplars: Data | None = None,
    impostors: Data | None = None,
    false_accepts: float = 0.01,
    detect: str = "auto",
    score: float | None = None,
    anchors: Sequence[tuple[float, float]] = (),
    small: Wanted | None = None,
    show: Callable[[str, dict[str, Any]], None] = lambda what, facts: None,
    say: Callable[[str], None] = lambda text: None,
    tell: Callable[[str], None] = lambda text: None,
) -> ModelFile:
    """Converts `source`, a model's file or folder, or a live model, and writes `output`, whole or not at all.

    example: a typical input (or several), for live models that do not know their shapes. calibration: typical
    readings, which set the scales of a model of floats: a file or folder as docs/cli.md, "Data", says, or arrays
    (N, *shape) for each input. test: other readings, with labels or without, to try the model on. labels: a file with
    one a line. signature: of a .tflite with several. trust: whether pickles may be opened, which can run code.
    precision: of activations. macs: of a model of floats, the share of its multiplications that may stay; those of
    channels with the least effect leave. features: of trees "float32" or "int16"; with int16 they take about half the
    memory, `tell` hears what that changed, and `calibration` is what they are tried on. Behind it or alone, features of
    samples that the model was trained on, as `series.parse` takes them: it then reads [window, channels] samples, int16
    whose steps are `unit`, `rate` a second; `calibration` and `test` are such windows, of real values. pixels: the real
    values of pixels 0 and 255. to: what to write. audio: the front end that makes the model's inputs of sound, as
    docs/cli.md says; `calibration` and `test` are features, as `midge features` makes them. every: frames from one
    prediction to the next. learn: the layer whose output the model learns from on a board, or "auto"; `exemplars` are
    readings with labels, of classes that it is to know: how it learns is chosen by them. impostors: instead of them
    readings of others, for a model that is to know one from all others; the share `false_accepts` of them is taken for
    it. detect: what heads of a model mean that finds things in pictures, "auto", "blazeface", "yolo", "ssd", "fomo" or
    "none"; `score`, from 0 to 1, is what a thing needs, `anchors` are (width, height) of YOLO's heads. cores: 2 for a
    model that `midge.load(cores=2)` is to share between two: its arena is larger, as outputs do not lie over inputs.
    slowdown: the share by which a prediction may take longer, by estimate, for a smaller arena. ram: in its place the
    bytes that the arena may have, in which a prediction is to take as little time as it can, with first layers in
    strips of rows where it has to. pack: whether weights are coded where that makes the file smaller. small: weights of
    few bits, as few as it says; `show` hears of "small" the sizes that there were to choose from. bare: whether
    self-test, names and provenance stay out of the file.
    say: is told what the passes did; tell: what was chosen, and how well the model still works.

    Raises MidgeError, UnsupportedError for a layer that cannot be converted, and CheckFailed, unless `allow_loss`,
    where the model has lost what it knew.
    """
    output = Path(output)
    if exemplars is not None and impostors is not None:
        raise MidgeError("--exemplars are of what a model is to know, --impostors of what it is not: give one of them")
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
    names = read_labels(Path(labels)) if labels else loaded.labels
    hearing = asked_for(audio, every, loaded.audio, to, where)
    if hearing:
        count = rows_of(loaded.graph.inputs[0].tensor.shape, hearing, where or loaded.graph.name)
        calibration, test = (features_of_sound(data, hearing, count) for data in (calibration, test))
        exemplars, impostors = (features_of_sound(data, hearing, count) for data in (exemplars, impostors))
    graph, origin = loaded.graph, None
    if macs != 1 and not is_float(graph):
        this = "is quantised already" if graph.inputs[0].tensor.dtype != "float32" else "has none"
        raise MidgeError(f"{source}: --macs leaves channels of models of floats out; this one {this}")
    learnt = tried = None
    if small:
        _check_small(graph, to, where or graph.name)
    codes, recipe = series.asked_for(features, window, unit, rate)
    target = (TWO_CORES if cores == 2 else EVERY_BOARD)._replace(slowdown=slowdown, ram=ram)
    info = {
        "name": name or loaded.graph.name,
        "source": where or type(source).__name__,
        "sha256": hashlib.sha256(loaded.data).hexdigest(),
        "midge": midge_version(),
    }

    def whole(part: Graph) -> Graph:
        """With what makes its input of samples."""
        return part if recipe is None or window is None else series.with_features(part, recipe, window, unit)

    def as_written(part: Graph) -> ModelFile:
        """As large as its file before weights are coded, but for what it learns; golden values are 0."""
        compiled = compile_graph(whole(part))
        compiled.target = target
        model = with_front_end(compiled, hearing, every, False, where, _nobody) if hearing else compiled.model()
        model.labels = names
        if not hearing:
            model.detection = heads_of(model, detect, score, anchors, _nobody) or b""
        model.info |= info
        model.golden_seed, model.golden = GOLDEN_SEED, [0] * len(model.records)
        return model

    shapes = [edge.tensor.shape for edge in whole(graph).inputs]
    if codes:
        graph = whole(graph)
        origin = Source(graph, cure=CURE)
        graph, said = with_int16_features(graph)
        for choice in said:
            tell(choice)
        if calibration is not None:
            learnt = readings(calibration, shapes, pixels, "calibration")
    elif is_float(graph):
        if calibration is None:
            what = "; ".join([f"{where or graph.name}: a model of floats", *loaded.notes])
            raise MidgeError(f"{what}; to make it int8, {NEEDED}")
        learnt = readings(calibration, shapes, pixels, "calibration")
        tell_notes(learnt, tell)
        _stop_for(inputs.tells_nothing(learnt), allow_loss, tell, "no scale can be told from it")
        given = [recipe.of(learnt.inputs[0].reshape(-1, *shapes[0][1:]), unit)] if recipe else learnt.inputs
        quantised = quantise(graph, given, Options(precision, macs))
        for choice in quantised.choices:
            tell(choice)
        origin = Source(whole(graph), whole(quantised.reference))
        if macs != 1:
            origin.cure = f": --macs {macs:g} leaves too few channels; give more, or calibrate with more readings"
        if small:
            less = shrunk(quantised, small, where or graph.name, as_written)
            show("small", less.facts())
            for line in less.lines():
                tell(line)
            quantised, origin.cure = less.quantised, CURE_OF_SMALL
        graph = whole(quantised.graph)
    elif calibration is not None:
        this = "computes with floats" if graph.inputs[0].tensor.dtype == "float32" else "is quantised already"
        raise MidgeError(f"{source}: --calibration sets the scales of models of floats; this one {this}")
    else:
        graph = whole(graph)
    tflite = _to_tflite(graph) if to == "tflite" else b""
    compiled = compile_graph(graph, say)
    compiled.target = target
    examples_of = exemplars if impostors is None else impostors
    compiled.kept = kept(compiled.program, learn, examples_of, to)
    model, layers = compiled.model(), compiled.layers()
    if origin and origin.layers and learnt and not hearing and not small:  # the list takes as much as a layer
        shown = mark_rescaled(layers, simplified(origin.graph), origin.layers, learnt.inputs)
        remember(model, shown)
    model.labels = names
    model.detection = heads_of(model, detect, score, anchors, tell) or b""
    if (labels or (hearing and names)) and not model.detection:
        _check_labels(str(labels or where), model)
    if test is not None:
        tried = readings(test, [t.shape for t in model.inputs], pixels if origin else None, "test")
        tell_notes(tried, tell)
    if (origin and learnt) or tried:
        proof = prove(origin, model.whole, layers, learnt, tried)
        for line in proof.lines():
            tell(line)
        _stop_for(proof.warnings, allow_loss, tell)
    network = model.whole
    if hearing:
        model = with_front_end(compiled, hearing, every, origin is None, where or graph.name, tell)
        model.labels = names
    if examples_of is not None:
        what = "exemplars" if impostors is None else "impostors"
        shown_to = readings(examples_of, [t.shape for t in network.inputs], pixels if origin else None, what)
        tell_notes(shown_to, tell)
        if impostors is None:
            made = taught(network, shown_to, tell)
        else:
            made = enrolling(network, shown_to, false_accepts, tell)
        model.learning = replace(made, offset=model.learning.offset)  # type: ignore[union-attr]
    model.info |= info
    model.golden_seed = GOLDEN_SEED
    model.golden = reference.golden_values(model)
    if pack or small:
        model.pack()
        tell(packed(model))
    if bare:
        model.strip()
    data = tflite if to == "tflite" else model.to_bytes()
    if small and small.bytes is not None and len(data) > small.bytes:
        raise MidgeError(f"{where}: {len(data):,} bytes with what it learns; allow more than {small.bytes:,}")
    write_whole(output, data)
    return model


def packed(model: ModelFile) -> str:
    """What coding the weights gave, in words."""
    if not model.coded:
        return "weights are as small raw as coded: they stay raw"
    share = 100 * model.stored_bytes / len(model.weights)
    return f"weights: {len(model.weights):,} bytes, coded in {model.stored_bytes:,} ({share:.0f} %)"


def _nobody(text: str) -> None:
    """Who is told twice otherwise."""


def _check_small(graph: Graph, to: str, where: str) -> None:
    if to == "tflite":
        raise MidgeError("--small is of .midge files: a .tflite takes as many bytes whatever its weights are")
    if not is_float(graph):
        raise MidgeError(f"{where}: --small rounds the weights of models of floats, and this one has none to round")


def _to_tflite(graph: Graph) -> bytes:
    from ..frontends.tflite import to_tflite

    return to_tflite(graph)


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


def _check_labels(source: str, model: ModelFile) -> None:
    classes = model.outputs[0].shape[-1] if model.outputs and model.outputs[0].shape else 1
    if len(model.labels) != classes:
        count = len(model.labels)
        raise MidgeError(f"{source}: {count} labels for a model with {classes} outputs; write one label per line")
