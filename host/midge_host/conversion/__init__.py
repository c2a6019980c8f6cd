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
from ..device.learning import Learning
from ..device.model_file import ModelFile
from ..errors import MidgeError
from ..files import refuse_overwriting, write_whole
from ..files.labels import read_labels
from ..frontends import series
from ..frontends.sound import rows_of
from ..ir.graph import Graph
from ..quantize import Precision, simplified
from ..quantize.layers import mark_rescaled, remember
from ..quantize.proof import prove
from ..quantize.small.biases import shorten
from ..targets import EVERY_BOARD, TWO_CORES
from .around import GOLDEN_SEED, Around
from .compiled import Compiled, build, build_with_layers, compile_graph
from .data import Data, features_of_sound, readings_for
from .integers import How, Samples, in_integers
from .learning import enrolling, kept, taught
from .small import Wanted
from .sound import asked_for
from .told import Told, nobody

__all__ = ["GOLDEN_SEED", "Wanted", "build", "build_with_layers", "convert", "midge_version"]

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
    if small and to == "tflite":
        raise MidgeError("--small is of .midge files: a .tflite takes as many bytes whatever its weights are")
    file = ""
    if isinstance(source, (str, Path)):
        source, file = Path(source), Path(source).name
    refuse_overwriting(output, *(Path(p) for p in (source, calibration, test, labels) if isinstance(p, (str, Path))))
    told = Told(tell, allow_loss)
    examples = (example,) if isinstance(example, np.ndarray) else tuple(example)
    loaded = frontends.load(source, frontends.Request(examples, signature, trust))
    told.all(loaded.notes)
    where = file or loaded.graph.name
    hearing = asked_for(audio, every, loaded.audio, to, file)
    if hearing:
        count = rows_of(loaded.graph.inputs[0].tensor.shape, hearing, where)
        calibration, test = (features_of_sound(data, hearing, count) for data in (calibration, test))
        exemplars, impostors = (features_of_sound(data, hearing, count) for data in (exemplars, impostors))
    info = {
        "name": name or loaded.graph.name,
        "source": file or type(source).__name__,
        "sha256": hashlib.sha256(loaded.data).hexdigest(),
        "midge": midge_version(),
    }
    known = read_labels(Path(labels)) if labels else loaded.labels
    around = Around(where, known, str(labels or ""), detect, score, anchors, hearing, every, info)
    int16_features, recipe = series.asked_for(features, window, unit, rate)
    samples = Samples(recipe, window or 0, unit)
    target = (TWO_CORES if cores == 2 else EVERY_BOARD)._replace(slowdown=slowdown, ram=ram)

    def compiled_of(part: Graph, hear: Callable[[str], None] = nobody) -> Compiled:
        made = compile_graph(part, hear, target)
        if small:
            shorten(made.program)
        return made

    def as_large(part: Graph) -> ModelFile:
        return around.as_large(compiled_of(samples.before(part)))

    how = How(where, samples, int16_features, pixels, precision, macs, small, show)
    made = in_integers(loaded, how, calibration, told, as_large)
    origin, learnt = made.origin, made.learnt
    tflite = _to_tflite(made.graph) if to == "tflite" else b""
    compiled = compiled_of(made.graph, say)
    others = exemplars if impostors is None else impostors
    compiled.kept = kept(compiled.program, learn, others, to)
    model, layers = around.network(compiled, tell), compiled.layers()
    if origin and origin.layers and learnt and not hearing and not small:  # the list takes as much as a layer
        remember(model, mark_rescaled(layers, simplified(origin.graph), origin.layers, learnt.inputs))

    network, as_real = model.whole, pixels if origin else None
    tried = readings_for(network, test, as_real, "test", told) if test is not None else None
    if (origin and learnt) or tried:
        proof = prove(origin, network, layers, learnt, tried)
        told.all(proof.lines())
        told.stop_for(proof.warnings)
    if hearing:
        model = around.hears(compiled, origin is None, tell)
    if others is not None and isinstance(model.learning, Learning):
        shown = readings_for(network, others, as_real, "exemplars" if impostors is None else "impostors", told)
        best = taught(network, shown, tell) if impostors is None else enrolling(network, shown, false_accepts, tell)
        model.learning = replace(best, offset=model.learning.offset)

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


def _to_tflite(graph: Graph) -> bytes:
    from ..frontends.tflite import to_tflite

    return to_tflite(graph)


def midge_version() -> str:
    try:
        return version("midge")
    except PackageNotFoundError:
        return "source"
