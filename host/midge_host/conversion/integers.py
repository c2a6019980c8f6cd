"""From the graph that came in to the one of integers that is compiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import MidgeError
from ..files.readings import Readings
from ..frontends import Loaded
from ..frontends.series import Recipe, with_features
from ..ir.graph import Graph
from ..quantize import Options, Precision, inputs, is_float, quantise
from ..quantize.calibrate import NEEDED
from ..quantize.features import CURE, with_int16_features
from ..quantize.proof import Source
from .data import Data, readings
from .small import FileOf, Wanted, shrunk
from .told import Told

CURE_OF_SMALL = ": allow more bytes or less loss, or calibrate with more readings of every kind"


@dataclass(frozen=True)
class Samples:
    """Features of samples that a model was trained on. recipe: None for a model that takes its inputs as they are;
    window, unit: of `convert`."""

    recipe: Recipe | None
    window: int
    unit: float

    def before(self, graph: Graph) -> Graph:
        """The graph behind what makes its input of samples."""
        return graph if self.recipe is None else with_features(graph, self.recipe, self.window, self.unit)


@dataclass(frozen=True)
class How:
    """How numbers become integers. where: the source's name, for errors; int16_features: of trees; the others: of
    `convert`."""

    where: str
    samples: Samples
    int16_features: bool
    pixels: tuple[float, float]
    precision: Precision
    macs: float
    small: Wanted | None
    show: Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True)
class Integers:
    """graph: what is compiled. origin: what it was made from, None for a model that came quantised. learnt: the
    readings that set its scales."""

    graph: Graph
    origin: Source | None = None
    learnt: Readings | None = None


def in_integers(loaded: Loaded, how: How, calibration: Data | None, told: Told, file_of: FileOf) -> Integers:
    """file_of: what is written of a graph, by which --small counts bytes.

    Raises MidgeError for options that are not of such a model, and CheckFailed for readings that tell nothing.
    """
    graph = loaded.graph
    if how.macs != 1 and not is_float(graph):
        this = "has none" if _computes_with_floats(graph) else "is quantised already"
        raise MidgeError(f"{how.where}: --macs leaves channels of models of floats out; this one {this}")
    if how.small and not is_float(graph):
        raise MidgeError(f"{how.where}: --small rounds the weights of models of floats, and this one has none to round")
    if how.int16_features:
        return _trees(graph, how, calibration, told)
    if is_float(graph):
        if calibration is None:
            what = "; ".join([f"{how.where}: a model of floats", *loaded.notes])
            raise MidgeError(f"{what}; to make it int8, {NEEDED}")
        return _quantised(graph, how, calibration, told, file_of)
    if calibration is not None:
        this = "computes with floats" if _computes_with_floats(graph) else "is quantised already"
        raise MidgeError(f"{how.where}: --calibration sets the scales of models of floats; this one {this}")
    return Integers(how.samples.before(graph))


def _computes_with_floats(graph: Graph) -> bool:
    return bool(graph.inputs) and graph.inputs[0].tensor.dtype == "float32"


def _trees(graph: Graph, how: How, calibration: Data | None, told: Told) -> Integers:
    shapes = [edge.tensor.shape for edge in how.samples.before(graph).inputs]
    graph = how.samples.before(graph)
    origin = Source(graph, cure=CURE)
    graph, choices = with_int16_features(graph)
    told.all(choices)
    learnt = None if calibration is None else readings(calibration, shapes, how.pixels, "calibration")
    return Integers(graph, origin, learnt)


def _quantised(graph: Graph, how: How, calibration: Data, told: Told, file_of: FileOf) -> Integers:
    samples = how.samples
    shapes = [edge.tensor.shape for edge in samples.before(graph).inputs]
    learnt = readings(calibration, shapes, how.pixels, "calibration")
    told.all(learnt.notes)
    told.stop_for(inputs.tells_nothing(learnt), "no scale can be told from it")
    given = learnt.inputs
    if samples.recipe:
        given = [samples.recipe.of(learnt.inputs[0].reshape(-1, *shapes[0][1:]), samples.unit)]
    quantised = quantise(graph, given, Options(how.precision, how.macs))
    told.all(quantised.choices)
    origin = Source(samples.before(graph), samples.before(quantised.reference))
    if how.macs != 1:
        origin.cure = f": --macs {how.macs:g} leaves too few channels; give more, or calibrate with more readings"
    if how.small:
        less = shrunk(quantised, how.small, how.where, file_of)
        how.show("small", less.facts())
        told.all(less.lines())
        quantised, origin.cure = less.quantised, CURE_OF_SMALL
    return Integers(samples.before(quantised.graph), origin, learnt)
