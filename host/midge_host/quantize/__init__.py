"""Quantising: a graph of floats becomes one of integers, as TensorFlow Lite Micro computes it.

quantise(graph, readings, options) -> the quantised graph; is_float(graph) -> whether it is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..device.ops import LOWERINGS
from ..ir import batch
from ..ir.graph import Graph, Node
from ..ir.operators import Dequantize, Quantize
from ..ir.verify import QUANTISED, verify
from ..passes import FLOAT_PASSES
from .calibrate import Calibration, calibrate, check_readings, few
from .choose import GOOD, Activations, Scales, choose, error_of, widen
from .equalise import equalise
from .integers import Integers
from .judge import Judge, decibels
from .prune import prune
from .ranges import Method
from .readings import normalisations, spread_channels

Precision = Literal["int8", "int16", "auto"]
FEWEST = 4  # readings, of which a half can be left out to see what scales are worth


@dataclass(frozen=True)
class Options:
    """precision: of activations; "auto" takes 16 bits for the layers that need them. macs: the share of the
    multiplications that may stay; below 1 channels are left out."""

    precision: Precision = "int8"
    macs: float = 1.0


@dataclass
class Quantised:
    """choices: what was chosen, in words. reference: the graph of floats whose layers have the same names; calibration:
    what its tensors held for the readings; activations: how they became integers."""

    graph: Graph
    reference: Graph
    calibration: Calibration
    activations: Activations
    choices: list[str] = field(default_factory=list)


def is_float(graph: Graph) -> bool:
    """Whether the graph computes with floats, and so has to be quantised. A conversion at the edge of a quantised
    model, or functions of floats between quantised tensors, do not make it one."""
    computed = [t for node in graph.nodes for t in node.outputs] + [e.tensor for e in graph.inputs]
    integers = any(t.dtype in QUANTISED and t.quantization is not None for t in computed)
    layers = [n for n in graph.nodes if not isinstance(n, Quantize | Dequantize) and not _stays_float(n)]
    return not integers and any(t.dtype == "float32" for n in layers for t in n.outputs)


def _stays_float(node: Node) -> bool:
    """Whether a device computes it with floats: trees and other models of few numbers."""
    return type(node) in LOWERINGS and LOWERINGS[type(node)].types.startswith("float")


def quantise(graph: Graph, readings: Sequence[np.ndarray], options: Options = Options()) -> Quantised:
    """The graph in integers. readings: (N, *shape) for each input, typical ones. `graph` stays as it is.

    Raises MidgeError for readings that tell nothing, UnsupportedError for a layer without an integer form.
    """
    reference = simplified(graph)
    checked = check_readings(reference, readings)
    choices = [prune(reference, checked, options.macs)] if options.macs != 1 else []
    calibration = calibrate(reference, checked)
    spread = spread_channels(reference, calibration)
    choices += spread
    if spread:
        calibration = calibrate(reference, checked)
    fit, others = halves(reference, checked)
    equalises, method, _ = min(_trials(reference, fit, others), key=lambda trial: trial[2])
    if equalises:
        pairs = equalise(reference, calibration)
        choices.append(f"channels of {pairs} layers equalised")
        calibration = calibrate(reference, checked)
    made, activations, said = _integers(
        reference, calibration, method, Judge(reference, few(reference, checked)), options
    )
    verify(made.graph)
    return Quantised(made.graph, reference, calibration, activations, [*choices, *said])


def halves(graph: Graph, readings: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray] | None]:
    """Readings to try scales with, and others to compare outputs for; a stream has to stay whole."""
    if batch.is_stream(graph) or len(readings[0]) < FEWEST:
        return readings, None
    return [x[::2] for x in readings], [x[1::2] for x in readings]


def _trials(
    reference: Graph, fit: list[np.ndarray], others: list[np.ndarray] | None
) -> Iterator[tuple[bool, Method, float]]:
    """Whether channels are equalised, a method, and the error that both give."""
    calibration = calibrate(reference, fit)
    copies: dict[int, Any] = {}
    equal = deepcopy(reference, copies)
    known = {id(copies[key]): histogram for key, histogram in calibration.histograms.items()}
    method = None
    if equalise(equal, Calibration(fit, known)):
        scales, judge = _for_trials(equal, calibrate(equal, fit), others)
        method, error = choose(scales, judge)
        yield True, method, error
    scales, judge = _for_trials(reference, calibration, others)
    yield False, *(choose(scales, judge) if method is None else (method, error_of(scales, method, judge)))


def _for_trials(graph: Graph, calibration: Calibration, others: list[np.ndarray] | None) -> tuple[Scales, Judge]:
    scales = Scales(graph, calibration, lambda node: "int8", normalisations(graph))
    if others is None:
        return scales, Judge(graph, few(graph, calibration.readings))
    return scales, Judge(graph, few(graph, calibration.readings, 2), few(graph, others, 2))


def _integers(
    reference: Graph, calibration: Calibration, method: Method, judge: Judge, options: Options
) -> tuple[Integers, Activations, list[str]]:
    """The graph in integers, and what was chosen for it."""
    everything = range(len(reference.nodes)) if options.precision == "int16" else ()
    activations = Activations(method, frozenset(everything))
    scales = activations.scales(reference, calibration)
    made = scales.integers()
    error = judge.settle(made)
    choices = []
    if options.precision == "auto" and decibels(error) < GOOD:
        wide, left = widen(reference, calibration, normalisations(reference), method, judge, error)
        if wide:
            names = ", ".join(repr(n.name) for n in reference.nodes if id(n) in wide)
            choices.append(
                f"activations of 16 bits in {names}: {decibels(left):.1f} dB at the outputs in place of "
                f"{decibels(error):.1f} dB"
            )
            activations = Activations(method, frozenset(i for i, n in enumerate(reference.nodes) if id(n) in wide))
            scales = activations.scales(reference, calibration)
            made = scales.integers()
            error = judge.settle(made)
    ranges = str(method) if scales.free else "their largest values"
    return made, activations, [*choices, f"ranges by {ranges}, {decibels(error):.1f} dB at the outputs"]


def simplified(graph: Graph) -> Graph:
    """A copy of the graph, as FLOAT_PASSES leave it."""
    made = deepcopy(graph)
    verify(made)
    for rewrite in FLOAT_PASSES:
        rewrite(made)
        verify(made)
    return made
